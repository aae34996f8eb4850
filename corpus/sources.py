"""What can be added to a corpus: files, folders, patterns and web addresses, each read only when its turn comes."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from corpus.errors import RefusedDocument
from corpus.fetching import Fetched, fetch
from corpus.formats import READERS
from corpus.kinds import check_kind
from corpus.loaders import MAX_BYTES, ROW_FORMATS, Refusal, corpus_files, known_suffix
from corpus.rows import Fact, Row
from corpus.sandbox import Sandbox

_TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf", "text/plain": ".txt",
    "text/markdown": ".md", "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip
Reads = Callable[[], tuple[str, str, bytes]]
"""Reads a source: returns its origin, suffix and bytes."""


def is_address(source: str) -> bool:
    """Tell a web address from a path."""
    return re.match(r"[a-z][a-z0-9+.-]*://", source, re.IGNORECASE) is not None


def named_sources(sources: Iterable[str], refused: list[Refusal]) -> Iterator[tuple[str, "_Read"]]:
    """Yield each file or address that is meant, with a function that reads it."""
    for source in sources:
        if not source.strip():
            # A script's variable that is not set: as a path it would be the whole working folder.
            refused.append(Refusal(repr(source), "an empty name is no file, folder or address"))
            continue
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
        suffix = known_suffix(self.source)
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise RefusedDocument(f"it is no regular file of at most {MAX_BYTES // 1_000_000} MB")
        return str(path.resolve()), suffix, path.read_bytes()


def _suffix(got: Fetched) -> str:
    suffix = _TYPES.get(got.type) or Path(got.url.partition("?")[0]).suffix.lower()
    if suffix not in READERS:
        raise RefusedDocument(f"a document of the type {got.type} is not supported")
    return suffix


def usable(suffix: str, data: bytes, sandbox: Sandbox, origin: str) -> bytes:
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
