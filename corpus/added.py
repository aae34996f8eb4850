"""Documents that were added to a corpus: copies in a folder of their own, and where each came from."""

import hashlib
import itertools
import json
import os
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from corpus.errors import CorpusError, RefusedDocument
from corpus.loaders import Refusal, corpus_files
from corpus.profile import PROFILE
from corpus.sandbox import Sandbox
from corpus.sources import Reads, is_address, known_suffix, named_sources, usable
from corpus.spool import ADDED

_MANIFEST = "added.json"
_UPLOADED = "upload:"
_PATIENCE = 60.0
"""Seconds that one who adds or removes waits for another."""


@dataclass(frozen=True, slots=True)
class Added:
    """One added file: its name in the folder, its origin (path, address or "upload:NAME"), a SHA-256, when (ISO 8601, UTC).

    The origin is empty where nobody wrote it down, since the run that copied the file was broken off.
    """

    name: str
    origin: str
    sha256: str
    added: str


@dataclass(frozen=True, slots=True)
class Adding:
    """What came of adding: new files, files that took the place of an earlier copy, those that were there, those refused."""

    added: list[Added]
    replaced: list[Added]
    known: list[Added]
    refused: list[Refusal]


class AddedDocuments:
    """The folder of the documents added to one corpus. The copies are kept, so that indexing never needs the origin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def entries(self) -> list[Added]:
        """Return what is in the folder, in the order of names. Raises CorpusError where the list of it is damaged.

        A run that was broken off may have left a file without its line in the list, or a line without its file.
        """
        listed = {a.name: a for a in self._listed()}
        files = corpus_files(self.folder) if self.folder.is_dir() else ()
        names = [file.relative_to(self.folder).as_posix() for file in files]
        found = (listed.get(name) or self._unlisted(name) for name in names)
        return sorted(filter(None, found), key=lambda a: a.name)

    def _listed(self) -> list[Added]:
        file = self.folder.parent / f"{self.folder.name}.{_MANIFEST}"
        try:
            rows = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
            return [Added(**row) for row in rows]
        except (ValueError, TypeError, OSError) as error:
            raise CorpusError(
                f"the list of added documents {file} cannot be read: remove it and add them again"
            ) from error

    def _unlisted(self, name: str) -> Added | None:
        file = self.folder / name
        try:
            return Added(name, "", _sha256(file), _moment(file.stat().st_mtime))
        except OSError:
            return None  # it went away meanwhile

    def add(self, sources: Iterable[str]) -> Adding:
        """Copy files, folders, patterns and web addresses into the folder. One that is refused stops no other."""
        result = Adding([], [], [], [])
        with self._changing() as entries, Sandbox() as sandbox:
            for source, read in named_sources(sources, result.refused):
                self._take(source, read, entries, result, sandbox)
        return result

    def upload(self, name: str, data: bytes) -> Adding:
        """Take a file that was sent under a name. One that was sent under the same name before is replaced."""
        result = Adding([], [], [], [])
        # What a browser sends as a name may be a path, of any system.
        name = re.split(r"[/\\]", name)[-1]
        with self._changing() as entries, Sandbox() as sandbox:
            self._take(name, lambda: (f"{_UPLOADED}{name}", known_suffix(name), data), entries, result, sandbox)
        return result

    def _take(self, source: str, read: Reads, entries: dict[str, Added], result: Adding, sandbox: Sandbox) -> None:
        try:
            origin, suffix, data = read()
            self._put(origin, suffix, usable(suffix, data, sandbox, origin), entries, result)
        except RefusedDocument as error:
            result.refused.append(Refusal(source, str(error)))
        except OSError as error:
            result.refused.append(Refusal(source, f"it cannot be opened: {error.strerror or error}"))

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Added]]:
        """Give the entries by name, to be changed by nobody else meanwhile, and keep them in the end."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder.parent / f".{self.folder.name}.lock")
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise CorpusError("another gapbot is adding documents: wait until it is done, then try again") from None
        except OSError as error:
            raise CorpusError(f"{self.folder} cannot be written: {error.strerror or error}") from error
        try:
            for unfinished in self.folder.glob(".*.new"):
                unfinished.unlink()
            entries = {a.name: a for a in self.entries()}
            yield entries
            self._keep(entries)
        finally:
            lock.release()

    def remove(self, names: Iterable[str]) -> list[Added]:
        """Take added files out again, by name, name without suffix, id, or origin; returns them.

        Raises CorpusError for one that is not there, and then removes none.
        """
        gone: list[Added] = []
        with self._changing() as entries:
            for wanted in names:
                exact = [entries[wanted]] if wanted in entries else []
                found = exact or [a for a in entries.values() if wanted in (*possible_ids(a.name), a.origin)]
                if not found:
                    raise CorpusError(f"no added document is called {wanted!r}: `gapbot documents` lists them")
                gone += [a for a in found if a not in gone]
            for a in gone:
                del entries[a.name]
                # Before the lock goes: an upload at once may take the name that is free now.
                (self.folder / a.name).unlink(missing_ok=True)
        return gone

    def _put(self, origin: str, suffix: str, data: bytes, entries: dict[str, Added], result: Adding) -> None:
        digest = hashlib.sha256(data).hexdigest()
        # The list may be older than the file: a run that was broken off had replaced it.
        same = next((a for a in entries.values() if a.sha256 == digest == self._digest(a)), None)
        if same:
            entries[same.name] = same if same.origin else replace(same, origin=origin)
            result.known.append(entries[same.name])
            return
        before = next((a for a in entries.values() if a.origin == origin), None)
        listed = [a.name for a in entries.values() if a.origin]
        name = before.name if before and Path(before.name).suffix == suffix else _free_name(origin, suffix, listed)
        # A file that a run broken off has left under this name gives way.
        replaces = before is not None or name in entries
        if before and before.name != name:
            del entries[before.name]
            (self.folder / before.name).unlink(missing_ok=True)
        entry = Added(name, origin, digest, _moment(time.time()))
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / name, data)
        entries[name] = entry
        (result.replaced if replaces else result.added).append(entry)

    def _digest(self, entry: Added) -> str | None:
        try:
            return _sha256(self.folder / entry.name)
        except OSError:
            return None

    def _keep(self, entries: dict[str, Added]) -> None:
        if not entries and not self.folder.is_dir():
            return
        text = json.dumps([asdict(a) for a in entries.values()], ensure_ascii=False, indent=1)
        _write(self.folder.parent / f"{self.folder.name}.{_MANIFEST}", text.encode())


def possible_ids(name: str) -> tuple[str, ...]:
    """Return the ids that the document in an added file may have in an index; the first that is there is its own."""
    return f"{ADDED}{name}", name, Path(name).stem


def _free_name(origin: str, suffix: str, others: Iterable[str]) -> str:
    """Make a name that every file system takes: no separators, no control characters, not too long, not taken.

    Nor does it differ from another by its suffix alone: ids are names without it, and stay what they are.
    """
    path = origin.partition("?")[0].rstrip("/").removeprefix(_UPLOADED)
    stem = Path(path).stem if not is_address(origin) else origin.partition("://")[2]
    stem = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip("-.")[:80]
    stem = stem.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or "document"
    # Windows keeps these for devices, whatever follows the first dot.
    stem = f"document-{stem}" if re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem, re.I) else stem
    kept = ".md" if is_address(origin) and suffix in (".html", ".htm") else suffix
    taken = {Path(name).stem.casefold() for name in others}
    for number in itertools.count(1):
        name = f"{stem}{f'-{number}' if number > 1 else ''}{kept}"
        # A corpus's profile is no document.
        if Path(name).stem.casefold() not in taken and name.casefold() != PROFILE:
            break
    return name


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _write(file: Path, data: bytes) -> None:
    """Put a file in its place whole, or not at all."""
    new = file.with_name(f".{file.name}.new")
    with new.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
