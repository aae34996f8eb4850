"""Read a corpus folder, whatever mix of formats it holds, into documents; what cannot be used is refused by name."""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus import SHIPPED_CORPUS
from corpus.documents import Document, Statement
from corpus.errors import CorpusError, RefusedDocument
from corpus.formats import READERS, Content
from corpus.profile import PROFILE
from corpus.rows import Fact, Row
from corpus.sandbox import Sandbox
from corpus.spool import Quotation, Spool

MAX_BYTES = 50_000_000
"""Size of the largest file that is read."""

ROW_FORMATS = frozenset({".jsonl", ".yaml", ".yml"})
"""Formats whose files hold many documents."""
_REPLACED = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, row or fact that is left out: its path inside the corpus folder and one plain reason."""

    path: str
    reason: str


Read = Callable[[Spool, Iterator[tuple[str, bytes]]], Iterator[list[Refusal]]]
"""Adds files, as name and content, to a spool one after the other; yields what of each is left out."""


def read_here(spool: Spool, files: Iterator[tuple[str, bytes]]) -> Iterator[list[Refusal]]:
    """Read files in this process, those of intricate formats in one beside it."""
    with Sandbox() as sandbox:
        for name, data in files:
            yield read_file(spool, name, data, sandbox)


def load_corpus(folder: Path, added: Path | None = None) -> tuple[list[Document], list[Refusal]]:
    """Read a corpus as `read_corpus` does, all of it into memory; return its documents and what was refused."""
    with Spool() as spool:
        refused = read_corpus(spool, folder, added)
        return list(spool.documents()), refused


def read_corpus(
    spool: Spool,
    folder: Path,
    added: Path | None = None,
    progress: Callable[[int], None] | None = None,
    read: Read = read_here,
) -> list[Refusal]:
    """Read all files below a folder, and below that of added documents, into a spool; return what was refused.

    A file's id is its name without suffix where no other document has that id, else its path inside the folder. What is
    added changes no id of the corpus.
    Names that start with a dot are passed over, and so is the code beside the shipped corpus. `progress` is called with
    the number of files read. Memory holds one file at a time.
    Raises CorpusError when the folder is missing or cannot be listed.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no corpus folder {folder}: name an existing folder with --corpus")
    refused: list[Refusal] = []
    count = 0
    for root in (folder, added):
        if root is None or not root.is_dir():
            continue
        if root is added:
            spool.end_of_corpus()
        for left_out in read(spool, _files(root, refused)):
            refused += left_out
            count += 1
            if progress:
                progress(count)
    return refused + [Refusal(place, reason) for place, reason in spool.settle()]


def cleaned(text: str) -> str:
    """Replace lone surrogates and control characters by U+FFFD; lengths stay.

    UTF-8 and SQLite cannot hold some of them, and the rest could drive the terminal that an answer is printed in.
    """
    return _REPLACED.sub("\ufffd", text)


def corpus_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in the order of their paths, without dotfiles, the profile and the package's own code."""
    shipped = folder.resolve() == SHIPPED_CORPUS

    def unreadable(error: OSError) -> None:
        raise CorpusError(f"the corpus folder {error.filename} cannot be read: {error.strerror}") from error

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not (shipped and f == "__pycache__"))
        for name in sorted(names):
            path = Path(parent, name)
            code = shipped and name.endswith((".py", ".pyi", ".typed"))
            if not name.startswith(".") and not code and path != folder / PROFILE:
                yield path


def _files(root: Path, refused: list[Refusal]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file that can be opened and is of a known format; the others are refused."""
    for path in corpus_files(root):
        name = cleaned(path.relative_to(root).as_posix())
        try:
            known_suffix(name)
            yield name, _bytes(path)
        except RefusedDocument as error:
            refused.append(Refusal(name, str(error)))


def known_suffix(name: str) -> str:
    """Return the suffix of a file's name in small letters. Raises RefusedDocument where it is of no known format."""
    suffix = Path(name).suffix.lower()
    if suffix not in READERS and suffix not in ROW_FORMATS:
        known = ", ".join(sorted(s[1:] for s in {*READERS, *ROW_FORMATS}))
        raise RefusedDocument(f"this format is not supported; these are: {known}")
    return suffix


def read_file(spool: Spool, name: str, data: bytes, sandbox: Sandbox) -> list[Refusal]:
    """Add what a file of a known format holds to the spool; return what of it is left out."""
    refused: list[Refusal] = []
    try:
        _read_file(spool, name, data, refused, sandbox)
    except RefusedDocument as error:
        refused.append(Refusal(name, str(error)))
    return refused


def _read_file(spool: Spool, name: str, data: bytes, refused: list[Refusal], sandbox: Sandbox) -> None:
    """Add what one file holds to the spool. Raises RefusedDocument when it holds nothing that can be used."""
    suffix = Path(name).suffix.lower()
    if suffix in READERS:
        spool.add_file(_of_file(name, sandbox.read(suffix, data)), _stem(name))
    else:
        for item in sandbox.rows(suffix, data, _stem(name)):
            if isinstance(item, Row):
                spool.add_row(_of_row(item), f"{name}, line {item.line}")
            elif isinstance(item, Fact):
                _add_fact(spool, item, name)
            else:
                refused.append(Refusal(name, str(item)))


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RefusedDocument("it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise RefusedDocument(f"it is larger than {MAX_BYTES // 1_000_000} MB: split it")
        data = path.read_bytes()
    except OSError as error:
        raise RefusedDocument(f"it cannot be opened: {error.strerror}") from error
    if not data:
        raise RefusedDocument("it is empty")
    return data


def _of_file(name: str, content: Content) -> Document:
    title = _title(content.title) or _stem(name)
    source = _source(content.publisher, content.url, content.date)
    return Document(name, cleaned(content.text), title, *source, kind=content.kind, pages=content.pages)


def _of_row(row: Row) -> Document:
    identity, source = cleaned(row.id), _source(row.publisher, row.url, row.date)
    return Document(identity, cleaned(row.text), _title(row.title) or identity, *source)


def _add_fact(spool: Spool, fact: Fact, place: str) -> None:
    """Add a fact: a document of its own, or where it names one, a statement about the slice that its claim quotes."""
    claim = cleaned(fact.claim)
    statement = _statement(fact, 0, len(claim))
    if fact.document is not None:
        spool.add_quotation(Quotation(place, statement.id, cleaned(fact.document), claim, statement))
        return
    source = _source(fact.publisher, fact.url, fact.date)
    spool.add_fact(
        Document(statement.id, claim, _title(fact.title), *source, "fact", cleaned(fact.topic), (statement,)), place
    )


def _statement(fact: Fact, start: int, end: int) -> Statement:
    return Statement(
        id=cleaned(fact.id),
        start=start,
        end=end,
        subject=_said(fact.subject),
        value=_said(fact.value),
        unit=_said(fact.unit),
        as_of=_said(fact.as_of),
        note=_said(fact.note),
        disagrees_with=tuple(map(cleaned, fact.disagrees_with)),
    )


def _said(text: str | None) -> str | None:
    return None if text is None else cleaned(text)


def _stem(name: str) -> str:
    return Path(name).stem


def _title(text: str | None) -> str:
    return " ".join(cleaned(text or "").split())


def _source(publisher: str | None, url: str | None, date: str | None) -> tuple[str | None, str | None, str | None]:
    """Return publisher, url and date ready for display; a url that a browser should not open is left out."""
    link = cleaned(url or "").strip()
    link = link if re.match(r"https?://\S+$", link, re.IGNORECASE) else ""
    return _title(publisher) or None, link or None, _title(date) or None
