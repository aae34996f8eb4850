"""What a sentence claims, in a form that can be compared: its figures, dates, names, terms and negations."""

import re
from dataclasses import dataclass
from functools import lru_cache

from bot.figures import Figure, figures_of
from bot.wording import plain_wording
from index.terms import STOPWORDS, fold, stem, words

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = rf"(?P<month>{'|'.join(m.title() for m in _MONTHS)}|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
_YEAR = r"(?P<year>1[5-9]\d\d|20\d\d|21\d\d)"
_DATES = [
    re.compile(r"\b(?P<year>\d{4})-(?P<number>\d\d)(?:-(?P<day>\d\d))?\b"),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?(?!\w)"),
    re.compile(rf"\b{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s{_YEAR})?(?![\w,.]?\d)"),
    re.compile(rf"\b{_MONTH},?\s{_YEAR}\b"),
    re.compile(rf"(?<=\b(?:in|of|by|to|or)\s){_MONTH}(?!\w)"),
    re.compile(rf"(?<=\b(?:since|until|early)\s){_MONTH}(?!\w)"),
    re.compile(rf"(?<=[a-z,]\s)(?P<month>{'|'.join(m.title() for m in _MONTHS)})\b(?!\s[A-Z])"),
    re.compile(rf"(?<![\w.,$€£¥]){_YEAR}(?:s\b)?(?!\.?\d|,\d{{3}}|\s?(?:%|percent|million|billion|\w*watts?\b))"),
]
_NEGATOR = re.compile(
    r"\b(?:not(?! only\b| just\b)|n[’']t|no(?! (?:less|fewer|more|later|earlier|sooner) than|\.? \d)|never|none|nor|neither|"
    r"without|cannot|nobody|(?<!to )nothing|hardly|scarcely|fails? to|failed to|refuse[sd]? to|unable)\b|(?<=\w)n[’']t\b",
    re.I,
)
_SCOPE_END = re.compile(r"[;:]|, (?:but|and|while)\b|,? \b(?:because|since|although|though|unless)\b")
_TOKEN = re.compile(r"[^\W_]+(?:[.,'’&][^\W_]+)*|[$€£¥₫₩₹%]")
_STUCK = re.compile(r"(?<=\d)(MW|GW|kW|km|kg|mg|GB|TB)\b")
_SYMBOLS = re.compile(r"^[A-Z]{2,}s?$|^[A-Z][a-z]*[A-Z0-9]|\d.*[A-Z]|[A-Z].*\d")
# Unit signs by the word that texts spell out; written in digits' company they are neither names nor terms of their own.
_UNITS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "kg": "kilogram", "g": "gram", "mg": "milligram",
    "mw": "megawatt", "gw": "gigawatt", "kw": "kilowatt", "kwh": "kilowatt", "twh": "terawatt", "ha": "hectare", "metre": "meter", "metres": "meter",
    "kilometre": "kilometer", "kilometres": "kilometer",
}  # fmt: skip
_PLAIN = STOPWORDS | frozenset(
    "according report reports reported say says said state states stated note notes noted such well both while whereas although "
    "though however also because since whose among including include includes than only each these those being if per via "
    "respectively up approximately roughly nearly around about almost over under more less least most some any all not no never "
    "today currently now still already once without nor none neither cannot hardly longer one ones".split()
)


@dataclass(frozen=True, slots=True)
class Date:
    """A date as far as it is given; a part that is not given is 0."""

    year: int
    month: int
    day: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Token:
    """A word at `start` of a sentence with its stem; `name` tells a part of a proper name, `term` one that has content."""

    text: str
    stem: str
    name: bool
    term: bool
    start: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What one sentence claims."""

    text: str
    figures: tuple[Figure, ...]
    dates: tuple[Date, ...]
    tokens: tuple[Token, ...]

    @property
    def names(self) -> frozenset[str]:
        """The stems of all words of its names."""
        return frozenset(t.stem for t in self.tokens if t.name)

    @property
    def opener(self) -> str | None:
        """The stem of a capitalised first word, which may be a name and may be none."""
        first = self.tokens[0] if self.tokens else None
        return first.stem if first and first.term and not first.name and first.text[0].isupper() else None

    @property
    def terms(self) -> frozenset[str]:
        """The stems of its content words, names included, figures and dates not."""
        return frozenset(t.stem for t in self.tokens if t.term)


@lru_cache(maxsize=4_000)
def claims_of(text: str) -> Claims:
    """Read a sentence.

    >>> c = claims_of("Meta paid about USD 1.5 billion in May 2024.")
    >>> [(str(f.value), f.kind, f.hedge) for f in c.figures], [(d.year, d.month) for d in c.dates], sorted(c.names)
    ([('1500000000', 'usd', 'about')], [(2024, 5)], [])
    >>> c.opener
    'meta'
    """
    text = plain_wording(_STUCK.sub(r" \1", text))
    dates = _dates(text)
    taken = [(d.start, d.end) for d in dates]
    figures = figures_of(text, taken)
    taken += [(f.start, f.end) for f in figures]
    return Claims(text, figures, dates, _tokens(text, taken))


@dataclass(frozen=True, slots=True)
class Negation:
    """A negation by the stems of the words around it: `denied` follow it, `before` stand before it."""

    denied: frozenset[str]
    before: frozenset[str]


def negated(claims: Claims, reach: int = 4) -> list[Negation]:
    """Return the negations of a sentence with at most `reach` words on each side.

    Where nothing follows, the words before it are what is denied.
    """
    found = []
    for match in _NEGATOR.finditer(claims.text):
        stop = _SCOPE_END.search(claims.text, match.end())
        until = stop.start() if stop else len(claims.text)
        after = frozenset([t.stem for t in claims.tokens if t.term and match.end() <= t.start < until][:reach])
        before = frozenset([t.stem for t in claims.tokens if t.term and t.start < match.start()][-reach:])
        if after or before:
            found.append(Negation(after or before, before))
    return found


def _dates(text: str) -> tuple[Date, ...]:
    found: list[Date] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < d.end and match.end() > d.start for d in found):
                continue
            parts = match.groupdict()
            month = int(parts["number"]) if parts.get("number") else _month(parts.get("month"))
            found.append(
                Date(int(parts.get("year") or 0), month, int(parts.get("day") or 0), match.start(), match.end())
            )
    return tuple(sorted(found, key=lambda d: d.start))


def _month(name: str | None) -> int:
    return next((i for i, m in enumerate(_MONTHS, start=1) if name and m.startswith(name.lower()[:3])), 0)


def _tokens(text: str, taken: list[tuple[int, int]]) -> tuple[Token, ...]:
    tokens = []
    matches = list(_TOKEN.finditer(text))
    for place, match in enumerate(matches):
        if any(a <= match.start() < b for a, b in taken):
            continue
        word = match.group()
        after_figure = any(b <= match.start() <= b + 1 for _, b in taken)
        unit = _UNITS.get(word.lower()) if after_figure else None
        coded = bool(re.search(r"\d", word))
        normal = [unit] if unit else [fold(word)] if coded else words(word)
        opening = place == 0 or bool(re.search(r"[.!?:;“\"]\s*$", text[: match.start()]))
        following = matches[place + 1].group() if place + 1 < len(matches) else ""
        for form in normal:
            plain = form in _PLAIN or form == "us_"
            name = not plain and not unit and _is_name(word, opening, following)
            tokens.append(Token(word, stem(form), name, not plain, match.start()))
    return tuple(_joined(tokens))


def _joined(tokens: list[Token]) -> list[Token]:
    """Join "United States" and "United Kingdom" into the country that other texts call US and UK."""
    result: list[Token] = []
    for token in tokens:
        short = {"States": "us", "Kingdom": "uk"}.get(token.text.split("’")[0].split("'")[0])
        if short and result and result[-1].text == "United":
            result[-1] = Token("United " + token.text, stem(short), True, True, result[-1].start)
        else:
            result.append(token)
    return result


def _is_name(word: str, opening: bool, following: str) -> bool:
    """Tell a word of a proper name: a capital inside a sentence, or at its start one that is no plain word."""
    if _SYMBOLS.search(word):
        return True
    if not word[0].isupper():
        return False
    if not opening:
        return True
    # The first word of a sentence: a name where the next word goes on with it, or it carries an accent or possessive.
    return (
        bool(following[:1].isupper() and following.lower() not in STOPWORDS)
        or fold(word) != word.lower()
        or word.endswith(("'s", "’s"))
    )
