"""Read a corpus folder, whatever mix of formats it holds, into documents; what cannot be used is refused by name."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from corpus import SHIPPED_CORPUS
from corpus.documents import Document, Statement
from corpus.errors import CorpusError, RefusedDocument
from corpus.formats import READERS, Content
from corpus.profile import PROFILE
from corpus.rows import Fact, Row, read_many
from corpus.sandbox import SUFFIXES, Sandbox, read_content

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


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything the files of a corpus gave, before ids are given out and facts find their documents."""

    files: list[tuple[str, Content]]
    rows: list[tuple[str, Row]]
    facts: list[tuple[str, Fact]]
    refusals: list[Refusal]


def load_corpus(folder: Path, added: Path | None = None) -> tuple[list[Document], list[Refusal]]:
    """Read all files below a folder, and below that of added documents, into documents sorted by id; say what was refused.

    A file's id is its name without suffix where no other document has that id, else its path inside the folder.
    Names that start with a dot are passed over, and so is the code beside the shipped corpus.
    Raises CorpusError when the folder is missing or cannot be listed.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no corpus folder {folder}: name an existing folder with --corpus")
    read = _Read([], [], [], [])
    with Sandbox() as sandbox:
        for root in filter(None, (folder, added if added and added.is_dir() else None)):
            for path in corpus_files(root):
                name = cleaned(path.relative_to(root).as_posix())
                try:
                    _read_file(path, name, read, sandbox)
                except RefusedDocument as error:
                    read.refusals.append(Refusal(name, str(error)))
    documents, by_stem = _documents(read)
    _attach(read, documents, by_stem)
    return [documents[i] for i in sorted(documents)], read.refusals


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


def _read_file(path: Path, name: str, read: _Read, sandbox: Sandbox) -> None:
    """Add what one file holds to `read`. Raises RefusedDocument when it holds nothing that can be used."""
    suffix = path.suffix.lower()
    if suffix not in READERS and suffix not in ROW_FORMATS:
        known = ", ".join(sorted(s[1:] for s in {*READERS, *ROW_FORMATS}))
        raise RefusedDocument(f"this format is not supported; these are: {known}")
    data = _bytes(path)
    if suffix in SUFFIXES:
        read.files.append((name, sandbox.read(suffix, data)))
    elif suffix in READERS:
        read.files.append((name, read_content(suffix, data)))
    else:
        rows, facts, problems = read_many(suffix, data, path.stem)
        read.rows.extend((name, row) for row in rows)
        read.facts.extend((name, fact) for fact in facts)
        read.refusals.extend(Refusal(name, problem) for problem in problems)


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


def _documents(read: _Read) -> tuple[dict[str, Document], dict[str, str]]:
    """Give every document its id; also return the id of each file stem that only one file has."""
    documents: dict[str, Document] = {}
    for name, fact in read.facts:
        if fact.document is None:
            _add(documents, _of_fact(fact), name, read)
    for name, row in read.rows:
        document = Document(
            cleaned(row.id), cleaned(row.text), _title(row.title) or row.id, *_source(row.publisher, row.url, row.date)
        )
        _add(documents, document, f"{name}, line {row.line}", read)
    stems = Counter(_stem(name) for name, _ in read.files)
    by_stem: dict[str, str] = {}
    for name, content in read.files:
        stem = _stem(name)
        document = Document(
            stem if stems[stem] == 1 and stem not in documents else name,
            cleaned(content.text),
            _title(content.title) or stem,
            *_source(content.publisher, content.url, content.date),
            kind=content.kind,
            pages=content.pages,
        )
        if _add(documents, document, name, read) and stems[stem] == 1:
            by_stem[stem] = document.id
    return documents, by_stem


def _add(documents: dict[str, Document], document: Document, path: str, read: _Read) -> bool:
    if document.id in documents:
        read.refusals.append(Refusal(path, f"the id {document.id!r} is taken by an earlier document"))
        return False
    documents[document.id] = document
    return True


def _of_fact(fact: Fact) -> Document:
    claim = cleaned(fact.claim)
    source = _source(fact.publisher, fact.url, fact.date)
    statement = _statement(fact, 0, len(claim))
    return Document(statement.id, claim, _title(fact.title), *source, "fact", fact.topic, (statement,))


def _attach(read: _Read, documents: dict[str, Document], by_stem: dict[str, str]) -> None:
    """Turn each fact that names a document into a statement about the slice of it that the claim quotes."""
    seen = {i for i, d in documents.items() if d.kind == "fact"}
    for name, fact in read.facts:
        if fact.document is None:
            continue
        document = documents.get(by_stem.get(fact.document, fact.document))
        claim = cleaned(fact.claim)
        start = document.text.find(claim) if document else -1
        if document is None:
            read.refusals.append(Refusal(name, f"fact {fact.id!r} names the document {fact.document!r}: there is none"))
        elif start < 0:
            reason = f"the claim of fact {fact.id!r} does not stand in the document {fact.document!r}"
            read.refusals.append(Refusal(name, reason))
        elif fact.id in seen:
            read.refusals.append(Refusal(name, f"the id {fact.id!r} is taken by an earlier fact"))
        else:
            seen.add(fact.id)
            statement = _statement(fact, start, start + len(claim))
            documents[document.id] = replace(document, statements=(*document.statements, statement))


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
