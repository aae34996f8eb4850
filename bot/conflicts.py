"""Sources that differ: the figures recorded as disagreeing with a cited one."""

from dataclasses import dataclass

from corpus.documents import Document, Statement
from index.catalogue import Catalogue

_MOST_SIDES = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """A statement and those that give another figure for the same thing, each with its document."""

    subject: str
    sides: tuple[tuple[Document, Statement], ...]


def statements_at(document: Document, start: int, end: int) -> list[Statement]:
    """Return the statements recorded for a slice of a document."""
    return [s for s in document.statements if s.start < end and s.end > start]


def difference(catalogue: Catalogue, document: Document, start: int, end: int) -> Difference | None:
    """Return what other sources say against the figure in `document.text[start:end]`, or None.

    Primary and newer statements come first among the others, as far as their dates tell.
    """
    for statement in statements_at(document, start, end):
        others = [found for i in statement.disagrees_with if (found := catalogue.statement(i)) and found[1].value]
        if statement.value and others:
            others.sort(key=lambda found: found[0].date or "", reverse=True)
            return Difference(statement.subject or document.title, ((document, statement), *others[: _MOST_SIDES - 1]))
    return None


def shown_value(statement: Statement) -> str:
    """Return a statement's figure with its unit as people write it.

    >>> shown_value(Statement("x", 0, 1, value="80", unit="USD million"))
    'USD 80 million'
    """
    value, unit = statement.value or "", (statement.unit or "").strip()
    if not unit or (unit in ("rank", "date", "year", "years") and not value.isdigit()):
        return value
    if unit == "percent":
        return f"{value}%"
    if unit.startswith(("USD", "EUR", "VND", "SGD", "GBP", "CNY", "JPY")) or unit[:3].isupper():
        currency, _, scale = unit.partition(" ")
        return f"{currency} {value} {scale}".strip()
    if unit in ("rank", "date", "year"):
        return value
    return f"{value} {unit}"
