"""Find the typed spans of a sentence that can be a short answer: quantities, money, dates, ranks, names."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["money", "percent", "date", "duration", "rank", "quantity", "name"]

_NUMBER_WORD = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen|half|tens|hundreds|"
    r"thousands|millions)"
)
_NUMBER = r"\d(?:[\d,]*\d)?(?:\.\d+)?"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|k|m|mn|bn|tn)\b)"
_CURRENCY = (
    r"(?:USD|US\$|A\$|C\$|S\$|NT\$|HK\$|EUR|GBP|JPY|CNY|RMB|VND|KRW|INR|SGD|MYR|IDR|THB|PHP|AUD|CAD|CHF|SEK|NOK|DKK|CZK|PLN|"
    r"BRL|ZAR|AED|SAR|TWD|HKD|NZD|MXN|ARS|CRC|KES|NGN|TRY|RUB|[$€£¥₫₹])"
)
_CURRENCY_WORD = (
    r"(?:(?:US |American |Singapore |Hong Kong )?dollars?|euros?|pounds?|yuan|yen|won|dong|rupees?|ringgit|rupiah|baht|pesos?|"
    r"francs?|crowns?|kronor|kroner|dinars?|shillings?|lira|roubles?|rubles?|riyals?|dirhams?|lei|forints?|rand|naira|cents?)"
)
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
_YEAR = r"(?:1[5-9]\d\d|20\d\d|21\d\d)"
ABOUT = r"about|around|approximately|roughly|nearly|almost|some|close to"
"""A pattern of words before a figure that make it less exact."""
HEDGES = rf"{ABOUT}|more than|less than|over|under|at least|at most|up to|upwards of"
"""A pattern of these, and of words that make of a figure a bound."""
_HEDGE = rf"(?:\b(?:{HEDGES})\s+)?"
_TIME_UNIT = (
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|fortnights?|months?|quarters?|years?|decades?|centur(?:y|ies))"
)

_PATTERNS: list[tuple[Kind, re.Pattern[str]]] = [
    (
        "money",
        re.compile(
            rf"{_HEDGE}(?:{_CURRENCY}\s?{_NUMBER}{_SCALE}?(?:\s?(?:to|–|-|and)\s?{_CURRENCY}?\s?{_NUMBER}{_SCALE}?)?"
            rf"|{_NUMBER}{_SCALE}?\s(?:{_CURRENCY}\b|{_CURRENCY_WORD}\b))"
        ),
    ),
    (
        "percent",
        re.compile(rf"{_HEDGE}{_NUMBER}(?:\s?(?:to|–|-)\s?{_NUMBER})?\s?(?:%|per ?cent(?:age points?)?\b)", re.I),
    ),
    (
        "date",
        re.compile(
            rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s{_MONTH}(?:\s{_YEAR})?|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s{_YEAR})?"
            rf"|(?:early|mid|late|spring|summer|autumn|winter)?[- ]?{_MONTH}\s{_YEAR}|{_YEAR}-\d\d-\d\d"
            rf"|(?:Q[1-4]|(?:first|second|third|fourth) (?:quarter|half) of)\s{_YEAR}"
            rf"|{_YEAR}(?:\s?(?:to|–|-|and)\s?{_YEAR})?(?![\w,.]?\d)|{_YEAR}s)\b"
        ),
    ),
    (
        "rank",
        re.compile(
            r"\b(?:(?:rank(?:s|ed|ing)?|number|No\.?|#)\s?\d{1,3}\b|\d{1,3}(?:st|nd|rd|th)(?:\s(?:place|position|rank))?"
            r"(?:\s(?:out of|among|of)\s\d[\d,]*(?:\s[a-z]+)?)?"
            r"|(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)(?:\s(?:place|position|rank))?"
            r"(?:\s(?:out of|among|of)\s\d[\d,]*(?:\s[a-z]+)?)?|top\s(?:\d+|three|four|five|ten|twenty|fifty))\b",
            re.I,
        ),
    ),
    ("duration", re.compile(rf"{_HEDGE}\b(?:{_NUMBER}{_SCALE}?|{_NUMBER_WORD})[\s-]{_TIME_UNIT}\b", re.I)),
]
_QUANTITY = re.compile(rf"{_HEDGE}(?<![\w.])(?:{_NUMBER}{_SCALE}?(?![\d%]|st\b|nd\b|rd\b|th\b)|{_NUMBER_WORD}\b)", re.I)
_FOLLOWING = re.compile(r"[ -](?:of\s)?((?:[a-zA-Z][\w’'-]*[ -]?){1,4})")
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-ÞĐ][\w’'&.-]*(?:\s(?:of|de|da|du|van|von|bin|al|and|for|the)?\s?[A-ZÀ-ÖØ-ÞĐ0-9][\w’'&.-]*)*"
)
_OPENING = re.compile(
    r"(?:In|On|At|To|For|From|By|With|As|After|Before|During|Since|Until|Under|Over|Between|Among|Across|While|When|If|And|But)\s"
)
_CUT = re.compile(
    r"\b(?:of|in|on|at|to|for|from|by|with|as|and|or|but|is|are|was|were|has|have|had|will|can|could|would|may|a|an|the|that|which|who|"
    r"than|when|while|after|before|during|since|until|per|over|under|between|among|across|it|its|their|this|these|not|so|if|into|long|tall|high|wide|deep|old|away|more|less|only|each|every)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A span `text[start:end]` of a kind; `unit` is the words after a quantity."""

    kind: Kind
    start: int
    end: int
    text: str
    unit: str = ""


def typed_spans(sentence: str) -> list[Typed]:
    """Return the typed spans of a sentence in order, the more specific kind where two overlap.

    >>> [(s.kind, s.text) for s in typed_spans("Meta took 30.84 million GPU hours in 2024.")]
    [('name', 'Meta'), ('quantity', '30.84 million GPU hours'), ('date', '2024')]
    """
    found: list[Typed] = []

    def free(a: int, b: int) -> bool:
        return all(b <= s.start or a >= s.end for s in found)

    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(sentence):
            if free(*match.span()):
                found.append(Typed(kind, match.start(), match.end(), match.group()))
    for match in _QUANTITY.finditer(sentence):
        if not free(*match.span()):
            continue
        end, unit = match.end(), ""
        following = _FOLLOWING.match(sentence, end)
        if following:
            words = following.group(1)
            cut = _CUT.search(words)
            words = (words[: cut.start()] if cut else words).rstrip(" -")
            # A unit is a few words, "GPU hours" or "technology professionals", and ends before "people working in".
            words = re.sub(r"(?<=\w) \w+(?:ing|ed)\b.*", "", words)
            words = " ".join(re.split(r"\s+", words)[:4]).strip()
            if words:
                unit = words
                end = following.start(1) + len(words)
        if free(match.start(), end):
            found.append(Typed("quantity", match.start(), end, sentence[match.start() : end], unit))
    for match in _NAME.finditer(sentence):
        text = match.group().rstrip(".'’-&")
        text = re.sub(r"[’']s$", "", text)
        start = match.start()
        if not sentence[:start].strip("\"'“‘«( "):
            # "In Hanoi": the capital of the first word is the sentence's.
            opening = _OPENING.match(text)
            start, text = (start + opening.end(), text[opening.end() :]) if opening else (start, text)
        if free(start, start + len(text)) and len(text) > 1 and not _is_sentence_word(sentence, match, text):
            found.append(Typed("name", start, start + len(text), text))
    return sorted(found, key=lambda s: s.start)


def _is_sentence_word(sentence: str, match: re.Match[str], text: str) -> bool:
    """Tell a plain word that is capitalised because it opens the sentence from a name."""
    if sentence[: match.start()].strip("\"'“‘«( ") or " " in text or any(c.isupper() for c in text[1:]):
        return False
    return bool(_CUT.fullmatch(text)) or text.lower() in {
        "he", "she", "they", "we", "i", "you", "there", "here", "what", "how", "why", "where", "all", "some", "many", "most", "more",
        "each", "every", "both", "no", "only", "about", "training", "private", "investment", "experts", "speakers", "companies", "revenue",
    }  # fmt: skip
