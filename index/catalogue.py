"""The documents of a generation and where their passages and sentences lie, in one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from corpus.documents import Document, Statement
from corpus.errors import IndexError_
from corpus.passages import Passage, weight

_SCHEMA = """
create table if not exists documents (id text primary key, hash text not null, json text not null);
create table if not exists passages (
    id integer primary key, document text not null, start integer, stop integer, headings text, sentences text);
create table if not exists statements (id text primary key, document text not null);
create index if not exists passages_by_document on passages (document);
create index if not exists statements_by_document on statements (document);
"""
_PAGE = 1000
_MAX_CONTEXT = 50
_LISTED = (
    "select id, json_extract(json, '$.title', '$.publisher', '$.url', '$.date', '$.kind', '$.topic', '$.added'),"
    " length(json_extract(json, '$.text')) from documents"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A passage with its number, which is its id in Chroma; sentence k of it has the id `"number.k"`."""

    number: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a list shows it; `added` is the added file it came from, `characters` the length of its text."""

    id: str
    title: str
    publisher: str | None
    url: str | None
    date: str | None
    kind: str
    topic: str | None
    added: str | None
    characters: int


@dataclass(frozen=True, slots=True)
class Group:
    """Documents of one kind, topic, publisher and date, and how many."""

    kind: str
    topic: str | None
    publisher: str | None
    date: str | None
    count: int


def sentence_id(number: int, k: int) -> str:
    """Return the id of sentence k of passage `number`."""
    return f"{number}.{k}"


def passage_context(document: Document, passage: Passage) -> str:
    """Return the title and headings above a passage, as the encoder and BM25 see them.

    A fact has none: it names its subject itself, and its title is that of the page it was found on.
    """
    if document.kind == "fact":
        return ""
    parts = [document.title, *passage.headings]
    context = ". ".join(dict.fromkeys(p.strip().rstrip(".") for p in parts if p.strip()))
    # Beside the passage there is room for a line of it: the encoder reads a limited number of word pieces.
    while weight(context) > _MAX_CONTEXT:
        context = context[: len(context) * _MAX_CONTEXT // weight(context)].rpartition(" ")[0]
    return context


class Catalogue:
    """Documents and passages by id. Safe to read from several threads."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Open a catalogue; only a writable one is created if missing. Raises IndexError_ if it cannot be read."""
        try:
            uri = f"{path.absolute().as_uri()}?mode={'rwc' if writable else 'ro'}"
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            if writable:
                self._connection.executescript(_SCHEMA)
            self._connection.execute("select 1 from documents limit 1")
        except sqlite3.Error as error:
            raise IndexError_(f"the index file {path} cannot be read: run `gapbot index --rebuild`") from error
        self.written = path.stat().st_mtime
        self._lock = threading.Lock()
        self.document = lru_cache(maxsize=2048)(self._read_document)

    def hashes(self) -> Iterator[tuple[str, str]]:
        """Return the id and content hash of every document, in the order of their ids."""
        found = self._pages("select id, id, hash from documents where id > ? order by id limit ?", "")
        return ((identity, digest) for identity, digest in found)

    def document_ids(self) -> list[str]:
        """Return the ids of all documents in order."""
        return [row[0] for row in self._all("select id from documents order by id")]

    def count(self) -> int:
        """Return how many documents there are."""
        return int(self._all("select count(*) from documents")[0][0])

    def listing(self, most: int, skip: int = 0, without: Sequence[str] = ()) -> list[Listed]:
        """Return documents without their text, in the order of their ids; some thousand may be left out."""
        sql = f"{_LISTED} where id not in ({','.join('?' * len(without))}) order by id limit ? offset ?"
        return [_listed(row) for row in self._all(sql, [*without, most, skip])]

    def listed(self, ids: Iterable[str]) -> dict[str, Listed]:
        """Return those documents of some thousand ids that are there, without their text."""
        wanted = list(ids)
        found = self._all(f"{_LISTED} where id in ({','.join('?' * len(wanted))})", wanted)
        return {row[0]: _listed(row) for row in found}

    def with_statements(self, most: int) -> list[Document]:
        """Return the documents about whose text something is recorded, in the order of their ids."""
        found = self._all(
            "select json from documents where id in (select document from statements) order by id limit ?", [most]
        )
        return [Document.from_json(row[0]) for row in found]

    def groups(self) -> list[Group]:
        """Return how many documents there are of every kind, topic, publisher and date."""
        found = self._all(
            "select json_extract(json, '$.kind', '$.topic', '$.publisher', '$.date') as fields, count(*) from documents"
            " group by fields order by fields"
        )
        return [Group(*[*json.loads(fields), count]) for fields, count in found]

    def put(self, document: Document, rows: Iterable[Row]) -> None:
        """Add or replace a document and its passages."""
        self.remove(document.id)
        with self._lock:
            self._connection.execute(
                "insert into documents values (?, ?, ?)", (document.id, document.content_hash(), document.to_json())
            )
            self._connection.executemany(
                "insert into passages values (?, ?, ?, ?, ?, ?)",
                [
                    (r.number, p.document, p.start, p.end, json.dumps(p.headings), json.dumps(p.sentences))
                    for r in rows
                    for p in (r.passage,)
                ],
            )
            self._connection.executemany(
                "insert or replace into statements values (?, ?)", [(s.id, document.id) for s in document.statements]
            )

    def remove(self, document: str) -> None:
        """Remove a document and its passages, if it is there."""
        with self._lock:
            self._connection.execute("delete from documents where id = ?", (document,))
            self._connection.execute("delete from passages where document = ?", (document,))
            self._connection.execute("delete from statements where document = ?", (document,))

    def rows(self, numbers: Sequence[int]) -> dict[int, Row]:
        """Return passages by number."""
        marks = ",".join("?" * len(numbers))
        found = self._all(f"select * from passages where id in ({marks})", list(numbers))
        return {row[0]: _row(row) for row in found}

    def rows_of(self, document: str) -> list[Row]:
        """Return the passages of a document in order."""
        return [_row(r) for r in self._all("select * from passages where document = ? order by id", [document])]

    def statement(self, statement: str) -> tuple[Document, Statement] | None:
        """Return a statement by id, with the document that makes it."""
        found = self._all("select document from statements where id = ?", [statement])
        document = self.document(found[0][0]) if found else None
        if document is None:
            return None
        return next(((document, s) for s in document.statements if s.id == statement), None)

    def all_rows(self) -> Iterator[Row]:
        """Yield every passage in the order of its number."""
        found = self._pages("select id, passages.* from passages where id > ? order by id limit ?", -1)
        return (_row(row) for row in found)

    def contents(self) -> Iterator[tuple[Document, list[Row]]]:
        """Yield every document that has passages, with them, in the order of their numbers. Nothing of it is kept."""
        for name, rows in groupby(self.all_rows(), lambda row: row.passage.document):
            document = self._read_document(name)
            if document is None:
                raise IndexError_("the index is damaged: run `gapbot index --rebuild`")
            yield document, list(rows)

    def unit_ids(self, level: str) -> Iterator[str]:
        """Yield the ids that the units of a level, "passages" or "sentences", have in Chroma."""
        for row in self.all_rows():
            if level == "passages":
                yield str(row.number)
            else:
                yield from (sentence_id(row.number, k) for k in range(len(row.passage.sentences)))

    def first_number(self, document: str) -> int:
        """Return the number of a document's first passage, or 0 where it has none."""
        return int(self._all("select coalesce(min(id), 0) from passages where document = ?", [document])[0][0])

    def count_of(self, document: str) -> int:
        """Return how many passages a document has."""
        return int(self._all("select count(*) from passages where document = ?", [document])[0][0])

    def next_number(self) -> int:
        """Return a passage number that has not been used."""
        (highest,) = self._all("select coalesce(max(id), 0) from passages")[0]
        return int(highest) + 1

    def commit(self) -> None:
        """Write all changes to disk."""
        self._connection.commit()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _read_document(self, document: str) -> Document | None:
        found = self._all("select json from documents where id = ?", [document])
        return Document.from_json(found[0][0]) if found else None

    def _pages(self, sql: str, before: object) -> Iterator[list[Any]]:
        """Yield rows of any number, some at a time; `sql` takes the key of the last one and a limit, and gives key and row."""
        while found := self._all(sql, [before, _PAGE]):
            before = found[-1][0]
            yield from (row for _, *row in found)

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._connection.execute(sql, values).fetchall()


def _listed(row: tuple) -> Listed:  # type: ignore[type-arg]
    identity, fields, characters = row
    return Listed(*[identity, *json.loads(fields), characters])


def _row(row: Sequence[Any]) -> Row:
    number, document, start, stop, headings, sentences = row
    spans = tuple((a, b) for a, b in json.loads(sentences))
    return Row(number, Passage(document, start, stop, tuple(json.loads(headings)), spans))
