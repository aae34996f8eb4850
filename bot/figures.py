"""The figures of a text as numbers: money, percentages, ordinals, shares in words, and what makes them less exact."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.spans import HEDGES
from corpus.sentences import Span

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
    rf"\b(?:(?:an?\s|(?P<by>by an?\s|one\s))(?P<part>third|quarter|fifth|sixth|seventh|eighth|ninth|tenth)(?(by)|(?=\sof\b|\W*$|\s?[^\w\s]))"
    rf"|(?P<several>{_FEW})[\s-](?P<parts>thirds|quarters|fifths|sixths|sevenths|eighths|ninths|tenths)"
    r"|(?<!first )(?<!second )(?<!latter )(?P<half>half)(?=\s(?:of|the|its|their|all)\b)"
    rf"|(?P<some>{_FEW}|\d(?=\sout))(?:\s(?:in|out of)|(?<!one)\sof(?=\s(?:every\s)?[a-z])|\s[a-z]+\sin(?=\s\w+(?:\s(?:is|are|was|were|has|have|had)\b|\W*$|,)))\s(?:every\s)?"
    rf"(?P<whole>{_FEW}|\d\d?)(?!\s(?:seconds|minutes|hours|days|weeks|months|years|decades)))\b(?![\d.,]*\d)",
    re.I,
)
_PARTS = {w: i for i, w in enumerate("third quarter fifth sixth seventh eighth ninth tenth".split(), start=3)}
_RANGE = re.compile(r"\s?(?:to|and|or|[-–—])\s?")
_HEDGES = re.compile(rf"(?:\b(?:{HEDGES}|circa)|~)\s*$", re.I)
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


def figures_of(text: str, taken: Sequence[Span] = ()) -> tuple[Figure, ...]:
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
    shared = after and figure.kind == "plain" and after.kind == "percent" and after.hedge != FRACTION
    if after and shared and _RANGE.fullmatch(text, figure.end, after.start):
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
