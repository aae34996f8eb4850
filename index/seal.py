"""The seal of a generation: what its files held when it was published, so that damage is known before it answers.

Chroma writes to its database even when it only reads: of that the rows are sealed instead of the bytes, vectors
included. A graph that it has saved stays as it is; one that it has not (fewer vectors than it saves at a time) it makes
anew from those rows at every opening, so that nothing depends on its files.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

NAME = "seal.json"
DATABASE = "chroma/chroma.sqlite3"
"""Chroma's database, which it writes to even when it only reads."""
_GRAPHS = "chroma/"
_UNSEALED = frozenset({NAME, "generation.json", "chroma.json"})
_ROWS = (
    "SELECT id, vector FROM embeddings_queue ORDER BY seq_id",
    "SELECT segment_id, embedding_id FROM embeddings ORDER BY id",
    "SELECT id, key, string_value, int_value FROM embedding_metadata ORDER BY id, key",
)
_SAVED = "index_metadata.pickle"
"""The file that Chroma writes into a graph's folder when it saves the graph."""
_MOST_QUICK = 32_000_000
"""Up to this size in bytes a file is read at every opening; beyond, a size and time of change as sealed are enough, or
of the database its size, until `gapbot doctor` reads it."""


def seal(folder: Path) -> None:
    """Write the seal of a finished generation, whose files nobody has open."""
    files: dict[str, Any] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name in _UNSEALED:
            continue
        status = path.stat()
        unsaved = name.startswith(_GRAPHS) and not (path.parent / _SAVED).exists()
        digest = rows_digest(path) if name == DATABASE else "" if unsaved else _sha256(path)
        files[name] = {"size": status.st_size, "mtime": status.st_mtime_ns, "sha256": digest}
    (folder / NAME).write_text(json.dumps(files, indent=1), encoding="utf-8")


def broken(folder: Path, *, thorough: bool = False) -> str | None:
    """Say in plain words what is damaged in a generation, or return None.

    A large file that has its size and time of change is taken for whole, unless `thorough`. A generation without a seal
    is of an earlier version: nothing is known against it.
    """
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return "its seal cannot be read"
    try:
        files: dict[str, dict[str, Any]] = json.loads(text)
        return next(filter(None, (_broken(folder, n, f, thorough) for n, f in files.items())), None)
    except (ValueError, TypeError, KeyError, AttributeError):
        return "its seal is damaged"


def _broken(folder: Path, name: str, sealed: dict[str, Any], thorough: bool) -> str | None:
    path = folder / name
    try:
        status = path.stat()
    except OSError:
        return f"{name} is missing"
    if name == DATABASE:
        if status.st_size < sealed["size"]:
            return f"{name} is cut off"
        if not thorough and status.st_size > _MOST_QUICK:
            return None
        return None if rows_digest(path) == sealed["sha256"] else f"{name} does not hold what was indexed"
    if not sealed["sha256"]:
        return f"{name} is cut off" if status.st_size < sealed["size"] else None
    if status.st_size != sealed["size"]:
        return f"{name} has another size than when it was published"
    if not thorough and status.st_size > _MOST_QUICK and status.st_mtime_ns == sealed["mtime"]:
        return None
    return None if _sha256(path) == sealed["sha256"] else f"{name} has changed since it was published"


def rows_digest(database: Path) -> str:
    """Return a SHA-256 over the rows that Chroma keeps of vectors, ids and places; "damaged" where they cannot be read."""
    digest = hashlib.sha256()
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as opened:
            for query in _ROWS:
                for row in opened.execute(query):
                    digest.update(repr(row).encode("utf-8", "surrogatepass"))
    except sqlite3.Error:
        return "damaged"
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
