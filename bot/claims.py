"""What a sentence claims, in a form that can be compared: its figures, dates, names, terms and negations."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

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
_WORD_VALUES = {
    w: i for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen twenty".split()
    )
} | {w: 10 * i for i, w in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), start=3)}  # fmt: skip
_ORDINALS = {
    w: i for i, w in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1)
}  # fmt: skip
_SCALES = {
    "hundred": 2, "thousand": 3, "k": 3, "million": 6, "mn": 6, "m": 6, "billion": 9, "bn": 9, "b": 9, "trillion": 12, "tn": 12,
}  # fmt: skip
_CURRENCIES = {
    "$": "usd", "us$": "usd", "usd": "usd", "dollar": "usd", "€": "eur", "eur": "eur", "euro": "eur", "£": "gbp", "gbp": "gbp",
    "pound": "gbp", "¥": "jpy", "jpy": "jpy", "yen": "jpy", "cny": "cny", "rmb": "cny", "yuan": "cny", "₫": "vnd", "vnd": "vnd",
    "dong": "vnd", "s$": "sgd", "sgd": "sgd", "a$": "aud", "aud": "aud", "hk$": "hkd", "hkd": "hkd", "nt$": "twd", "twd": "twd",
    "c$": "cad", "cad": "cad", "krw": "krw", "won": "krw", "₩": "krw", "inr": "inr", "rupee": "inr", "₹": "inr", "idr": "idr",
    "rupiah": "idr", "myr": "myr", "ringgit": "myr", "thb": "thb", "baht": "thb", "php": "php", "peso": "php", "chf": "chf",
    "nok": "nok", "kroner": "nok", "sek": "sek", "kronor": "sek", "dkk": "dkk", "pln": "pln", "brl": "brl", "real": "brl", "zar": "zar",
    "rand": "zar", "try": "try", "lira": "try", "mxn": "mxn", "clp": "clp",
}  # fmt: skip
_SIGN = r"(?:(?:US|S|A|C|HK|NT)?\$|[€£¥₫₩₹]|\b(?:USD|EUR|GBP|JPY|CNY|RMB|VND|SGD|AUD|HKD|TWD|CAD|KRW|INR|IDR|MYR|THB|PHP|CHF|NOK|SEK|DKK|PLN|BRL|ZAR|TRY|MXN|CLP)\b)"
_UNIT_WORD = r"(?:dollars?|euros?|pounds?|yen|yuan|dong|won|rupees?|rupiah|ringgit|baht|pesos?|kroner|kronor|rand|lira)"
_FIGURE = re.compile(
    rf"(?P<before>{_SIGN})?\s?(?<![\w.])(?P<number>\d[\d,]*(?:\.\d+)?)(?P<ordinal>st|nd|rd|th)?\b"
    rf"(?:[\s-]?(?P<scale>hundred|thousand|million|billion|trillion|k|mn|m|bn|b|tn)(?!\w))?"
    rf"(?P<percent>\s?%|[\s-]per\s?cent(?:age)?\b)?(?:\s(?P<after>{_SIGN}|{_UNIT_WORD}\b))?",
    re.I,
)
_IN_WORDS = re.compile(
    rf"\b(?P<word>{'|'.join(_WORD_VALUES)}|{'|'.join(_ORDINALS)})(?:-(?P<unit>{'|'.join(list(_WORD_VALUES)[1:10])}))?"
    rf"(?:[\s-](?P<scale>hundred|thousand|million|billion|trillion)\b)?(?P<percent>\sper\s?cent\b|\spercent\b)?"
    rf"(?:\s(?P<after>{_UNIT_WORD}\b))?(?!\w)",
    re.I,
)
_FEW = "one|two|three|four|five|six|seven|eight|nine|ten"
_FRACTION = re.compile(
    rf"\b(?:(?:an?|one)\s(?P<part>third|quarter|fifth|sixth|seventh|eighth|ninth|tenth)(?=\sof\b|\W*$|\s?[^\w\s])"
    rf"|(?P<several>{_FEW})[\s-](?P<parts>thirds|quarters|fifths|sixths|sevenths|eighths|ninths|tenths)"
    r"|(?<!first )(?<!second )(?<!latter )(?P<half>half)(?=\s(?:of|the|its|their|all)\b)"
    rf"|(?P<some>{_FEW}|\d(?=\sout))(?:\s(?:in|out of)|\s[a-z]+\sin(?=\s\w+(?:\s(?:is|are|was|were|has|have|had)\b|\W*$|,)))\s(?:every\s)?"
    rf"(?P<whole>{_FEW}|\d\d?)(?!\s(?:seconds|minutes|hours|days|weeks|months|years|decades)))\b(?![\d.,]*\d)",
    re.I,
)
_PARTS = {w: i for i, w in enumerate("third quarter fifth sixth seventh eighth ninth tenth".split(), start=3)}
_RANGE = re.compile(r"\s?(?:to|and|or|[-–—])\s?")
_HEDGES = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|some|nearly|almost|over|under|more than|less than|close to|circa)|~)\s*$",
    re.I,
)
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


FRACTION = "fraction"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure at `start:end` of a sentence. `kind` is "percent", "ordinal", "plain" or a currency's ISO code.

    `hedge` is the word before it that makes it less exact, or FRACTION for a share in words: "a fifth" is some 20%.
    """

    value: Decimal
    kind: str
    hedge: str
    start: int
    end: int


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
    figures = _figures(text, taken)
    taken += [(f.start, f.end) for f in figures]
    return Claims(text, figures, dates, _tokens(text, taken))


def negated(claims: Claims, reach: int = 4) -> list[frozenset[str]]:
    """Return, for each negation of a sentence, the stems of the words that follow it, at most `reach` of them.

    The first is what is denied; where nothing follows, the words before it count.
    """
    scopes = []
    for match in _NEGATOR.finditer(claims.text):
        stop = _SCOPE_END.search(claims.text, match.end())
        until = stop.start() if stop else len(claims.text)
        after = [t.stem for t in claims.tokens if t.term and match.end() <= t.start < until][:reach]
        before = [t.stem for t in claims.tokens if t.term and t.start < match.start()][-reach:]
        if after or before:
            scopes.append(frozenset(after or before))
    return scopes


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


def _figures(text: str, taken: list[tuple[int, int]]) -> tuple[Figure, ...]:
    found = [f for f in map(_share, _FRACTION.finditer(text)) if f.value <= 100]
    for pattern in (_FIGURE, _IN_WORDS):
        for match in pattern.finditer(text):
            parts = match.groupdict()
            start = match.start("word") if "word" in parts else match.start("number")
            if any(start < b and match.end() > a for a, b in [*taken, *((f.start, f.end) for f in found)]):
                continue
            figure = _figure(match, parts, _HEDGES.search(text, 0, match.start()))
            if figure and not (figure.kind == "ordinal" and text[figure.end : figure.end + 1] == ","):
                found.append(figure)
    found.sort(key=lambda f: f.start)
    return tuple(_as_in_range(text, f, after) for f, after in zip(found, [*found, None][1:], strict=True))


def _share(match: re.Match[str]) -> Figure:
    """Read a share in words, such as "two thirds", "half of" or "one in five"."""
    parts = {k: (v or "").lower() for k, v in match.groupdict().items()}
    if parts["whole"]:
        number, whole = (int(w) if w.isdigit() else _WORD_VALUES[w] for w in (parts["some"], parts["whole"]))
    elif parts["half"]:
        number, whole = 1, 2
    else:
        number = _WORD_VALUES[parts["several"] or "one"]
        whole = _PARTS[(parts["part"] or parts["parts"]).removesuffix("s")]
    return Figure(Decimal(100 * number) / (whole or 1), "percent", FRACTION, *match.span())


def _as_in_range(text: str, figure: Figure, after: Figure | None) -> Figure:
    """Give the first figure of "from 61 to 88 percent" the kind that is said of both."""
    if after and figure.kind == "plain" and after.kind == "percent" and after.hedge != FRACTION:
        if _RANGE.fullmatch(text, figure.end, after.start):
            return replace(figure, kind="percent")
    return figure


def _figure(match: re.Match[str], parts: dict[str, str | None], hedge: re.Match[str] | None) -> Figure | None:
    word = (parts.get("word") or "").lower()
    ordinal = bool(parts.get("ordinal")) or word in _ORDINALS
    if word:
        value = Decimal(_ORDINALS.get(word) or _WORD_VALUES.get(word, 0)) + _WORD_VALUES.get(
            (parts["unit"] or "").lower(), 0
        )
        # "one" and "first" stand in for nouns and adverbs more often than they count.
        if word in ("one", "first") and not parts["scale"] and not parts["percent"]:
            return None
    else:
        value = Decimal((parts["number"] or "0").replace(",", ""))
    scale = (parts["scale"] or "").lower()
    # "5 m" is a length, "USD 5 m" is money.
    if scale in ("m", "b", "k") and not parts.get("before"):
        scale = ""
    value = (value * Decimal(10) ** _SCALES.get(scale, 0)).normalize() + 0
    sign = (parts.get("before") or parts.get("after") or "").lower()
    currency = _CURRENCIES.get(sign) or _CURRENCIES.get(sign.rstrip("s"), "")
    kind = "percent" if parts["percent"] else "ordinal" if ordinal else currency or "plain"
    start = match.start() + len(match.group()) - len(match.group().lstrip())
    return Figure(Decimal(format(value, "f")), kind, hedge.group().strip().lower() if hedge else "", start, match.end())


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
