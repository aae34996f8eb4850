"""Charts of recorded figures: which facts belong in one is told by their own fields and words, never by their ids."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.facts import Fact
from bot.places import countries
from index.terms import terms

_OUT_OF = re.compile(r"\bout of (\d+)\b")


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure of a chart, in the chart's unit. `across` and `up` are its place in percent; `beside` means that the
    fact speaks of something near to what the chart shows, not of the very same."""

    fact: Fact
    label: str
    number: float
    across: float
    up: float = 0.0
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars, the longest first, or of ranks by year, the best on top: those `of` one subject."""

    title: str
    remark: str
    kind: str
    marks: tuple[Mark, ...]
    of: str = ""


def draw(facts: Sequence[Fact]) -> list[Chart]:
    """Return the charts that these facts make; one with fewer than three figures is none."""
    return [chart for make in _CHARTS if len((chart := make(facts)).marks) > 2]


def by_country(
    facts: Iterable[Fact], title: str, remark: str, measures: Sequence[str], units: Mapping[str, float]
) -> Chart:
    """Compare countries by their newest figure for a measure.

    What counts are facts about a country, in one of the units, whose sentence has the words of the first of the
    measures; for a country without one, those of a later measure, unless another source gives another figure.
    """
    facts = list(facts)
    values = {f.statement.id: f.statement.value for f in facts}
    newest: dict[str, list[tuple[Fact, float, bool]]] = {}
    facts = [f for f in facts if f.years and f.years[0] == f.years[1]]
    for measure in measures:
        found: dict[str, list[tuple[Fact, float, bool]]] = {}
        for fact in facts:
            number = _in(units, fact)
            country = _country(fact.statement.subject)
            beside = measure != measures[0]
            doubtful = beside and any(values.get(i) != fact.statement.value for i in fact.statement.disagrees_with)
            if (
                number is not None
                and country
                and country not in newest
                and _speaks_of(fact.claim, measure)
                and not doubtful
            ):
                found.setdefault(country, []).append((fact, number, beside))
        for country, figures in found.items():
            last = max(f.years[1] for f, _, _ in figures if f.years)
            same_year = [row for row in figures if row[0].years == (last, last)]
            newest[country] = list({number: (f, number, beside) for f, number, beside in reversed(same_year)}.values())
    rows = sorted((row for figures in newest.values() for row in figures), key=lambda row: -row[1])
    most = max((number for _, number, _ in rows), default=1.0) or 1.0
    marks = [Mark(f, f.statement.subject or "", n, 100 * n / most, beside=beside) for f, n, beside in rows]
    return Chart(title, remark, "bars", tuple(marks))


def ranks_by_year(facts: Iterable[Fact], title: str, remark: str, measure: str) -> Chart:
    """Show the ranks of whoever has most of them in a ranking, year by year; ranks that sources dispute stand both."""
    ranked = [
        (f, int(f.statement.value or 0), f.years[0])
        for f in facts
        if (f.statement.unit or "").startswith("rank") and (f.statement.value or "").isdigit()
        if f.years and f.years[0] == f.years[1] and _speaks_of(f.claim, measure)
    ]
    [(subject, _)] = Counter(f.statement.subject or "" for f, _, _ in ranked).most_common(1) or [("", 0)]
    rows = sorted(((y, n, f) for f, n, y in ranked if f.statement.subject == subject), key=lambda row: row[:2])
    if not rows:
        return Chart(title, remark, "ranks", ())
    years, numbers = [y for y, _, _ in rows], [n for _, n, _ in rows]
    marks = [Mark(f, _of(n, f), n, 8 + 84 * _share(y, years), 100 * (1 - _share(n, numbers))) for y, n, f in rows]
    return Chart(title, remark, "ranks", tuple(marks), subject)


def _of(number: int, fact: Fact) -> str:
    total = _OUT_OF.search(fact.statement.unit or "")
    return f"{number} of {total[1]}" if total else str(number)


def _share(value: float, among: Sequence[float]) -> float:
    low, high = min(among), max(among)
    return (value - low) / (high - low) if high > low else 0.5


def _in(units: Mapping[str, float], fact: Fact) -> float | None:
    """Return a fact's figure in the unit whose factor is 1, or None if it is in none of the units."""
    unit = fact.statement.unit or ""
    factor = next((f for name, f in units.items() if re.match(rf"{re.escape(name)}\b", unit)), None)
    try:
        return None if factor is None else float((fact.statement.value or "").replace(",", "")) * factor
    except ValueError:
        return None


def _country(subject: str | None) -> str | None:
    """Return the country that a subject is, or that it lies in: “Johor, Malaysia”; None for a company or a world."""
    last = (subject or "").rpartition(",")[2].strip()
    named = countries(last)
    return named[0] if len(named) == 1 and terms(named[0]) == terms(last) else None


def _speaks_of(claim: str, measure: str) -> bool:
    """Tell whether the words of a measure stand together in a claim, in whatever spelling and inflection."""
    return f" {' '.join(terms(measure))} " in f" {' '.join(terms(claim))} "


_CHARTS: tuple[Callable[[Sequence[Fact]], Chart], ...] = (
    lambda facts: by_country(
        facts, "Private AI investment by country",
        "The newest figure for each country, in the year shown beside it. Years and counts differ: the bars show "
        "the order of magnitude, not a comparison of one year.",
        ("private AI investment", "AI investment"),
        {"USD billion": 1.0, "USD million": 0.001, "USD trillion": 1000.0},
    ),
    lambda facts: ranks_by_year(
        facts, "AI readiness rank by year",
        "A smaller number is better. The number of countries ranked changes from year to year, and some "
        "sources give different ranks for the same year: all of them are shown.",
        "readiness index",
    ),
    lambda facts: by_country(
        facts, "Data-center capacity by country",
        "The newest figure for each place, in the year shown beside it. Some count what runs, others what is "
        "planned: the bars show what was said, not a comparison.",
        ("data center capacity", "capacity"),
        {"MW": 1.0, "GW": 1000.0},
    ),
)  # fmt: skip
