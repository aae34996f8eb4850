"""Sources that differ, or agree: what the corpus records, and what is found among the candidates of one question."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.answerability import penalty
from bot.question import Reading
from bot.short import short_answer
from bot.signals import Candidate
from bot.spans import Typed
from bot.years import plain_years
from corpus.documents import Document, Statement
from index.catalogue import Catalogue
from index.terms import matches, sentence_terms, stem, words

_MOST_SIDES = 4
_FIGURES = frozenset({"money", "percent", "quantity", "duration", "rank"})
# Two sentences speak of one thing when their words overlap this much, figures aside, and they rank about alike: their
# log-odds are within the margin.
_ALIKE = 0.6
_MARGIN = 1.5
_SCALES = frozenset({"thousand", "million", "billion", "trillion"})
_CURRENCIES = frozenset("USD EUR VND SGD GBP CNY JPY KRW INR IDR MYR THB PHP TWD HKD AUD CAD CHF".split())
_LIMITED = re.compile(r"(?P<unit>.+) \((?P<limit>up to|more than|nearly|about|at least|fewer than|under|above)\)")


@dataclass(frozen=True, slots=True)
class Difference:
    """A statement and those that give another figure for the same thing, each with its document."""

    subject: str
    sides: tuple[tuple[Document, Statement], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that a candidate gives, as it stands there and as a number with its unit; the years it speaks of."""

    candidate: Candidate
    text: str
    number: str
    unit: frozenset[str]
    years: frozenset[str]


def difference(
    catalogue: Catalogue, document: Document, start: int, end: int, short: str | None, counted: Sequence[str] = ()
) -> Difference | None:
    """Return what other sources say against the figure in `document.text[start:end]`, or None.

    Where a `short` answer is given, only what concerns it counts, or is of the unit that is `counted`, in stems. Newer
    statements come first among the others.
    """
    for statement in document.statements_at(start, end):
        measured = counted and matches(counted[-1], sentence_terms(statement.unit or ""))
        if short and not measured and not _concerns(statement, short):
            continue
        others = [
            found
            for i in statement.disagrees_with
            if (found := catalogue.statement(i)) and found[1].value and _comparable(statement, found[1])
        ]
        if statement.value and others:
            others.sort(key=lambda found: found[0].date or "", reverse=True)
            return Difference(statement.subject or document.title, ((document, statement), *others[: _MOST_SIDES - 1]))
    return None


def leading(catalogue: Catalogue, ranked: Sequence[Candidate], scores: Sequence[float]) -> int:
    """Return the place of the candidate that leads the answer: the first, but for sources that are recorded to differ.

    Of those that rank about alike, the one leads whose figure most of the sources give, and of these the one that is
    worded most like the question; the others are shown beside it.
    """
    first = ranked[0]
    differing = difference(catalogue, first.evidence.document, first.sentence.start, first.sentence.end, None)
    if differing is None:
        return 0
    given = {document.id: _value(statement) for document, statement in differing.sides}
    lost, alike = penalty(first.signals), dict[int, frozenset[str]]()
    for place, (candidate, score) in enumerate(zip(ranked, scores, strict=True)):
        # The gate has judged the first alone: what leads in its place must not be worse by any of its rules, and the
        # reader must not take it for no evidence.
        if (
            scores[0] - score > _MARGIN
            or penalty(candidate.signals) > lost
            or candidate.signals.get("evidence", 1) <= 0
        ):
            continue
        for statement in candidate.statements:
            value = _value(statement)
            # Who agrees with the first is no side of the difference, and gives a figure of the same subject.
            agrees = statement.subject == differing.subject and value in given.values()
            if any(statement is s for _, s in differing.sides) or agrees:
                given[candidate.evidence.document.id] = alike[place] = value
    votes = Counter(given.values())
    return max(alike, key=lambda i: (votes[alike[i]], ranked[i].signals["bm25"]), default=0)


def _value(statement: Statement) -> frozenset[str]:
    """Return the figure of a statement by its digits and scale, or its words where it has none."""
    own = words(shown_value(statement))
    return frozenset(w for w in own if w[0].isdigit() or w in _SCALES) or frozenset(own)


def figures_beside(
    reading: Reading, best: Candidate, ranked: Sequence[Candidate], scores: Sequence[float]
) -> list[Figure]:
    """Return the figure of the best candidate and those that other documents give for the same thing; [] if none."""
    own = figure_of(reading, best)
    if not own:
        return []
    top = scores[ranked.index(best)]
    beside = [own]
    for candidate, score in zip(ranked, scores, strict=True):
        if top - score > _MARGIN or candidate.evidence.document.id in {
            f.candidate.evidence.document.id for f in beside
        }:
            continue
        other = figure_of(reading, candidate)
        if other and other.unit == own.unit and _same_matter(reading, best, candidate):
            beside.append(other)
    return beside[:_MOST_SIDES] if len(beside) > 1 else []


def figure_of(reading: Reading, candidate: Candidate) -> Figure | None:
    """Return the figure by which a candidate answers, or None."""
    text = short_answer(reading, candidate.sentence.text, candidate.spans, candidate.pointed)
    span = _figure_span(candidate, text) if text else None
    if not text or not span:
        return None
    numbers = [w for w in words(span.text) if w[0].isdigit()]
    unit = frozenset(stem(w) for w in words(span.text) if not w[0].isdigit())
    if not numbers:
        return None
    # The first: "7 million H100 GPU hours" holds another number, of the chip.
    return Figure(candidate, text, numbers[0], unit, plain_years(candidate.sentence.text)[0])


def shown_value(statement: Statement) -> str:
    """Return a statement's figure with its unit as people write it.

    >>> shown_value(Statement("x", 0, 1, value="80", unit="USD million"))
    'USD 80 million'
    >>> shown_value(Statement("x", 0, 1, value="817800", unit="patents (more than)"))
    'more than 817,800 patents'
    """
    value, unit = statement.value or "", (statement.unit or "").strip()
    limit = _LIMITED.fullmatch(unit)
    if limit:
        return f"{limit['limit']} {shown_value(replace(statement, unit=limit['unit']))}"
    if value.isdigit() and len(value) > 3 and unit not in ("year", "years", "date"):
        value = f"{int(value):,}"
    if unit.startswith("rank ") and value.isdigit():
        return f"rank {value} {unit.removeprefix('rank ')}"
    if not unit or (unit in ("rank", "date", "year", "years") and not value.isdigit()):
        return value
    if unit == "percent":
        return f"{value}%"
    if unit[:3] in _CURRENCIES:
        currency, _, scale = unit.partition(" ")
        return f"{currency} {value} {scale}".strip()
    if unit in ("rank", "date", "year"):
        return value
    return f"{value} {unit}"


def _concerns(statement: Statement, short: str) -> bool:
    """Tell whether a recorded figure is the one that a short answer gives."""
    value = statement.value or ""
    # With its unit a figure has another form: 80 and 80 million, however the unit is put: USD million.
    forms = (value, f"{value} {statement.unit or ''}", shown_value(statement))
    numbers = {w for text in forms for w in words(text) if w[0].isdigit()}
    said = {w for w in words(short) if w[0].isdigit()}
    if numbers or said:
        return bool(numbers & said)
    return not value or bool(sentence_terms(value) & sentence_terms(short))


def _comparable(a: Statement, b: Statement) -> bool:
    """Tell whether two recorded figures are of one measure, as far as their units tell."""
    x, y = sentence_terms(a.unit or ""), sentence_terms(b.unit or "")
    return not x or not y or bool(x & y)


def _figure_span(candidate: Candidate, text: str) -> Typed | None:
    start = candidate.sentence.text.find(text)
    return next(
        (
            s
            for s in candidate.spans
            if s.kind in _FIGURES and start >= 0 and s.start < start + len(text) and s.end > start
        ),
        None,
    )


def _one_subject(a: Candidate, b: Candidate) -> bool:
    """Tell whether two sentences may be about one thing: by their recorded subjects, else by the first name in each."""
    recorded = [{s.subject for s in c.statements if s.subject} for c in (a, b)]
    if all(recorded):
        # A family and one of it, a country and its companies, have words in common and figures of their own.
        return bool(recorded[0] & recorded[1])
    named = [
        sentence_terms(next(iter(known), None) or next((s.text for s in c.spans if s.kind == "name"), ""))
        for known, c in zip(recorded, (a, b), strict=True)
    ]
    return bool(named[0] & named[1])


def _same_matter(reading: Reading, a: Candidate, b: Candidate) -> bool:
    """Tell whether two sentences cover the same of a question and, figures and years aside, say much the same."""
    x, y = sentence_terms(a.sentence.text), sentence_terms(b.sentence.text)
    covered = [{t for t in reading.terms if matches(t, s)} for s in (x, y)]
    if not covered[0] <= covered[1]:
        return False
    if not _one_subject(a, b):
        return False
    if reading.years and a.signals["years"] != b.signals["years"]:
        return False
    x, y = (frozenset(t for t in s if not t[0].isdigit()) for s in (x, y))
    return len(x & y) >= _ALIKE * min(len(x), len(y))
