"""How the corpus is searched: encoder, Chroma, BM25, generations and hybrid retrieval."""
