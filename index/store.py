"""Vectors in Chroma: collections of passages and of sentences, in a generation's folder or on a Chroma server."""

import itertools
import weakref
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from corpus.errors import IndexError_, IndexMismatch
from index.chroma import Collection, NotFoundError, connect, elsewhere, give_back_memory, in_folder, translated
from index.encoder import Vectors

LEVELS = ("passages", "sentences")
BATCH = 2000
SERVER_BATCH = 300
"""The most rows that Chroma Cloud takes, or gives, at a time."""
SHARD = 100_000
"""Units that one collection holds, give or take a chunk: of 384 dimensions these take some 260 MB of memory."""
_HNSW: Any = {"space": "cosine", "ef_construction": 128, "ef_search": 192, "max_neighbors": 24, "sync_threshold": 500}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Unit:
    """A passage or sentence to be stored: its id, text, vector (dimension,) and place in its document.

    Ids begin with the number of the passage, "12" or "12.3", which grows from one call of `Store.add` to the next.
    """

    id: str
    text: str
    vector: Vectors
    document: str
    start: int
    end: int


class Store:
    """The vectors of one generation.

    A level lies in as many collections as it takes: "passages", "passages-2", … Each begins with a passage number, so
    that an id tells where its unit is. Chroma holds a collection that it reads, writes or counts in memory: whoever
    writes, or is `sparing`, has two open at a time, whatever the size of the index.
    """

    def __init__(self, folder: Path, fingerprint: str, *, writable: bool = False, sparing: bool = False) -> None:
        """Open the collections in `folder`; only a writable store creates them.

        They are on a Chroma server where `point_elsewhere` has said so. Raises IndexMismatch when the vectors there
        were made by another encoder, IndexError_ when Chroma cannot open them, IndexUnreachable when the server does
        not answer.
        """
        self._server: str | None
        self._server, self._prefix = elsewhere(folder) or (None, "")
        self._batch = SERVER_BATCH if self._server else BATCH
        self._folder, self._fingerprint, self._writable = folder, fingerprint, writable
        self._sparing = (writable or sparing) and not self._server
        self._release: Callable[[], object] = lambda: None
        self._open()

    def _open(self) -> None:
        """Open a client, and give up the one before with all that it holds in memory."""
        self._give_up()
        self._in_use: set[tuple[str, int]] = set()
        with translated():
            self._client = connect(self._server) if self._server else in_folder(self._folder)
            # Chroma keeps every client that nobody has closed.
            client: Any = self._client
            release = weakref.finalize(self, client.close)
            release.atexit = False
            self._release = release
            self._shards = {level: list(self._found(level)) for level in LEVELS}
            for level, shards in self._shards.items():
                if not shards and self._writable:
                    shards.append(self._created(level, 1, 0))
                elif not shards:
                    raise IndexError_("the index has no vectors: run `gapbot index --rebuild`")

    def _found(self, level: str) -> Iterator[tuple[int, Collection]]:
        """Yield the collections of a level, each with the first passage number that may lie in it."""
        for number in itertools.count(1):
            try:
                # embedding_function=None: Chroma's default one downloads a model when it is first used.
                collection = self._client.get_collection(self._name(level, number), embedding_function=None)
            except NotFoundError:
                return
            metadata = collection.metadata or {}
            if metadata.get("encoder") != self._fingerprint:
                raise IndexMismatch("the index was built with another encoder: run `gapbot index --rebuild`")
            yield int(cast("Any", metadata["first"])), collection

    def _created(self, level: str, number: int, first: int) -> tuple[int, Collection]:
        metadata: Any = {"encoder": self._fingerprint, "first": first}
        return first, self._client.create_collection(
            self._name(level, number), embedding_function=None, metadata=metadata, configuration={"hnsw": _HNSW}
        )

    def add(self, level: str, units: Sequence[Unit]) -> None:
        """Add or replace units of one level, "passages" or "sentences"."""
        with translated():
            shards = self._shards[level]
            if units and shards[-1][1].count() >= SHARD and (first := _passage(units[0].id)) > shards[-1][0]:
                shards.append(self._created(level, len(shards) + 1, first))
            for collection, batch in self._batches(level, units, lambda unit: unit.id):
                metadatas: Any = [{"document": u.document, "start": u.start, "end": u.end} for u in batch]
                collection.upsert(
                    ids=[u.id for u in batch],
                    embeddings=np.stack([u.vector for u in batch]),
                    documents=[u.text for u in batch],
                    metadatas=metadatas,
                )

    def remove(self, level: str, ids: Sequence[str]) -> None:
        """Remove units of one level by their ids."""
        with translated():
            for collection, batch in self._batches(level, ids, str):
                collection.delete(ids=batch)

    def query(self, level: str, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k nearest units of a level as (id, cosine), best first."""
        nearest: list[tuple[str, float]] = []
        for _, collection in self._shards[level]:
            with translated():
                found = collection.query(query_embeddings=np.asarray([vector]), n_results=k, include=["distances"])
            distances = found["distances"] or [[]]
            nearest += [(i, 1.0 - d) for i, d in zip(found["ids"][0], distances[0], strict=True)]
        return sorted(nearest, key=lambda found: -found[1])[:k]

    def vectors(self, level: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of units by id; unknown ids are left out."""
        result: dict[str, Vectors] = {}
        with translated():
            for collection, batch in self._batches(level, ids, str):
                found = collection.get(ids=batch, include=["embeddings"])
                if found["embeddings"] is not None:
                    pairs = zip(found["ids"], found["embeddings"], strict=True)
                    result |= {i: np.asarray(e, dtype=np.float32) for i, e in pairs}
        return result

    def take(self, other: "Store", level: str, ids: Iterable[str]) -> None:
        """Copy units of one level from another store, in the order of their passages."""
        wanted = iter(ids)
        while chunk := list(itertools.islice(wanted, BATCH)):
            units = {unit.id: unit for unit in other._units(level, chunk)}
            if len(units) != len(chunk):
                raise IndexError_("the former index is not whole: run `gapbot index --rebuild`")
            self.add(level, [units[i] for i in chunk])

    def _units(self, level: str, ids: Sequence[str]) -> Iterator[Unit]:
        with translated():
            for collection, batch in self._batches(level, ids, str):
                found: Any = collection.get(ids=batch, include=["embeddings", "documents", "metadatas"])
                rows = zip(*(found[k] for k in ("ids", "documents", "embeddings", "metadatas")), strict=True)
                for i, text, vector, m in rows:
                    yield Unit(i, text, np.asarray(vector, np.float32), m["document"], m["start"], m["end"])

    def count(self, level: str) -> int:
        """Return the number of units of a level."""
        with translated():
            return sum(self._collection(level, shard).count() for shard in range(len(self._shards[level])))

    def close(self) -> None:
        """Release the files of the generation."""
        self._give_up()

    def _give_up(self) -> None:
        self._release()
        if self._sparing:
            give_back_memory()

    def _batches(
        self, level: str, items: Sequence[_T], id_of: Callable[[_T], str]
    ) -> Iterator[tuple[Collection, list[_T]]]:
        """Yield units or ids a batch at a time, with the collection in which they lie."""
        firsts = [first for first, _ in self._shards[level]]
        shard_of = [bisect_right(firsts, _passage(id_of(item))) - 1 for item in items]
        for shard, indices in itertools.groupby(
            sorted(range(len(items)), key=shard_of.__getitem__), shard_of.__getitem__
        ):
            batch = [items[i] for i in indices]
            for start in range(0, len(batch), self._batch):
                yield self._collection(level, shard), batch[start : start + self._batch]

    def _collection(self, level: str, shard: int) -> Collection:
        """Return a collection to work with. Who is sparing first gives up those that are in memory, if there are enough."""
        if self._sparing and (level, shard) not in self._in_use:
            if len(self._in_use) >= len(LEVELS):
                self._open()
            self._in_use.add((level, shard))
        return self._shards[level][shard][1]

    def _name(self, level: str, number: int) -> str:
        return f"{self._prefix}{level}" if number == 1 else f"{self._prefix}{level}-{number}"


def _passage(identity: str) -> int:
    """Return the number of the passage of a unit."""
    return int(identity.partition(".")[0])
