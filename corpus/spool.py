"""The documents of a corpus on disk between reading and indexing, so that memory does not grow with the corpus."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from corpus.documents import Document, Statement
from corpus.errors import CorpusError

_SCHEMA = """
create table read (number integer primary key, rank integer, place text, id text, stem text, json text);
create index read_by_stem on read (stem);
create table documents (id text primary key, number integer not null, stem text) without rowid;
create index documents_by_stem on documents (stem);
create table quotations (number integer primary key, json text);
create table statements (number integer primary key, id text unique, document text, json text);
create index statements_by_document on statements (document, number);
"""
_FACT, _ROW, _FILE = range(3)
"""Who gets an id first where two documents want the same: of the corpus, and then of what was added to it."""
ADDED = "added/"
"""What the id of an added file begins with where the corpus has the name of the file, and then is its path."""
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Quotation:
    """A fact that names a document: `statement` is about the slice of it that `claim` quotes. `place` is its file."""

    place: str
    fact: str
    document: str
    claim: str
    statement: Statement


class Spool:
    """Documents as they are read. Ids are given out once all are there: `settle`; then they can be had back by id.

    It is a temporary SQLite file, which is gone with the process however that ends; a small corpus never leaves memory.
    What is added or asked raises CorpusError when there is no room for it.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(f"pragma journal_mode = off; pragma synchronous = off; {_SCHEMA}")
        self._first_added = _NEVER

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add_fact(self, document: Document, place: str) -> None:
        """Add a fact that stands by itself."""
        self._add(_FACT, document, place)

    def add_row(self, document: Document, place: str) -> None:
        """Add a document that names its own id."""
        self._add(_ROW, document, place)

    def add_file(self, document: Document, stem: str) -> None:
        """Add a document whose id is the path of its file, or `stem` where no other document has that."""
        self._add(_FILE, document, document.id, stem)

    def end_of_corpus(self) -> None:
        """Say that what comes now was added to the corpus: it takes no id from what was there before it."""
        self._first_added = 1 + int(self._run("select coalesce(max(number), 0) from read").fetchone()[0])

    def add_quotation(self, quotation: Quotation) -> None:
        """Add a fact about a document that may be read later."""
        self._run("insert into quotations (json) values (?)", json.dumps(asdict(quotation)))

    def rows(self) -> str:
        """Return what was added, as JSON for `add` of another spool."""
        read = self._run("select rank, place, id, stem, json from read order by number").fetchall()
        quotations = self._run("select json from quotations order by number").fetchall()
        return json.dumps([read, quotations])

    def add(self, rows: str) -> None:
        """Add what was added to another spool."""
        read, quotations = json.loads(rows)
        for row in read:
            self._run("insert into read (rank, place, id, stem, json) values (?, ?, ?, ?, ?)", *row)
        for row in quotations:
            self._run("insert into quotations (json) values (?)", *row)

    def settle(self) -> Iterator[tuple[str, str]]:
        """Give every document its id and every quotation its place; yield place and reason of each that is left out."""
        found = self._run(
            "select number, place, id, number >= ?1, rank, case when rank = ?2 and (select count(*) from read r"
            " where r.stem = read.stem and (r.number >= ?1) = (read.number >= ?1)) = 1 then stem end"
            " from read order by number >= ?1, rank, number",
            self._first_added,
            _FILE,
        )
        for number, place, identity, added, rank, stem in found:
            wanted = stem or identity
            if rank == _FILE and self._run("select 1 from documents where id = ?", wanted).fetchone():
                wanted = f"{ADDED}{identity}" if added else identity
            put = self._run("insert or ignore into documents values (?, ?, ?)", wanted, number, stem)
            if not put.rowcount:
                yield place, f"the id {wanted!r} is taken by an earlier document"
        for (text,) in self._run("select json from quotations order by number"):
            row = json.loads(text)
            reason = self._attach(Quotation(**{**row, "statement": Statement.from_row(row["statement"])}))
            if reason:
                yield row["place"], reason

    def documents(self) -> Iterator[Document]:
        """Yield all documents in the order of their ids."""
        for (identity,) in self._run("select id from documents order by id"):
            document = self.document(identity)
            assert document is not None
            yield document

    def document(self, identity: str) -> Document | None:
        """Return a document by id with what is stated about it and the added file it came from, or None."""
        found = self._run(
            "select json, case when number >= ? then place end from documents join read using (number)"
            " where documents.id = ?",
            self._first_added,
            identity,
        )
        row = found.fetchone()
        if row is None:
            return None
        text, place = row
        document = Document.from_json(text)
        stated = self._run("select json from statements where document = ? order by number", identity)
        statements = tuple(Statement.from_row(json.loads(row)) for (row,) in stated)
        added = place and re.sub(r", line \d+$", "", place)
        return replace(document, id=identity, statements=document.statements + statements, added=added)

    def _add(self, rank: int, document: Document, place: str, stem: str | None = None) -> None:
        values = (rank, place, document.id, stem, document.to_json())
        self._run("insert into read (rank, place, id, stem, json) values (?, ?, ?, ?, ?)", *values)

    def _attach(self, quotation: Quotation) -> str | None:
        """Keep a quotation as a statement of its document, or return the reason why not."""
        fact, name = quotation.fact, quotation.document
        by_stem = self._run("select id from documents where stem = ? order by number", name).fetchone()
        document = self.document(by_stem[0] if by_stem else name)
        if document is None:
            return f"fact {fact!r} names the document {name!r}: there is none"
        start = document.text.find(quotation.claim)
        if start < 0:
            return f"the claim of fact {fact!r} does not stand in the document {name!r}"
        same = self._run("select rank from read join documents using (number) where documents.id = ?", fact).fetchone()
        if same == (_FACT,):
            return f"the id {fact!r} is taken by an earlier fact"
        statement = replace(quotation.statement, start=start, end=start + len(quotation.claim))
        values = (fact, document.id, json.dumps(asdict(statement)))
        added = self._run("insert or ignore into statements (id, document, json) values (?, ?, ?)", *values)
        return None if added.rowcount else f"the id {fact!r} is taken by an earlier fact"

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            told = f"there is no room to read the corpus ({error}): name another folder for temporary files with TMPDIR"
            raise CorpusError(told) from error
