"""Bring an index up to date with a corpus: find what changed, write it, check the result, publish it as a generation."""

import errno
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from corpus.errors import IndexError_, IndexUnreachable
from corpus.loaders import Refusal, read_corpus, read_here
from corpus.passages import split_document
from corpus.spool import Spool
from index import generations
from index.catalogue import Catalogue
from index.chroma import elsewhere
from index.encoder import Encoder, encoder_folder, ensure_exported, fingerprint, read_facts
from index.generations import Generation
from index.ingest import Progress, split_here, store_anew, write_changes, write_words
from index.store import Store

if TYPE_CHECKING:
    from index.cluster import Cluster

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# NumPy tells of a short write only how much was written.
_SAYS_FULL = re.compile(r"disk is full|No space left|quota exceeded|File too large|requested and \d+ written", re.I)
_LITTLE = 8_000_000
_READING = "Reading the corpus"


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
    cluster: "Cluster | None" = None,
) -> Summary:
    """Make the index in `folder` hold what the corpus and the folder of `added` documents hold, and publish it.

    `encoders` is the folder in which exported encoders lie. With `rebuild` nothing of the earlier index is used. `place`
    says where generations lie, in `folder` alone or on a server. A `cluster` reads, splits and encodes. An interrupted run leaves the earlier index as it was.
    Raises IndexBusy, CorpusError, EncoderError, or IndexError_ when the finished index fails its check.
    """
    report = progress or (lambda stage, done, total: None)
    read = cluster.read if cluster else read_here
    with place.writer_lock(folder), Spool() as spool:
        place.clean(folder)
        report(_READING, 0, 0)
        refused = read_corpus(spool, corpus, added, lambda files: report(_READING, files, 0), read)
        if not encoder_folder(encoders, model).is_dir():
            report("Preparing the encoder (once)", 0, 0)
        exported = ensure_exported(encoders, model)
        prints = fingerprint(read_facts(exported))
        live = None if rebuild else _live(place, folder, prints)
        changes = _changes(spool, live[0] if live else None)
        summary = (tuple(changes.fresh), tuple(changes.changed), tuple(changes.removed), changes.unchanged)
        if live and not (changes.fresh or changes.changed or changes.removed):
            return Summary(*summary, tuple(refused), 0, live[1])
        with _building(place, folder, live[0] if live else None) as building:
            outdated = changes.outdated + live[1].outdated if live else 0
            if live and outdated > live[1].passages and not elsewhere(building / "chroma"):
                # Chroma gives no room back: without this an index that is often changed would grow for ever.
                report("Storing the vectors anew", 0, 0)
                copy = (building / "chroma").rename(building / "chroma-before")
                store_anew(copy, building, prints)
                shutil.rmtree(copy)
                outdated = changes.outdated
            documents = filter(None, map(spool.document, changes.fresh + changes.changed))
            prepare = cluster.prepare(exported) if cluster else split_here
            # The encoder's memory is free again before the words need theirs.
            encoded = write_changes(
                building, Encoder(exported), documents, changes.removed, changes.passages, report, prepare
            )
            report("Building the word index", 0, 0)
            passages, sentences = write_words(building)
            name = building.name.removeprefix("building-")
            count = len(changes.fresh) + len(changes.changed) + changes.unchanged
            generation = Generation(name, prints, str(corpus), count, passages, sentences, outdated)
            _check(building, generation)
            report("Publishing", 0, 0)
            place.publish(building, generation)
        return Summary(*summary, tuple(refused), encoded, generation)


@dataclass(slots=True)
class _Changes:
    """Documents of a corpus by what an index holds of them, as ids.

    `passages` is how many the new and changed ones have, `outdated` how many the changed and removed ones had.
    """

    fresh: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    passages: int = 0
    outdated: int = 0


def _changes(spool: Spool, live: Path | None) -> _Changes:
    """Compare a corpus with the generation in `live` by content hash; both are gone through in the order of ids."""
    result = _Changes()
    with ExitStack() as opened:
        catalogue = opened.enter_context(closing(Catalogue(live / "catalogue.sqlite"))) if live else None
        old = catalogue.hashes() if catalogue else iter(())
        was = next(old, None)
        for document in spool.documents():
            while was and was[0] < document.id:
                result.removed.append(was[0])
                was = next(old, None)
            known = was is not None and was[0] == document.id
            if known and was and was[1] == document.content_hash():
                result.unchanged += 1
            else:
                (result.changed if known else result.fresh).append(document.id)
                result.passages += len(split_document(document))
            if known:
                was = next(old, None)
        if was:
            result.removed += [was[0], *(identity for identity, _ in old)]
        if catalogue:
            # What lies together is taken out together.
            result.changed.sort(key=catalogue.first_number)
            result.removed.sort(key=catalogue.first_number)
            result.outdated = sum(map(catalogue.count_of, result.changed + result.removed))
    return result


@contextmanager
def _building(place: Place, folder: Path, copy_of: Path | None) -> Iterator[Path]:
    """Make the folder of a new generation, which goes again if what follows fails.

    What cannot be written raises IndexError_, which names the disk where that is full.
    """
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
        if isinstance(error, OSError | sqlite3.Error):
            told = f"{folder} cannot be written ({_reason(error)}): see that its disk is sound, then run `gapbot index` again"
            raise IndexError_(told) from error
        raise


def _reason(error: OSError | sqlite3.Error) -> str:
    """Return why nothing could be written, in one line: copying a folder tells of each of its files."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        return str(error.args[0][0][-1])
    return getattr(error, "strerror", None) or str(error)


def _is_full(folder: Path, error: BaseException) -> bool:
    """Tell whether writing failed for want of room: each library says it otherwise, and Chroma not at all."""
    if not isinstance(error, OSError | sqlite3.Error | IndexError_):
        return False
    said = getattr(error, "errno", None) in _FULL or _SAYS_FULL.search(f"{error} {error.__cause__}")
    return bool(said) or shutil.disk_usage(folder).free < _LITTLE


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


def _check(building: Path, generation: Generation) -> None:
    """Open the finished generation and compare its counts. Raises IndexError_ on any difference.

    Chroma opens a collection whole to count it, as it does for a reader, but never all of them at once.
    """
    store = Store(building / "chroma", generation.encoder, sparing=True)
    try:
        counts = (store.count("passages"), store.count("sentences"))
    finally:
        store.close()
    if counts != (generation.passages, generation.sentences):
        raise IndexError_(
            f"the new index holds {counts} passages and sentences instead of "
            f"{(generation.passages, generation.sentences)}: run `gapbot index --rebuild`"
        )
