"""What the bot knows: documents, and the statements recorded about their sentences."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """A figure or claim recorded for the slice `document.text[start:end]`.

    `disagrees_with` holds the ids of statements that give another figure for the same thing.
    """

    id: str
    start: int
    end: int
    subject: str | None = None
    value: str | None = None
    unit: str | None = None
    as_of: str | None = None
    note: str | None = None
    disagrees_with: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Statement":
        """Make a statement of its fields as JSON gives them back."""
        return cls(**{**row, "disagrees_with": tuple(row["disagrees_with"])})


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its source. Offsets everywhere count characters of `text`; `pages` are those where its pages begin.

    `added` is the name of the file it was read from if that was added to the corpus, None for the corpus's own.
    """

    id: str
    text: str
    title: str
    publisher: str | None = None
    url: str | None = None
    date: str | None = None
    kind: str = "document"
    topic: str | None = None
    statements: tuple[Statement, ...] = field(default=())
    pages: tuple[int, ...] = ()
    added: str | None = None

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that holds an offset, from 1, or None where the text has no pages."""
        return bisect_right(self.pages, offset) or None

    def statements_at(self, start: int, end: int) -> list[Statement]:
        """Return the statements recorded for `text[start:end]`."""
        return [s for s in self.statements if s.start < end and s.end > start]

    def content_hash(self) -> str:
        """Return a SHA-256 over everything that the index holds of this document."""
        return hashlib.sha256(self.to_json().encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> str:
        row = asdict(self)
        if self.added is None:
            # The hashes of an index that was built before there was this field still hold.
            del row["added"]
        return json.dumps(row, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Document":
        row: Mapping[str, Any] = json.loads(text)
        statements = tuple(map(Statement.from_row, row["statements"]))
        return cls(**{**row, "statements": statements, "pages": tuple(row.get("pages", ()))})
