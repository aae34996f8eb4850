"""Vectors in Chroma: collections of passages and of sentences, in one generation folder."""

import itertools
import os
import weakref
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

# Chroma must not phone home, whatever its settings say.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
from chromadb.api.models.Collection import Collection
from chromadb.api.types import Metadata
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from corpus.errors import GapbotError, IndexError_, IndexMismatch, IndexReadOnly
from index.encoder import Vectors

BATCH = 2000
SHARD = 100_000
"""Units that one collection holds, give or take a chunk: of 384 dimensions these take some 260 MB of memory."""
_LEVELS = ("passages", "sentences")
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
    that an id tells where its unit is. Chroma holds a collection that it reads or writes in memory: whoever writes has
    one of each level open at a time, whatever the size of the index.
    """

    def __init__(self, folder: Path, fingerprint: str, *, writable: bool = False) -> None:
        """Open the collections in `folder`; only a writable store creates them.

        Raises IndexMismatch when the vectors there were made by another encoder, IndexError_ when Chroma
        cannot open the folder.
        """
        self._folder, self._fingerprint, self._writable = folder, fingerprint, writable
        self._release: Callable[[], object] = lambda: None
        self._open()

    def _open(self) -> None:
        """Open a client, and give up the one before with all that it holds in memory."""
        self._release()
        self._in_use: set[tuple[str, int]] = set()
        with _translated():
            self._client = chromadb.PersistentClient(
                str(self._folder), settings=Settings(anonymized_telemetry=False, is_persistent=True)
            )
            # Chroma keeps every client that nobody has closed.
            client: Any = self._client
            release = weakref.finalize(self, client.close)
            release.atexit = False
            self._release = release
            self._shards = {level: list(self._found(level)) for level in _LEVELS}
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
                collection = self._client.get_collection(_name(level, number), embedding_function=None)
            except NotFoundError:
                return
            metadata = collection.metadata or {}
            if metadata.get("encoder") != self._fingerprint:
                raise IndexMismatch("the index was built with another encoder: run `gapbot index --rebuild`")
            yield int(cast("Any", metadata["first"])), collection

    def _created(self, level: str, number: int, first: int) -> tuple[int, Collection]:
        metadata: Any = {"encoder": self._fingerprint, "first": first}
        return first, self._client.create_collection(
            _name(level, number), embedding_function=None, metadata=metadata, configuration={"hnsw": _HNSW}
        )

    def add(self, level: str, units: Sequence[Unit]) -> None:
        """Add or replace units of one level, "passages" or "sentences"."""
        with _translated():
            shards = self._shards[level]
            if units and shards[-1][1].count() >= SHARD and (first := _passage(units[0].id)) > shards[-1][0]:
                shards.append(self._created(level, len(shards) + 1, first))
            for collection, batch in self._batches(level, units, lambda unit: unit.id):
                metadatas: list[Metadata] = [{"document": u.document, "start": u.start, "end": u.end} for u in batch]
                collection.upsert(
                    ids=[u.id for u in batch],
                    embeddings=np.stack([u.vector for u in batch]),
                    documents=[u.text for u in batch],
                    metadatas=metadatas,
                )

    def remove(self, level: str, ids: Sequence[str]) -> None:
        """Remove units of one level by their ids."""
        with _translated():
            for collection, batch in self._batches(level, ids, str):
                collection.delete(ids=batch)

    def query(self, level: str, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k nearest units of a level as (id, cosine), best first."""
        nearest: list[tuple[str, float]] = []
        for _, collection in self._shards[level]:
            with _translated():
                found = collection.query(query_embeddings=np.asarray([vector]), n_results=k, include=["distances"])
            distances = found["distances"] or [[]]
            nearest += [(i, 1.0 - d) for i, d in zip(found["ids"][0], distances[0], strict=True)]
        return sorted(nearest, key=lambda found: -found[1])[:k]

    def vectors(self, level: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of units by id; unknown ids are left out."""
        result: dict[str, Vectors] = {}
        with _translated():
            for collection, batch in self._batches(level, ids, str):
                found = collection.get(ids=batch, include=["embeddings"])
                if found["embeddings"] is not None:
                    pairs = zip(found["ids"], found["embeddings"], strict=True)
                    result |= {i: np.asarray(e, dtype=np.float32) for i, e in pairs}
        return result

    def count(self, level: str) -> int:
        """Return the number of units of a level."""
        with _translated():
            return sum(collection.count() for _, collection in self._shards[level])

    def close(self) -> None:
        """Release the files of the generation."""
        self._release()

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
            for start in range(0, len(batch), BATCH):
                yield self._collection(level, shard), batch[start : start + BATCH]

    def _collection(self, level: str, shard: int) -> Collection:
        """Return a collection to work with. A writer first gives up those that it has in memory, if there are enough."""
        if self._writable and (level, shard) not in self._in_use:
            if len(self._in_use) >= len(_LEVELS):
                self._open()
            self._in_use.add((level, shard))
        return self._shards[level][shard][1]


def _name(level: str, number: int) -> str:
    return level if number == 1 else f"{level}-{number}"


def _passage(identity: str) -> int:
    """Return the number of the passage of a unit."""
    return int(identity.partition(".")[0])


@contextmanager
def _translated() -> Iterator[None]:
    """Turn whatever Chroma raises into IndexError_: its Rust part raises more kinds than its errors module names."""
    try:
        yield
    except GapbotError:
        raise
    except Exception as error:
        if "readonly" in str(error):
            # Chroma writes to its database even to read it.
            raise IndexReadOnly(
                "the index lies where nothing can be written: make its folder writable or name another with --home DIR"
            ) from error
        raise IndexError_(f"the index cannot be read or written: run `gapbot index --rebuild` ({error})") from error
