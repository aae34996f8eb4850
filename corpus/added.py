"""Documents that were added to a corpus: copies in a folder of their own, and where each came from."""

import hashlib
import json
import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from glob import glob, has_magic
from pathlib import Path

from filelock import FileLock, Timeout

from corpus.errors import CorpusError, RefusedDocument
from corpus.fetching import Fetched, fetch
from corpus.formats import READERS
from corpus.kinds import check_kind
from corpus.loaders import MAX_BYTES, ROW_FORMATS, Refusal, corpus_files
from corpus.profile import PROFILE
from corpus.rows import Fact, Row
from corpus.sandbox import Sandbox

_TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt",
    "text/markdown": ".md", "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip
_MANIFEST = "added.json"
_UPLOADED = "upload:"
_PATIENCE = 60.0
"""Seconds that one who adds or removes waits for another."""


@dataclass(frozen=True, slots=True)
class Added:
    """One added file: its name in the folder, its origin (path, address or "upload:NAME"), a SHA-256, when (ISO 8601, UTC)."""

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
        """Return what was added, in the order of names. Raises CorpusError where the list is damaged."""
        file = self.folder.parent / f"{self.folder.name}.{_MANIFEST}"
        try:
            rows = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
            return sorted((Added(**row) for row in rows), key=lambda a: a.name)
        except (ValueError, TypeError, OSError) as error:
            raise CorpusError(
                f"the list of added documents {file} cannot be read: remove it and add them again"
            ) from error

    def add(self, sources: Iterable[str]) -> Adding:
        """Copy files, folders, patterns and web addresses into the folder. One that is refused stops no other."""
        result = Adding([], [], [], [])
        with self._changing() as entries, Sandbox() as sandbox:
            for source, read in _sources(sources, result.refused):
                self._take(source, read, entries, result, sandbox)
        return result

    def upload(self, name: str, data: bytes) -> Adding:
        """Take a file that was sent under a name. One that was sent under the same name before is replaced."""
        result = Adding([], [], [], [])
        # What a browser sends as a name may be a path, of any system.
        name = re.split(r"[/\\]", name)[-1]
        with self._changing() as entries, Sandbox() as sandbox:
            self._take(name, lambda: (f"{_UPLOADED}{name}", _known_suffix(name), data), entries, result, sandbox)
        return result

    def _take(self, source: str, read: "_Reads", entries: dict[str, Added], result: Adding, sandbox: Sandbox) -> None:
        try:
            origin, suffix, data = read()
            self._put(origin, suffix, _usable(suffix, data, sandbox, origin), entries, result)
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
            entries = {a.name: a for a in self.entries()}
            yield entries
            self._keep(entries)
        finally:
            lock.release()

    def remove(self, names: Iterable[str]) -> list[Added]:
        """Take added files out again, by name, name without suffix, or origin; returns them.

        Raises CorpusError for one that is not there, and then removes none.
        """
        gone: list[Added] = []
        with self._changing() as entries:
            for wanted in names:
                exact = [entries[wanted]] if wanted in entries else []
                found = exact or [a for a in entries.values() if wanted in (Path(a.name).stem, a.origin)]
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
        same = next((a for a in entries.values() if a.sha256 == digest), None)
        if same:
            result.known.append(same)
            return
        before = next((a for a in entries.values() if a.origin == origin), None)
        name = before.name if before and Path(before.name).suffix == suffix else _free_name(origin, suffix, entries)
        if before and before.name != name:
            del entries[before.name]
            (self.folder / before.name).unlink(missing_ok=True)
        entry = Added(name, origin, digest, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / name, data)
        entries[name] = entry
        (result.replaced if before else result.added).append(entry)

    def _keep(self, entries: dict[str, Added]) -> None:
        if not entries and not self.folder.is_dir():
            return
        text = json.dumps([asdict(a) for a in entries.values()], ensure_ascii=False, indent=1)
        _write(self.folder.parent / f"{self.folder.name}.{_MANIFEST}", text.encode())


def is_address(source: str) -> bool:
    """Tell a web address from a path."""
    return re.match(r"[a-z][a-z0-9+.-]*://", source, re.IGNORECASE) is not None


def _sources(sources: Iterable[str], refused: list[Refusal]) -> Iterator[tuple[str, "_Read"]]:
    """Yield each file or address that is meant, with a function that reads it."""
    for source in sources:
        if is_address(source):
            yield source, _Read(source)
            continue
        paths = sorted(glob(source, recursive=True)) if has_magic(source) and not Path(source).exists() else [source]
        if not paths:
            refused.append(Refusal(source, "no file fits this pattern"))
        for path in map(Path, paths):
            files = corpus_files(path) if path.is_dir() else [path]
            yield from ((str(f), _Read(str(f))) for f in files)


@dataclass(frozen=True, slots=True)
class _Read:
    """Reads one source when called: returns its origin, suffix and bytes."""

    source: str

    def __call__(self) -> tuple[str, str, bytes]:
        if is_address(self.source):
            got = fetch(self.source)
            return self.source, _suffix(got), got.data
        path = Path(self.source)
        if not path.exists():
            raise RefusedDocument("there is no such file")
        suffix = _known_suffix(self.source)
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise RefusedDocument(f"it is no regular file of at most {MAX_BYTES // 1_000_000} MB")
        return str(path.resolve()), suffix, path.read_bytes()


_Reads = Callable[[], tuple[str, str, bytes]]
"""Reads a source: returns its origin, suffix and bytes."""


def _known_suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in READERS and suffix not in ROW_FORMATS:
        known = ", ".join(sorted(s[1:] for s in {*READERS, *ROW_FORMATS}))
        raise RefusedDocument(f"this format is not supported; these are: {known}")
    return suffix


def _suffix(got: Fetched) -> str:
    suffix = _TYPES.get(got.type) or Path(got.url.partition("?")[0]).suffix.lower()
    if suffix not in READERS:
        raise RefusedDocument(f"a document of the type {got.type} is not supported")
    return suffix


def _usable(suffix: str, data: bytes, sandbox: Sandbox, origin: str) -> bytes:
    """Return what is kept of a file: itself, or a web page's own text with where it came from.

    A page is kept as text, since its menus and scripts are never needed again and its address stands nowhere in it.
    """
    if not data:
        raise RefusedDocument("it is empty")
    if not is_address(origin):
        check_kind(suffix, data)
    if suffix in ROW_FORMATS:
        _check_rows(sandbox.rows(suffix, data, ""))
        return data
    content = sandbox.read(suffix, data)
    if not is_address(origin) or suffix not in (".html", ".htm"):
        return data
    page = {"title": content.title, "publisher": content.publisher, "url": origin, "date": content.date}
    front = "".join(f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in page.items() if v)
    return f"---\n{front}---\n\n{content.text}".encode("utf-8", "replace")


def _check_rows(items: Sequence[Row | Fact | RefusedDocument]) -> None:
    """Refuse a file of rows of which none can be used."""
    problems = [item for item in items if isinstance(item, RefusedDocument)]
    if len(problems) == len(items):
        raise problems[0] if problems else RefusedDocument("it holds nothing that can be used")


def _free_name(origin: str, suffix: str, entries: dict[str, Added]) -> str:
    """Make a name that every file system takes: no separators, no control characters, not too long, not taken."""
    path = origin.partition("?")[0].rstrip("/").removeprefix(_UPLOADED)
    stem = Path(path).stem if not is_address(origin) else origin.partition("://")[2]
    stem = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip("-.")[:80]
    stem = stem.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or "document"
    # Windows keeps these for devices, whatever follows the first dot.
    stem = f"document-{stem}" if re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem, re.I) else stem
    kept = ".md" if is_address(origin) and suffix in (".html", ".htm") else suffix
    # A corpus's profile is no document.
    taken = {PROFILE, *(name.casefold() for name in entries)}
    number = 1
    while (name := f"{stem}{f'-{number}' if number > 1 else ''}{kept}").casefold() in taken:
        number += 1
    return name


def _write(file: Path, data: bytes) -> None:
    """Put a file in its place whole, or not at all."""
    new = file.with_name(f".{file.name}.new")
    with new.open("wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
