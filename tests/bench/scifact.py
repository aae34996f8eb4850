"""Retrieval of scientific abstracts for claims: `python -m tests.bench.scifact --data ../shared/bench`.

SciFact (Wadden et al. 2020) as BEIR has it: nDCG@10, R@5 and R@100 by document of the product's retrieval, beside
BM25 and the encoder alone over whole documents in the same run. Prints one JSON line.
"""

from collections.abc import Callable, Sequence

import numpy as np

from index.retriever import Index
from tests.bench.measures import Bm25, encode, mean, ndcg, recall
from tests.bench.sets import (
    WIDTH,
    Row,
    documents,
    indexed,
    needed,
    parser,
    print_figures,
    progress,
    read_jsonl,
    sample,
)

PUBLISHED = {"bm25": 0.679, "dense": 0.645}
"""nDCG@10 on the full set: Thakur et al. 2021, and all-MiniLM-L6-v2 on the MTEB leaderboard."""

_DEEP = 400
"""Passages to retrieve for a hundred documents: abstracts have some two passages each."""

Rank = Callable[[str, int], list[str]]
"""Rank documents for a query; the number is how many are wanted."""


def main() -> None:
    options = parser(__doc__).parse_args()
    corpus_file, queries_file = needed(options.data, "scifact/corpus.jsonl", "scifact/queries.jsonl")
    corpus, queries = read_jsonl(corpus_file), read_jsonl(queries_file)
    if options.limit:
        queries = sample(queries, options.limit)
        wanted = {i for q in queries for i in q["relevant"]} | {d["id"] for d in sample(corpus, 10 * options.limit)}
        # Fewer distractors make it easier: a limited run compares ways of ranking, not with what is published.
        corpus = [d for d in corpus if d["id"] in wanted]
    with indexed(corpus) as index:
        figures = {
            "hybrid": measured(queries, lambda query, k: hybrid(index, query, k), "hybrid"),
            "bm25": measured(queries, lexical(corpus), "BM25"),
            "dense": measured(queries, dense(index, corpus), "dense"),
        }
    counts = {"documents": len(corpus), "queries": len(queries)}
    print_figures("scifact", options, {**counts, **figures, "published ndcg@10": PUBLISHED})


def measured(queries: Sequence[Row], rank: Rank, label: str) -> dict[str, float | None]:
    """Return the mean measures of a ranking over all queries."""
    rows = []
    for q in progress(queries, label):
        near, far = rank(q["text"], 10), rank(q["text"], 100)
        rows.append((ndcg(near, q["relevant"], 10), recall(near, q["relevant"], 5), recall(far, q["relevant"], 100)))
    return {name: mean(r[i] for r in rows) for i, name in enumerate(("ndcg@10", "r@5", "r@100"))}


def hybrid(index: Index, query: str, k: int) -> list[str]:
    """Rank documents by their best passage; only a deep ranking widens the legs beyond what users have."""
    return documents(index.retrieve(query, WIDTH if k <= 10 else _DEEP))


def lexical(corpus: Sequence[Row]) -> Rank:
    """Return the ranking of BM25 over title and text."""
    return Bm25([d["id"] for d in corpus], (f"{d['title']}\n{d['text']}" for d in corpus)).rank


def dense(index: Index, corpus: Sequence[Row]) -> Rank:
    """Return the ranking by exact cosine of whole documents, cut where the encoder stops reading."""
    ids = [d["id"] for d in corpus]
    batches = [corpus[n : n + 256] for n in range(0, len(corpus), 256)]
    vectors = np.concatenate(
        [
            encode(index.encoder, [d["text"] for d in b], [d["title"] for d in b])
            for b in progress(batches, "encoding documents")
        ]
    )

    def rank(query: str, k: int) -> list[str]:
        return [ids[i] for i in np.argsort(-(vectors @ index.encoder.encode_query(query)), kind="stable")[:k]]

    return rank


if __name__ == "__main__":
    main()
