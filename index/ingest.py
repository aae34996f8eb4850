"""Write documents into a generation that is being built, a chunk of passages at a time, whatever their number."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from corpus.documents import Document
from corpus.passages import Passage, split_document
from index.catalogue import Catalogue, Row, passage_context, sentence_id
from index.encoder import Encoder, PassageText, PassageVectors
from index.lexical import build_lexical, build_vocabulary
from index.store import LEVELS, Store, Unit

_CHUNK = 1024
"""Passages encoded and stored at a time."""

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done and the total; a total of 0 means unknown."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its passages, and their vectors if they have been encoded elsewhere."""

    document: Document
    passages: Sequence[Passage]
    vectors: Sequence[PassageVectors] | None = None


Prepare = Callable[[Iterable[Document]], Iterator[Prepared]]
"""Splits documents, in their order, and may encode their passages."""


def split_here(documents: Iterable[Document]) -> Iterator[Prepared]:
    """Split documents in this process; their passages are encoded a chunk at a time, over several documents."""
    return (Prepared(d, split_document(d)) for d in documents)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A passage to be stored; `known` are its vectors where it needs no encoding here, being `reused` or not."""

    row: Row
    text: PassageText
    known: PassageVectors | None
    reused: bool


def write_changes(
    building: Path,
    encoder: Encoder,
    changed: Iterable[Document],
    removed: Iterable[str],
    total: int,
    report: Progress,
    prepare: Prepare = split_here,
) -> int:
    """Write new and changed documents and take removed ones out; return how many passages were encoded.

    `total` is the number of passages of the new and changed ones, for `report`.
    """
    stage = "Encoding passages"
    done = encoded = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        report(stage, done, total)

    with (
        closing(Catalogue(building / "catalogue.sqlite", writable=True)) as catalogue,
        closing(Store(building / "chroma", encoder.fingerprint, writable=True)) as store,
    ):
        report(stage, 0, total)
        for document_id in removed:
            _remove(catalogue, store, document_id)
        passages = _passages(catalogue, store, prepare(changed))
        while chunk := list(islice(passages, _CHUNK)):
            new = [p.text for p in chunk if p.known is None]
            _store(store, chunk, encoder.encode_passages(new, tick))
            encoded += sum(not p.reused for p in chunk)
            tick(len(chunk) - len(new))
        catalogue.commit()
    return encoded


def store_anew(vectors: Path, building: Path, encoder: str) -> None:
    """Copy the vectors of a former generation into the empty store of one that is being built from it.

    `vectors` is the folder of a store. A folder on this machine must be a copy: Chroma writes into what it reads.
    """
    with (
        closing(Store(vectors, encoder, sparing=True)) as old,
        closing(Store(building / "chroma", encoder, writable=True)) as new,
        closing(Catalogue(building / "catalogue.sqlite")) as catalogue,
    ):
        for level in LEVELS:
            new.take(old, level, catalogue.unit_ids(level))


def _passages(catalogue: Catalogue, store: Store, documents: Iterable[Prepared]) -> Iterator[_Pending]:
    """Put each document in the place of its former version, in the catalogue, and yield its passages to be stored."""
    number = catalogue.next_number()
    for prepared in documents:
        document = prepared.document
        reusable = _remove(catalogue, store, document.id)
        rows = [Row(number + i, passage) for i, passage in enumerate(prepared.passages)]
        number += len(rows)
        catalogue.put(document, rows)
        for i, row in enumerate(rows):
            text = passage_text(document, row.passage)
            old = reusable.get(text)
            yield _Pending(row, text, old or (prepared.vectors[i] if prepared.vectors else None), bool(old))


def passage_text(document: Document, passage: Passage) -> PassageText:
    """Return a passage as the encoder reads it."""
    start, end = passage.start, passage.end
    sentences = tuple((a - start, b - start) for a, b in passage.sentences)
    return PassageText(passage_context(document, passage), document.text[start:end], sentences)


def _store(store: Store, chunk: Sequence[_Pending], encoded: Sequence[PassageVectors]) -> None:
    """Store the passages of a chunk and their sentences, those encoded just now in the order of the chunk."""
    fresh = iter(encoded)
    passages, sentences = [], []
    for pending in chunk:
        number, p, text = pending.row.number, pending.row.passage, pending.text
        vectors = pending.known or next(fresh)
        passages.append(Unit(str(number), text.text, vectors.passage, p.document, p.start, p.end))
        for k, (a, b) in enumerate(text.sentences):
            place = (p.document, p.start + a, p.start + b)
            sentences.append(Unit(sentence_id(number, k), text.text[a:b], vectors.sentences[k], *place))
    store.add("passages", passages)
    store.add("sentences", sentences)


def _remove(catalogue: Catalogue, store: Store, document_id: str) -> dict[PassageText, PassageVectors]:
    """Take a document out; return the vectors of its passages (and their sentences) by what was encoded."""
    document = catalogue.document(document_id)
    if document is None:
        return {}
    rows = catalogue.rows_of(document_id)
    passage_ids = [str(r.number) for r in rows]
    sentence_ids = [sentence_id(r.number, k) for r in rows for k in range(len(r.passage.sentences))]
    passages, sentences = store.vectors("passages", passage_ids), store.vectors("sentences", sentence_ids)
    kept = {}
    for r in rows:
        ids = [sentence_id(r.number, k) for k in range(len(r.passage.sentences))]
        if str(r.number) in passages and all(i in sentences for i in ids):
            vectors = PassageVectors(passages[str(r.number)], np.stack([sentences[i] for i in ids]))
            kept[passage_text(document, r.passage)] = vectors
    store.remove("passages", passage_ids)
    store.remove("sentences", sentence_ids)
    catalogue.remove(document_id)
    catalogue.document.cache_clear()
    return kept


def write_words(building: Path) -> tuple[int, int]:
    """Build BM25 and the vocabulary from the catalogue; return the numbers of passages and sentences."""
    words = building / "words"
    shutil.rmtree(words, ignore_errors=True)
    with closing(Catalogue(building / "catalogue.sqlite")) as catalogue:

        def passages() -> Iterator[tuple[str, str]]:
            for document, rows in catalogue.contents():
                for r in rows:
                    text = document.text[r.passage.start : r.passage.end]
                    yield str(r.number), f"{passage_context(document, r.passage)}\n{text}"

        def sentences() -> Iterator[tuple[str, str]]:
            for document, rows in catalogue.contents():
                for r in rows:
                    for k, (a, b) in enumerate(r.passage.sentences):
                        yield sentence_id(r.number, k), document.text[a:b]

        counts = build_lexical(words / "passages", passages()), build_lexical(words / "sentences", sentences())
        build_vocabulary(words / "vocabulary.json", (text for _, text in passages()))
    return counts
