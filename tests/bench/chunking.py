"""How well passages fit what answers: `python -m tests.bench.chunking --data ../shared/bench`.

Chroma's chunking evaluation (Smith and Troynikov 2024): recall, precision and IoU in characters of the top 5 passages
against the gold spans, all documents in one index. Beside it, with the same encoder and exact cosines, the recursive
splitter at 200 tokens without overlap, and the product's own passages, which tells what its splitting does from what
its retrieval does. Prints one JSON line.
"""

from collections.abc import Callable, Sequence

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter
from tokenizers import Tokenizer

from index.catalogue import passage_context
from index.encoder import ensure_exported
from index.retriever import Index
from tests.bench.measures import Span, encode, mean
from tests.bench.sets import Row, needed, opened, parser, print_figures, progress, read_jsonl, sample, temporary_home

PUBLISHED = {"recall": 0.881, "precision": 0.070, "iou": 0.069}
"""The recursive splitter at 200 tokens with text-embedding-3-large, top 5, on the full set."""

_K, _TOKENS = 5, 200
_SEPARATORS = ["\n\n", "\n", ".", "?", "!", " ", ""]

Place = tuple[str, int, int]
"""A slice of a document: its id, start and end."""

Chunk = tuple[Place, str, str]
"""A slice with its text, and with the title and headings that are encoded before it."""

Rank = Callable[[str], list[Place]]


def main() -> None:
    options = parser(__doc__).parse_args()
    corpora, questions_file = needed(options.data, "chunking/corpora", "chunking/questions.jsonl")
    questions = sample(read_jsonl(questions_file), options.limit)
    with temporary_home(corpora) as made, opened(made) as index:
        check_places(index, questions)
        tokenizer = Tokenizer.from_file(str(ensure_exported(made.encoders, made.encoder) / "tokenizer.json"))
        texts = {name: document_text(index, name) for name in index.catalogue.document_ids()}
        chunks, own = split_recursively(texts, tokenizer), own_passages(index)
        figures = {
            "passages": index.generation.passages,
            "product": measured(questions, lambda query: product_places(index, query), "product"),
            "product passages by cosine": measured(questions, by_cosine(index, own), "product passages"),
            "recursive chunks": len(chunks),
            "recursive": measured(questions, by_cosine(index, chunks), "recursive"),
        }
    print_figures("chunking", options, {"questions": len(questions), **figures, "published recursive": PUBLISHED})


def document_text(index: Index, name: str) -> str:
    """Return the text of a document as the index holds it."""
    document = index.catalogue.document(name)
    assert document is not None, name
    return document.text


def check_places(index: Index, questions: Sequence[Row]) -> None:
    """Assert that the gold spans stand where the set says in the text that the product's loader read."""
    for q in questions:
        text = document_text(index, q["corpus"])
        assert all(text[s["start"] : s["end"]] == s["text"] for s in q["spans"]), q["question"]


def product_places(index: Index, query: str) -> list[Place]:
    """Return the places of the product's best passages."""
    return [(e.document.id, e.passage.start, e.passage.end) for e in index.retrieve(query, _K)]


def split_recursively(texts: dict[str, str], tokenizer: Tokenizer) -> list[Chunk]:
    """Cut texts with LangChain's recursive splitter, lengths in the encoder's tokens."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS, chunk_size=_TOKENS, chunk_overlap=0, add_start_index=True,
        length_function=lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids),
    )  # fmt: skip
    chunks = []
    for name, text in texts.items():
        for chunk in splitter.create_documents([text]):
            start, words = chunk.metadata["start_index"], chunk.page_content
            assert text[start : start + len(words)] == words, (name, start)
            chunks.append(((name, start, start + len(words)), words, ""))
    return chunks


def own_passages(index: Index) -> list[Chunk]:
    """Return the product's passages as they are indexed."""
    chunks = []
    for row in index.catalogue.all_rows():
        document, p = index.catalogue.document(row.passage.document), row.passage
        assert document is not None, p.document
        chunks.append(((p.document, p.start, p.end), document.text[p.start : p.end], passage_context(document, p)))
    return chunks


def by_cosine(index: Index, chunks: Sequence[Chunk]) -> Rank:
    """Return the ranking of chunks by exact cosine."""
    vectors = encode(index.encoder, [text for _, text, _ in chunks], [context for _, _, context in chunks])

    def rank(query: str) -> list[Place]:
        return [chunks[i][0] for i in np.argsort(-(vectors @ index.encoder.encode_query(query)))[:_K]]

    return rank


def measured(questions: Sequence[Row], rank: Rank, label: str) -> dict[str, float | None]:
    """Return mean recall, precision and IoU over all questions, and the mean length of what was retrieved."""
    rows = []
    for q in progress(questions, label):
        found = rank(q["question"])
        gold = characters([(s["start"], s["end"]) for s in q["spans"]])
        hit = len(gold & characters([(a, b) for name, a, b in found if name == q["corpus"]]))
        size = sum(b - a for _, a, b in found)
        rows.append((hit / len(gold), hit / size, hit / (size + len(gold) - hit), size))
    return {name: mean(r[i] for r in rows) for i, name in enumerate(("recall", "precision", "iou", "characters"))}


def characters(spans: Sequence[Span]) -> set[int]:
    """Return the places of all characters in spans."""
    return {i for a, b in spans for i in range(a, b)}


if __name__ == "__main__":
    main()
