"""Files as rows of a Chroma collection: packed, cut into pieces, and checked by size and hash when they come back."""

import base64
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from corpus.errors import IndexError_
from index.chroma import Collection, translated

POINT: Any = [1.0]
"""The vector of a row that is never searched: Chroma wants one."""
# Chroma Cloud takes values of 4,096 bytes, at most 32 in a row. They are metadata because Chroma indexes the words of a
# document, which takes fifteen times as long as storing it.
_VALUE, _VALUES = 3072, 16
_ROWS = 20
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """A file that was put: its size in bytes, SHA-256, time of change (ns), and the number of its rows."""

    size: int
    sha256: str
    mtime: int
    rows: int


def put(collection: Collection, name: str, path: Path) -> File:
    """Put a file into a collection under a name."""
    digest, rows = hashlib.sha256(), 0
    waiting: list[dict[str, str]] = []

    def send() -> None:
        nonlocal rows
        ids = [f"{name}/{rows + i}" for i in range(len(waiting))]
        with translated():
            collection.upsert(ids=ids, embeddings=[POINT] * len(ids), metadatas=list(waiting))
        rows += len(waiting)
        waiting.clear()

    with path.open("rb") as opened:
        for piece in _cut(_packed(opened, digest), _VALUE * _VALUES):
            values = (piece[i : i + _VALUE] for i in range(0, len(piece), _VALUE))
            waiting.append({f"v{n}": base64.b64encode(v).decode("ascii") for n, v in enumerate(values)})
            if len(waiting) == _ROWS:
                send()
        if waiting:
            send()
        status = os.fstat(opened.fileno())
    return File(status.st_size, digest.hexdigest(), status.st_mtime_ns, rows)


def fetch(collection: Collection, name: str, file: File, folder: Path) -> None:
    """Write a file that was put into a folder. Raises IndexError_ unless it is what was put."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise IndexError_(f"it holds {name!r}, which gapbot does not write")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size, unpack = hashlib.sha256(), 0, zlib.decompressobj()
    try:
        with path.open("wb") as opened:
            for piece in _pieces(collection, name, file.rows):
                # Never more than was told, whatever it unpacks to.
                data = unpack.decompress(piece, file.size - size + 1)
                size += len(data)
                digest.update(data)
                opened.write(data)
                if size > file.size:
                    break
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise IndexError_(f"{name} is damaged") from error
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise IndexError_(f"{name} is not what was put there")
    os.utime(path, ns=(file.mtime, file.mtime))


def _pieces(collection: Collection, name: str, rows: int) -> Iterator[bytes]:
    for start in range(0, rows, _ROWS):
        ids = [f"{name}/{n}" for n in range(start, min(start + _ROWS, rows))]
        with translated():
            found = collection.get(ids=ids, include=["metadatas"])
        by_id: dict[str, Any] = dict(zip(found["ids"], found["metadatas"] or [], strict=True))
        for i in ids:
            values = by_id[i]
            yield b"".join(base64.b64decode(values[f"v{n}"], validate=True) for n in range(len(values)))


def _packed(opened: IO[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    pack = zlib.compressobj(6)
    while data := opened.read(_READ):
        digest.update(data)
        yield pack.compress(data)
    yield pack.flush()


def _cut(stream: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Cut a stream of bytes into pieces of one size, and a last one.

    >>> list(_cut(iter([b"abc", b"defg"]), 2))
    [b'ab', b'cd', b'ef', b'g']
    """
    held = bytearray()
    for data in stream:
        held += data
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
