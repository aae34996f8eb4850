"""Vectors in Chroma: two collections, passages and sentences, in one generation folder."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# Chroma must not phone home, whatever its settings say.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
from chromadb.api.types import Metadata
from chromadb.config import Settings
from chromadb.errors import ChromaError

from corpus.errors import IndexError_, IndexMismatch
from index.encoder import Vectors

BATCH = 2000
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

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """Open or create the collections in `folder`.

        Raises IndexMismatch when the vectors there were made by another encoder, IndexError_ when Chroma
        cannot open the folder.
        """
        metadata = {"encoder": fingerprint}
        try:
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True)
            )
            # embedding_function=None: Chroma's default one downloads a model when it is first used.
            self._collections = {
                name: self._client.get_or_create_collection(
                    name,
                    embedding_function=None,
                    metadata=metadata,
                    configuration={"hnsw": _HNSW},
                )
                for name in ("passages", "sentences")
            }
        except (ChromaError, OSError, ValueError) as error:
            raise IndexError_(f"the index in {folder} cannot be opened: run `gapbot index --rebuild`") from error
        for collection in self._collections.values():
            stored = (collection.metadata or {}).get("encoder")
            if stored != fingerprint:
                raise IndexMismatch("the index was built with another encoder: run `gapbot index --rebuild`")

    def add(self, level: str, units: Sequence[Unit]) -> None:
        """Add or replace units of one level, "passages" or "sentences"."""
        for start in range(0, len(units), BATCH):
            batch = units[start : start + BATCH]
            metadatas: list[Metadata] = [{"document": u.document, "start": u.start, "end": u.end} for u in batch]
            self._collections[level].upsert(
                ids=[u.id for u in batch],
                embeddings=np.stack([u.vector for u in batch]),
                documents=[u.text for u in batch],
                metadatas=metadatas,
            )

    def remove(self, level: str, ids: Sequence[str]) -> None:
        """Remove units of one level by their ids."""
        for start in range(0, len(ids), BATCH):
            self._collections[level].delete(ids=list(ids[start : start + BATCH]))

    def query(self, level: str, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k nearest units of a level as (id, cosine), best first."""
        found = self._collections[level].query(
            query_embeddings=np.asarray([vector]), n_results=k, include=["distances"]
        )
        distances = found["distances"] or [[]]
        return [(i, 1.0 - d) for i, d in zip(found["ids"][0], distances[0], strict=True)]

    def vectors(self, level: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of units by id; unknown ids are left out."""
        if not ids:
            return {}
        found = self._collections[level].get(ids=list(ids), include=["embeddings"])
        embeddings = found["embeddings"]
        if embeddings is None:
            return {}
        return {i: np.asarray(e, dtype=np.float32) for i, e in zip(found["ids"], embeddings, strict=True)}

    def count(self, level: str) -> int:
        """Return the number of units of a level."""
        return self._collections[level].count()

    def close(self) -> None:
        """Release the files of the generation."""
        close: Any = getattr(self._client, "close", None)
        if close:
            close()
