"""Vectors in Chroma: two collections, passages and sentences, in a generation's folder or on a Chroma server."""

import json
import os
import urllib.request
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np

# Chroma must not phone home, whatever its settings say.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
from chromadb.api import ClientAPI as Client
from chromadb.api.models.Collection import Collection
from chromadb.api.types import Metadata
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings
from chromadb.errors import NotFoundError

from corpus.errors import GapbotError, IndexError_, IndexMismatch, IndexReadOnly, IndexUnreachable
from index.encoder import Vectors

__all__ = [
    "CLOUD",
    "LEVELS",
    "Client",
    "Collection",
    "NotFoundError",
    "Store",
    "Unit",
    "connect",
    "elsewhere",
    "point_elsewhere",
    "translated",
]

CLOUD = "cloud"
"""The address of Chroma Cloud, whose own variables say who asks: CHROMA_API_KEY, CHROMA_TENANT, CHROMA_DATABASE."""
LEVELS = ("passages", "sentences")
BATCH = 2000
_SERVER_BATCH = 300
"""The most rows that Chroma Cloud takes, or gives, at a time."""
_CLOUD_HOST = "api.trychroma.com"
_CONNECT_SECONDS, _SECONDS = 5, 60
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

        Where a file of that name with `.json` lies beside it, they are on the Chroma server which that file names.
        Raises IndexMismatch when the vectors there were made by another encoder, IndexError_ when Chroma cannot open
        them, IndexUnreachable when the server does not answer.
        """
        server, prefix = elsewhere(folder) or (None, "")
        self._batch = _SERVER_BATCH if server else BATCH
        with translated():
            self._client = connect(server) if server else _local(folder)
            # Chroma keeps every client that nobody has closed.
            client: Any = self._client
            self._release = weakref.finalize(self, client.close)
            self._release.atexit = False
            # embedding_function=None: Chroma's default one downloads a model when it is first used.
            if writable:
                metadata, setting = {"encoder": fingerprint}, {"hnsw": _HNSW}
                for name in LEVELS:
                    self._client.get_or_create_collection(
                        prefix + name, embedding_function=None, metadata=metadata, configuration=cast("Any", setting)
                    )
            self._collections = {n: self._client.get_collection(prefix + n, embedding_function=None) for n in LEVELS}
        for collection in self._collections.values():
            if (collection.metadata or {}).get("encoder") != fingerprint:
                raise IndexMismatch("the index was built with another encoder: run `gapbot index --rebuild`")

    def add(self, level: str, units: Sequence[Unit]) -> None:
        """Add or replace units of one level, "passages" or "sentences"."""
        for start in range(0, len(units), self._batch):
            batch = units[start : start + self._batch]
            metadatas: list[Metadata] = [{"document": u.document, "start": u.start, "end": u.end} for u in batch]
            with translated():
                self._collections[level].upsert(
                    ids=[u.id for u in batch],
                    embeddings=np.stack([u.vector for u in batch]),
                    documents=[u.text for u in batch],
                    metadatas=metadatas,
                )

    def remove(self, level: str, ids: Sequence[str]) -> None:
        """Remove units of one level by their ids."""
        for start in range(0, len(ids), self._batch):
            with translated():
                self._collections[level].delete(ids=list(ids[start : start + self._batch]))

    def query(self, level: str, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Return the k nearest units of a level as (id, cosine), best first."""
        with translated():
            found = self._collections[level].query(
                query_embeddings=np.asarray([vector]), n_results=k, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return [(i, 1.0 - d) for i, d in zip(found["ids"][0], distances[0], strict=True)]

    def vectors(self, level: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors of units by id; unknown ids are left out."""
        result: dict[str, Vectors] = {}
        for start in range(0, len(ids), self._batch):
            with translated():
                found = self._collections[level].get(ids=list(ids[start : start + self._batch]), include=["embeddings"])
            if found["embeddings"] is not None:
                pairs = zip(found["ids"], found["embeddings"], strict=True)
                result |= {i: np.asarray(e, dtype=np.float32) for i, e in pairs}
        return result

    def take(self, other: "Store", level: str, ids: Iterable[str]) -> None:
        """Copy units of one level from another store."""
        units = iter(ids)
        while wanted := list(islice(units, self._batch)):
            with translated():
                found = other._collections[level].get(ids=wanted, include=["embeddings", "documents", "metadatas"])
                if len(found["ids"]) != len(wanted):
                    raise IndexError_("the former index is not whole: run `gapbot index --rebuild`")
                self._collections[level].upsert(
                    found["ids"], found["embeddings"], cast("Any", found["metadatas"]), found["documents"]
                )

    def count(self, level: str) -> int:
        """Return the number of units of a level."""
        with translated():
            return self._collections[level].count()

    def close(self) -> None:
        """Release the files of the generation."""
        self._release()


def _local(folder: Path) -> Client:
    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True))


def elsewhere(folder: Path) -> tuple[str, str] | None:
    """Return the address of the server that holds the collections of a folder, and what their names begin with there."""
    try:
        row = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
        return str(row["server"]), str(row["prefix"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexError_(f"the index file {folder.with_suffix('.json')} cannot be read: delete it") from error


def point_elsewhere(folder: Path, server: str, prefix: str) -> None:
    """Say that the collections of a folder are on a server, and what their names there begin with."""
    folder.with_suffix(".json").write_text(json.dumps({"server": server, "prefix": prefix}), encoding="utf-8")


def connect(address: str) -> Client:
    """Connect to the Chroma server at an address such as http://127.0.0.1:8000, or to Chroma Cloud at `CLOUD`.

    Raises IndexUnreachable if it does not answer.
    """
    settings = Settings(anonymized_telemetry=False)
    url = urlsplit(f"https://{_CLOUD_HOST}" if address == CLOUD else address)
    try:
        with urllib.request.urlopen(f"{url.geturl().rstrip('/')}/api/v2/heartbeat", timeout=_CONNECT_SECONDS):
            pass
    except (OSError, ValueError) as error:
        raise _unreachable(address) from error
    with translated():
        if address == CLOUD:
            client = chromadb.CloudClient(settings=settings)
        else:
            port = url.port or (443 if url.scheme == "https" else 80)
            tenant = os.environ.get("CHROMA_TENANT") or DEFAULT_TENANT
            database = os.environ.get("CHROMA_DATABASE") or DEFAULT_DATABASE
            secure = url.scheme == "https"
            client = chromadb.HttpClient(str(url.hostname), port, secure, None, settings, tenant, database)
    # Chroma's own client would wait for ever for a server that has stopped.
    server: Any = client
    server._server._session.timeout = _SECONDS
    return client


def _unreachable(address: str) -> IndexUnreachable:
    return IndexUnreachable(f"no Chroma server answers at {address}: start it, or set GAPBOT_CHROMA to where it is")


@contextmanager
def translated() -> Iterator[None]:
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
        # Its client raises what its HTTP library does.
        if type(error).__module__.partition(".")[0] in ("httpx", "httpcore"):
            raise IndexUnreachable("the Chroma server with the index does not answer: try again in a moment") from error
        raise IndexError_(f"the index cannot be read or written: run `gapbot index --rebuild` ({error})") from error
