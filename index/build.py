"""Bring an index up to date with a corpus: encode what changed, check the result, publish it as a generation."""

import errno
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.documents import Document
from corpus.errors import IndexError_, IndexUnreachable
from corpus.loaders import Refusal, load_corpus
from corpus.passages import Passage, split_document, weight
from index import generations
from index.catalogue import Catalogue, Row
from index.encoder import Encoder, PassageText, ensure_exported, fingerprint, read_facts
from index.generations import Generation
from index.lexical import build_lexical, build_vocabulary
from index.store import Store, Unit

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# NumPy tells of a short write only how much was written.
_SAYS_FULL = re.compile(r"disk is full|No space left|quota exceeded|File too large|requested and \d+ written", re.I)
_LITTLE = 8_000_000
_MAX_CONTEXT = 50
_CHUNK = 1024
"""Passages encoded and stored at a time."""

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done and the total; a total of 0 means unknown."""


class Place(Protocol):
    """Where generations lie: in a folder (the module `generations`), or on a server (`Server`)."""

    def writer_lock(self, folder: Path) -> AbstractContextManager[None]: ...
    def clean(self, folder: Path) -> None: ...
    def live_generation(self, folder: Path) -> tuple[Path, Generation]: ...
    def start(self, folder: Path, copy_of: Path | None) -> Path: ...
    def publish(self, building: Path, generation: Generation) -> Path: ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sync did. `encoded` counts passages whose vectors were made anew."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    refused: tuple[Refusal, ...]
    encoded: int
    generation: Generation


def sync(
    folder: Path,
    corpus: Path,
    encoders: Path,
    model: str,
    *,
    added: Path | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
    place: Place = generations,
) -> Summary:
    """Make the index in `folder` hold what the corpus and the folder of `added` documents hold, and publish it.

    `encoders` is the folder in which exported encoders lie. With `rebuild` nothing of the earlier index is used. `place`
    says where generations lie, in `folder` alone or on a server. An interrupted run leaves the earlier index as it was.
    Raises IndexBusy, CorpusError, EncoderError, or IndexError_ when the finished index fails its check.
    """
    report = progress or (lambda stage, done, total: None)
    with place.writer_lock(folder):
        place.clean(folder)
        report("Reading the corpus", 0, 0)
        documents, refused = load_corpus(corpus, added)
        report("Preparing the encoder (once)", 0, 0)
        encoder_folder = ensure_exported(encoders, model)
        prints = fingerprint(read_facts(encoder_folder))
        live = None if rebuild else _live(place, folder, prints)
        old = _hashes(live[0]) if live else {}
        new = {d.id: d for d in documents}
        fresh = [d for i, d in new.items() if i not in old]
        changed = [d for i, d in new.items() if i in old and old[i] != d.content_hash()]
        removed = [i for i in old if i not in new]
        summary = (tuple(d.id for d in fresh), tuple(d.id for d in changed), tuple(removed))
        if live and not (fresh or changed or removed):
            return Summary(*summary, len(new), tuple(refused), 0, live[1])
        with _building(place, folder, live[0] if live else None) as building:
            encoded = _apply(building, Encoder(encoder_folder), fresh + changed, removed, report)
            report("Building the word index", 0, 0)
            passages, sentences = _build_words(building)
            name = building.name.removeprefix("building-")
            generation = Generation(name, prints, str(corpus), len(new), passages, sentences)
            _check(building, generation)
            report("Publishing", 0, 0)
            place.publish(building, generation)
        return Summary(*summary, len(new) - len(fresh) - len(changed), tuple(refused), encoded, generation)


@contextmanager
def _building(place: Place, folder: Path, copy_of: Path | None) -> Iterator[Path]:
    """Make the folder of a new generation, which goes again if what follows fails. Names the disk where that is full."""
    building = None
    try:
        building = place.start(folder, copy_of)
        yield building
    except BaseException as error:
        full = _is_full(folder, error)
        if building:
            shutil.rmtree(building, ignore_errors=True)
        if full:
            told = f"the disk of {folder} is full: make room, then run `gapbot index` again; the index is as it was"
            raise IndexError_(told) from error
        raise


def _is_full(folder: Path, error: BaseException) -> bool:
    """Tell whether writing failed for want of room: each library says it otherwise, and Chroma not at all."""
    if not isinstance(error, OSError | sqlite3.Error | IndexError_):
        return False
    said = getattr(error, "errno", None) in _FULL or _SAYS_FULL.search(f"{error} {error.__cause__}")
    return bool(said) or shutil.disk_usage(folder).free < _LITTLE


def sentence_id(number: int, k: int) -> str:
    """Return the id of sentence k of passage `number`."""
    return f"{number}.{k}"


def passage_context(document: Document, passage: Passage) -> str:
    """Return the title and headings above a passage, as the encoder and BM25 see them.

    A fact has none: it names its subject itself, and its title is that of the page it was found on.
    """
    if document.kind == "fact":
        return ""
    parts = [document.title, *passage.headings]
    context = ". ".join(dict.fromkeys(p.strip().rstrip(".") for p in parts if p.strip()))
    # Beside the passage there is room for a line of it: the encoder reads a limited number of word pieces.
    while weight(context) > _MAX_CONTEXT:
        context = context[: len(context) * _MAX_CONTEXT // weight(context)].rpartition(" ")[0]
    return context


def _live(place: Place, folder: Path, prints: str) -> tuple[Path, Generation] | None:
    """Return the generation to start from, or None when there is none or it is of another encoder or damaged."""
    try:
        path, generation = place.live_generation(folder)
        if path.name != generations.live_name(folder):
            generations.fall_back(folder)
        if generation.encoder != prints:
            return None
        _check(path, generation)
    except IndexUnreachable:
        raise
    except IndexError_:
        return None
    return path, generation


def _hashes(path: Path) -> dict[str, str]:
    catalogue = Catalogue(path / "catalogue.sqlite")
    try:
        return catalogue.hashes()
    finally:
        catalogue.close()


def _apply(
    building: Path, encoder: Encoder, changed: Sequence[Document], removed: Iterable[str], report: Progress
) -> int:
    """Write the changes into the generation being built; return how many passages were encoded."""
    catalogue = Catalogue(building / "catalogue.sqlite", writable=True)
    store = Store(building / "chroma", encoder.fingerprint, writable=True)
    try:
        encoded = 0
        number = catalogue.next_number()
        split = [(d, split_document(d)) for d in changed]
        total = sum(len(passages) for _, passages in split)
        for document_id in removed:
            _remove(catalogue, store, document_id)
        pending: list[tuple[Row, PassageText, Document]] = []
        done = 0

        def encode() -> None:
            nonlocal done
            texts = [text for _, text, _ in pending]

            def tick(count: int) -> None:
                nonlocal done
                done += count
                report("Encoding passages", done, total)

            vectors = encoder.encode_passages(texts, tick)
            passages, sentences = [], []
            for (row, text, document), result in zip(pending, vectors, strict=True):
                p = row.passage
                passages.append(Unit(str(row.number), text.text, result.passage, document.id, p.start, p.end))
                for k, (a, b) in enumerate(p.sentences):
                    vector = result.sentences[k]
                    sentences.append(Unit(sentence_id(row.number, k), document.text[a:b], vector, document.id, a, b))
            store.add("passages", passages)
            store.add("sentences", sentences)
            pending.clear()

        report("Encoding passages", 0, total)
        for document, passages in split:
            reusable = _remove(catalogue, store, document.id)
            rows: list[Row] = []
            reused: list[tuple[Row, PassageText]] = []
            for passage in passages:
                text = document.text[passage.start : passage.end]
                sentences = tuple((a - passage.start, b - passage.start) for a, b in passage.sentences)
                wanted = PassageText(passage_context(document, passage), text, sentences)
                row = Row(number, passage)
                rows.append(row)
                number += 1
                if wanted in reusable:
                    reused.append((row, wanted))
                else:
                    pending.append((row, wanted, document))
                    encoded += 1
            for row, wanted in reused:
                units = reusable[wanted]
                p = row.passage
                store.add("passages", [Unit(str(row.number), wanted.text, units[0], document.id, p.start, p.end)])
                spans = enumerate(p.sentences)
                store.add(
                    "sentences",
                    [
                        Unit(sentence_id(row.number, k), document.text[a:b], units[1 + k], document.id, a, b)
                        for k, (a, b) in spans
                    ],
                )
                done += 1
            catalogue.put(document, rows)
            if len(pending) >= _CHUNK:
                encode()
        if pending:
            encode()
        catalogue.commit()
        return encoded
    finally:
        store.close()
        catalogue.close()


def _remove(catalogue: Catalogue, store: Store, document_id: str) -> dict[PassageText, list]:  # type: ignore[type-arg]
    """Take a document out; return the vectors of its passages (and their sentences) by what was encoded."""
    document = catalogue.document(document_id)
    if document is None:
        return {}
    rows = catalogue.rows_of(document_id)
    sentence_ids = [sentence_id(r.number, k) for r in rows for k in range(len(r.passage.sentences))]
    passage_ids = [str(r.number) for r in rows]
    vectors = store.vectors("passages", passage_ids) | store.vectors("sentences", sentence_ids)
    kept = {}
    for r in rows:
        p = r.passage
        spans = tuple((a - p.start, b - p.start) for a, b in p.sentences)
        key = PassageText(passage_context(document, p), document.text[p.start : p.end], spans)
        ids = [str(r.number), *(sentence_id(r.number, k) for k in range(len(p.sentences)))]
        if all(i in vectors for i in ids):
            kept[key] = [vectors[i] for i in ids]
    store.remove("passages", passage_ids)
    store.remove("sentences", sentence_ids)
    catalogue.remove(document_id)
    catalogue.document.cache_clear()
    return kept


def _build_words(building: Path) -> tuple[int, int]:
    """Build BM25 and the vocabulary from the catalogue; return the numbers of passages and sentences."""
    catalogue = Catalogue(building / "catalogue.sqlite")
    passage_ids, passage_texts, sentence_ids, sentence_texts = [], [], [], []
    try:
        for row in catalogue.all_rows():
            p = row.passage
            document = catalogue.document(p.document)
            assert document is not None
            context = passage_context(document, p)
            passage_ids.append(str(row.number))
            passage_texts.append(f"{context}\n{document.text[p.start : p.end]}")
            for k, (a, b) in enumerate(p.sentences):
                sentence_ids.append(sentence_id(row.number, k))
                sentence_texts.append(document.text[a:b])
    finally:
        catalogue.close()
    for level, ids, texts in (("passages", passage_ids, passage_texts), ("sentences", sentence_ids, sentence_texts)):
        target = building / "words" / level
        shutil.rmtree(target, ignore_errors=True)
        build_lexical(target, ids, texts)
    build_vocabulary(building / "words" / "vocabulary.json", passage_texts)
    return len(passage_ids), len(sentence_ids)


def _check(building: Path, generation: Generation) -> None:
    """Open the finished generation as a reader would and compare its counts. Raises IndexError_ on any difference."""
    store = Store(building / "chroma", generation.encoder)
    try:
        counts = (store.count("passages"), store.count("sentences"))
    finally:
        store.close()
    if counts != (generation.passages, generation.sentences):
        raise IndexError_(
            f"the new index holds {counts} passages and sentences instead of "
            f"{(generation.passages, generation.sentences)}: run `gapbot index --rebuild`"
        )
