"""The recorded facts of an index as rows to browse: each with its figure, years, places and source."""

import re
from dataclasses import dataclass

from bot.conflicts import shown_value
from bot.markup import web_link
from bot.places import countries, regions
from corpus.documents import Document, Statement
from corpus.sentences import sentence_spans
from index.catalogue import Catalogue

MOST = 2_000
"""The most facts that are shown: beyond, a page would no longer be quick."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement with the words that make it and where they stand.

    `years` are the first and the last that it is about; `places` the countries it names and the region it is about;
    `told` the date of its source or, where that is unknown, the year it is about, unless that is still to come.
    """

    document: Document
    statement: Statement
    claim: str
    figure: str
    topic: str
    years: tuple[int, int] | None
    told: str
    places: tuple[str, ...]

    @property
    def link(self) -> str | None:
        return web_link(self.document.url)

    @property
    def source(self) -> str:
        return self.document.publisher or self.document.title

    @property
    def when(self) -> str:
        """The years as people write them, or nothing."""
        first, last = self.years or (0, 0)
        return "" if not last else str(last) if first == last else f"{first}–{last}"

    @property
    def disputed(self) -> bool:
        """Whether another fact gives another figure for the same thing."""
        return bool(self.statement.disagrees_with)

    @property
    def question(self) -> str:
        """The fact asked for: its first sentence as a question, which is always answered, by the fact itself."""
        start, end = sentence_spans(self.claim)[0]
        return " ".join(self.claim[start:end].rstrip(" .!?…").split()) + "?"


def read_facts(catalogue: Catalogue) -> list[Fact]:
    """Return at most MOST facts, the newest told first, those without a date last.

    Several statements recorded for one sentence are one fact, unless they record figures.
    """
    found: list[Fact] = []
    documents = catalogue.with_statements(MOST)
    newest = max((d.date or "" for d in documents), default="")
    for document in documents:
        seen: set[tuple[int, int]] = set()
        for statement in document.statements:
            place = (statement.start, statement.end)
            if place not in seen or statement.value:
                found.append(_fact(document, statement, newest))
            seen.add(place)
    return sorted(found, key=lambda f: f.told, reverse=True)[:MOST]


def _fact(document: Document, statement: Statement, newest: str) -> Fact:
    claim = document.text[statement.start : statement.end]
    subject = statement.subject or ""
    named = countries(f"{subject} . {statement.unit or ''} . {claim}")
    years = [int(year) for year in _YEAR.findall(statement.as_of or document.date or "")]
    told = document.date or next((str(year) for year in years if str(year) <= newest), "")
    # The unit may say of whom its figure is, for the claim speaks of several; beside the subject that is said twice.
    figure = shown_value(statement).removesuffix(f" ({subject})")
    return Fact(
        document, statement, claim, figure,
        (document.topic or document.title).replace("-", " "),
        (min(years), max(years)) if years else None, told,
        tuple(dict.fromkeys((*named, *regions(subject)))),
    )  # fmt: skip
