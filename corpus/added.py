"""Documents that were added to a corpus: copies in a folder of their own, and where each came from."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from glob import glob, has_magic
from pathlib import Path

from corpus.errors import CorpusError, RefusedDocument
from corpus.fetching import Fetched, fetch
from corpus.formats import READERS
from corpus.loaders import MAX_BYTES, ROW_FORMATS, Refusal, corpus_files
from corpus.sandbox import SUFFIXES, Sandbox, read_content

_TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt",
    "text/markdown": ".md", "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip
_MANIFEST = "added.json"


@dataclass(frozen=True, slots=True)
class Added:
    """One added file: its name in the folder, its path or address of origin, a SHA-256, when (ISO 8601, UTC)."""

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
        entries = {a.name: a for a in self.entries()}
        result = Adding([], [], [], [])
        with Sandbox() as sandbox:
            for source, read in _sources(sources, result.refused):
                try:
                    origin, suffix, data = read()
                    self._put(origin, suffix, _usable(suffix, data, sandbox, origin), entries, result)
                except RefusedDocument as error:
                    result.refused.append(Refusal(source, str(error)))
                except OSError as error:
                    result.refused.append(Refusal(source, f"it cannot be opened: {error.strerror or error}"))
        self._keep(entries)
        return result

    def remove(self, names: Iterable[str]) -> list[Added]:
        """Take added files out again, by name, name without suffix, or origin; returns them.

        Raises CorpusError for one that is not there, and then removes none.
        """
        entries = {a.name: a for a in self.entries()}
        gone: list[Added] = []
        for wanted in names:
            found = [a for a in entries.values() if wanted in (a.name, Path(a.name).stem, a.origin)]
            if not found:
                raise CorpusError(f"no added document is called {wanted!r}: `gapbot documents` lists them")
            gone += [a for a in found if a not in gone]
        self._keep({n: a for n, a in entries.items() if a not in gone})
        for a in gone:
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
        suffix = path.suffix.lower()
        if not path.exists():
            raise RefusedDocument("there is no such file")
        if suffix not in READERS and suffix not in ROW_FORMATS:
            known = ", ".join(sorted(s[1:] for s in {*READERS, *ROW_FORMATS}))
            raise RefusedDocument(f"this format is not supported; these are: {known}")
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise RefusedDocument(f"it is no regular file of at most {MAX_BYTES // 1_000_000} MB")
        return str(path.resolve()), suffix, path.read_bytes()


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
    if suffix in ROW_FORMATS:
        return data
    content = sandbox.read(suffix, data) if suffix in SUFFIXES else read_content(suffix, data)
    if not is_address(origin) or suffix not in (".html", ".htm"):
        return data
    page = {"title": content.title, "publisher": content.publisher, "url": origin, "date": content.date}
    front = "".join(f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in page.items() if v)
    return f"---\n{front}---\n\n{content.text}".encode("utf-8", "replace")


def _free_name(origin: str, suffix: str, entries: dict[str, Added]) -> str:
    stem = Path(origin.partition("?")[0].rstrip("/")).stem if not is_address(origin) else origin.partition("://")[2]
    stem = re.sub(r"[^\w.-]+", "-", stem, flags=re.UNICODE).strip("-.")[:80] or "document"
    kept = ".md" if is_address(origin) and suffix in (".html", ".htm") else suffix
    number = 1
    while (name := f"{stem}{f'-{number}' if number > 1 else ''}{kept}") in entries:
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
