"""Documents that were added to a corpus: copies in a folder of their own, and where each came from."""

import hashlib
import itertools
import json
import os
import re
import secrets
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from corpus.errors import CorpusError, RefusedDocument
from corpus.loaders import Refusal, cleaned, corpus_files, known_suffix
from corpus.profile import PROFILE
from corpus.sandbox import Sandbox
from corpus.sources import Reads, is_address, named_sources, usable
from corpus.spool import ADDED

_MANIFEST, _VERSION = "added.json", "added.version"
_UPLOADED = "upload:"
_PATIENCE = 60.0
"""Seconds that one who adds or removes waits for another."""


@dataclass(frozen=True, slots=True)
class Added:
    """One added file: its name in the folder, its origin (path, address or "upload:NAME"), a SHA-256, when (ISO 8601, UTC).

    The origin is empty where nobody wrote it down: something else put the file there.
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

        Who put a file there by other means left no line of it in the list, and a run that was broken off perhaps a line
        without its file. A file whose name cannot be written down, or could drive a terminal, is none that was added.
        """
        listed = {a.name: a for a in self._listed()}
        files = corpus_files(self.folder) if self.folder.is_dir() else ()
        names = [file.relative_to(self.folder).as_posix() for file in files]
        found = (listed.get(name) or self._unlisted(name) for name in names if cleaned(name) == name)
        return sorted(filter(None, found), key=lambda a: a.name)

    def _listed(self) -> list[Added]:
        file = self._list
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
        """Give the entries by name, to be changed by nobody else meanwhile, and make the folder what they are in the end.

        New files wait under a hidden name until then.
        """
        with self._locked(_PATIENCE):
            with self._written():
                for unfinished in self.folder.glob(".*.new"):
                    if not unfinished.is_dir():  # a folder is none of ours
                        unfinished.unlink()
                before = {a.name: a for a in self.entries()}
            entries = dict(before)
            yield entries
            with self._written():
                self._commit(before, entries)

    def _commit(self, before: dict[str, Added], entries: dict[str, Added]) -> None:
        """Make the folder and the list of it what the entries say, the list first: so no file is there without its line."""
        new = [(self._staged(name), self.folder / name) for name in entries if self._staged(name).is_file()]
        gone = before.keys() - entries.keys()
        if new or gone:
            # Before any file changes: a run that is broken off from here on is one that no index has followed.
            _write(self._version, secrets.token_hex(8).encode())
        elif entries == before:
            return
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)
        _write(self._list, json.dumps([asdict(a) for a in entries.values()], indent=1).encode())
        for staged, file in new:
            staged.replace(file)

    def version(self) -> str:
        """Return what is another after every change of a file, and empty before the first. Raises CorpusError."""
        with self._written("read"):
            return self._version.read_text(encoding="ascii", errors="replace") if self._version.is_file() else ""

    def settled_version(self) -> str | None:
        """Return the version, or None while someone is changing files: who reads them now may see some of both."""
        if not self.folder.is_dir():
            return self.version()
        try:
            with self._locked(0):
                return self.version()
        except CorpusError:
            return None

    @contextmanager
    def _locked(self, wait: float) -> Iterator[None]:
        """Keep others from changing anything; waits for another some seconds. Raises CorpusError."""
        lock = FileLock(self.folder.parent / f".{self.folder.name}.lock")
        with self._written():
            try:
                self.folder.parent.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=wait)
            except Timeout:
                told = "another gapbot is adding documents: wait until it is done, then try again"
                raise CorpusError(told) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _written(self, what: str = "written") -> Iterator[None]:
        """Say in one line that the folder cannot be written, or read."""
        try:
            yield
        except OSError as error:
            raise CorpusError(f"{self.folder} cannot be {what}: {error.strerror or error}") from error

    @property
    def _list(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.{_MANIFEST}"

    @property
    def _version(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.{_VERSION}"

    def _staged(self, name: str) -> Path:
        """Return where a new file waits for its place."""
        return _beside(self.folder / name)

    def remove(self, names: Iterable[str], unknown: list[str] | None = None) -> list[Added]:
        """Take added files out again, by name, name without suffix, id, or origin; returns them.

        A name that no file has goes to `unknown`; without that list it raises CorpusError, and none is removed.
        """
        gone: list[Added] = []
        with self._changing() as entries:
            for wanted in names:
                exact = [entries[wanted]] if wanted in entries else []
                found = exact or [a for a in entries.values() if wanted in (*possible_ids(a.name), a.origin)]
                if not found:
                    if unknown is None:
                        raise CorpusError(f"no added document is called {wanted!r}: `gapbot documents` lists them")
                    unknown.append(wanted)
                gone += [a for a in found if a not in gone]
            for a in gone:
                del entries[a.name]
        return gone

    def _put(self, origin: str, suffix: str, data: bytes, entries: dict[str, Added], result: Adding) -> None:
        digest = hashlib.sha256(data).hexdigest()
        # The list may be newer than the file: a run was broken off before it had replaced it.
        same = next((a for a in entries.values() if a.sha256 == digest == self._digest(a)), None)
        if same:
            entries[same.name] = same if same.origin else replace(same, origin=origin)
            result.known.append(entries[same.name])
            return
        before = next((a for a in entries.values() if a.origin == origin), None)
        kept = ".md" if is_address(origin) and suffix in (".html", ".htm") else suffix
        if before and Path(before.name).suffix == kept:
            name = before.name
        else:
            name = self._free_name(origin, kept, [a.name for a in entries.values() if a is not before])
        entry = Added(name, origin, digest, _moment(time.time()))
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(self._staged(name), data)
        except OSError:
            self._staged(name).unlink(missing_ok=True)
            raise
        if before and before.name != name:
            del entries[before.name]
        entries[name] = entry
        (result.replaced if before else result.added).append(entry)

    def _digest(self, entry: Added) -> str | None:
        staged = self._staged(entry.name)
        try:
            return _sha256(staged if staged.is_file() else self.folder / entry.name)
        except OSError:
            return None

    def _free_name(self, origin: str, suffix: str, others: Iterable[str]) -> str:
        """Make a name that every file system takes: no separators, no control characters, not too long, not taken.

        Nor does it differ from another by its suffix alone: ids are names without it, and stay what they are.
        """
        path = origin.partition("?")[0].rstrip("/").removeprefix(_UPLOADED)
        stem = Path(path).stem if not is_address(origin) else origin.partition("://")[2]
        stem = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip("-.")[:80]
        stem = stem.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or "document"
        # Windows keeps these for devices, whatever follows the first dot.
        stem = f"document-{stem}" if re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem, re.I) else stem
        taken = {Path(name).stem.casefold() for name in others}
        for number in itertools.count(1):
            name = f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
            # A corpus's profile is no document, and what is no document may have any name.
            free = Path(name).stem.casefold() not in taken and name.casefold() != PROFILE
            if free and not os.path.lexists(self.folder / name):
                break
        return name


def possible_ids(name: str) -> tuple[str, ...]:
    """Return the ids that the document in an added file may have in an index; the first that is there is its own."""
    return f"{ADDED}{name}", name, Path(name).stem


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")


def _write(file: Path, data: bytes) -> None:
    """Put a file in its place whole, or not at all."""
    _write_through(_beside(file), data)
    _beside(file).replace(file)


def _write_through(file: Path, data: bytes) -> None:
    """Write a file to the disk itself."""
    with file.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
