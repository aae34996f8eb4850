"""Which year a sentence speaks of, so that last year's figure does not answer for this year's."""

import re
from collections.abc import Sequence
from functools import lru_cache

_TITLED = re.compile(r"(\b[A-ZÀ-ÖØ-ÞĐ][\w’'&-]*\)?) (?=((?:1[5-9]|20|21)\d\d)\b(?!-\d))")
_PLAIN_BEFORE = frozenset(
    "in by since until till from for during of to at between after before and around about through early mid late january "
    "february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct "
    "nov dec spring summer autumn winter".split()
)
_YEARS = re.compile(r"\b((?:1[5-9]|20|21)\d\d)(?:\s?[–-]\s?((?:1[5-9]|20|21)?\d\d)\b)?")
SUMMED = 0.4
"""How well a sum over years speaks of the one year that is asked for."""


@lru_cache(maxsize=5_000)
def plain_years(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the single years that a text speaks of and those that only end a range; not those of titles.

    >>> single, ends = plain_years("The AI Index 2025 counts 40 models for 2024 and USD 15 billion over 2013-2023.")
    >>> sorted(single), sorted(ends)
    (['2024'], ['2013', '2023'])
    """
    titled = {m.start(2) for m in _TITLED.finditer(text) if m.group(1).lower().strip(".)") not in _PLAIN_BEFORE}
    single, ends = set(), set()
    for match in _YEARS.finditer(text):
        if match.start(1) in titled:
            continue
        if match.group(2):
            first, last = match.groups()
            ends |= {first, first[: 4 - len(last)] + last}
        else:
            single.add(match.group(1))
    return frozenset(single), frozenset(ends - single)


def year_match(asked: Sequence[str], sentence: str, around: str, as_of: str | None) -> float:
    """Return how well a sentence speaks of the years asked for, 0 to 1; 1 where none is asked for.

    `around` is its passage with title and headings, `as_of` the date that the corpus records for its figure.
    """
    single, ends = plain_years(sentence)
    nearby, _ = plain_years(around)

    def of(year: str) -> float:
        if year in single:
            return 1.0
        if not single and not ends and as_of and as_of.startswith(year):
            return 0.9
        if year in ends:
            # A sum over years is not the figure of the one year that is asked for.
            return 1.0 if len(asked) > 1 and ends >= set(asked) else SUMMED
        if year in nearby:
            return 0.3 if single else 0.7
        return 0.2 if year in sentence or year in around else 0.0

    return min((of(y) for y in asked), default=1.0)


def another_year(asked: Sequence[str], sentence: str, as_of: str | None) -> bool:
    """Tell whether a sentence speaks of years, and of none that is asked for."""
    single, ends = plain_years(sentence)
    said = single | ends or ({as_of[:4]} if as_of else set())
    return bool(asked and said) and not said & set(asked)
