"""Vectors in Chroma: two collections, passages and sentences, in one generation folder."""

import os
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

# Chroma must not phone home, whatever its settings say.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
from chromadb.api.types import Metadata
from chromadb.config import Settings

from corpus.errors import GapbotError, IndexError_, IndexMismatch, IndexReadOnly
from index.encoder import Vectors

BATCH = 2000
_LEVELS = ("passages", "sentences")
_HNSW: Any = {"space": "cosine", "ef_construction": 128, "ef_search": 128, "max_neighbors": 24, "sync_threshold": 500}


@dataclass(frozen=True, slots=True)
class Unit:
    """A passage or sentence to be stored: its id, text, vector (dimension,) and place in its document."""

    id: str
    text: str
    vector: Vectors
    document: str
    start: int
    end: int


class Store:
    """The vectors of one generation."""

    def __init__(self, folder: Path, fingerprint: str, *, writable: bool = False) -> None:
        """Open the collections in `folder`; only a writable store creates them.

        Raises IndexMismatch when the vectors there were made by another encoder, IndexError_ when Chroma
        cannot open the folder.
        """
        with _translated():
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True)
            )
            # Chroma keeps every client that nobody has closed.
            client: Any = self._client
            self._release = weakref.finalize(self, client.close)
            self._release.atexit = False
            # embedding_function=None: Chroma's default one downloads a model when it is first used.
            if writable:
                metadata, setting = {"encoder": fingerprint}, {"hnsw": _HNSW}
                for name in _LEVELS:
                    self._client.get_or_create_collection(
                        name, embedding_function=None, metadata=metadata, configuration=cast("Any", setting)
                    )
            self._collections = {n: self._client.get_collection(n, embedding_function=None) for n in _LEVELS}
        for collection in self._collections.values():
            if (collection.metadata or {}).get("encoder") != fingerprint:
                raise IndexMismatch("the index was built with another encoder: run `gapbot index --rebuild`")

    def add(self, level: str, units: Sequence[Unit]) -> None:
        """Add or replace units of one level, "passages" or "sentences"."""
        for start in range(0, len(units), BATCH):
            batch = units[start : start + BATCH]
            metadatas: list[Metadata] = [{"document": u.document, "start": u.start, "end": u.end} for u in batch]
            with _translated():
                self._collections[level].upsert(
                    ids=[u.id for u in batch],
                    embeddings=np.stack([u.vector for u in batch]),
                    documents=[u.text for u in batch],
                    metadatas=metadatas,
                )

    def remove(self, level: str, ids: Sequence[str]) -> None:
        """Remove units of one level by their ids."""
        for start in range(0, len(ids), BATCH):
            with _translated():
                self._collections[level].delete(ids=list(ids[start : start + BATCH]))

    def query(self, level: str, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k nearest units of a level as (id, cosine), best first."""
        with _translated():
            found = self._collections[level].query(
                query_embeddings=np.asarray([vector]), n_results=k, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return [(i, 1.0 - d) for i, d in zip(found["ids"][0], distances[0], strict=True)]

    def vectors(self, level: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of units by id; unknown ids are left out."""
        result: dict[str, Vectors] = {}
        for start in range(0, len(ids), BATCH):
            with _translated():
                found = self._collections[level].get(ids=list(ids[start : start + BATCH]), include=["embeddings"])
            if found["embeddings"] is not None:
                pairs = zip(found["ids"], found["embeddings"], strict=True)
                result |= {i: np.asarray(e, dtype=np.float32) for i, e in pairs}
        return result

    def count(self, level: str) -> int:
        """Return the number of units of a level."""
        with _translated():
            return self._collections[level].count()

    def close(self) -> None:
        """Release the files of the generation."""
        self._release()


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
