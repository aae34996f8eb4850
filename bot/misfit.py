"""Can it be what is asked for? Tell an answer that is of another kind than the question's, whatever words they share."""

import re
from collections.abc import Sequence

from bot.cues import WISHES, prospective
from bot.question import Reading
from bot.spans import Typed
from index.terms import stems

# A share may be said without a percentage.
_SHARE = re.compile(
    r"\b(?:half|halves|thirds?|quarters?|fifths?|sixths?|eighths?|tenths?|majority|minority|most|all|none|nobody|in every|"
    r"out of|(?:one|two|three|four|\d+) in (?:two|three|four|five|six|seven|eight|nine|ten|\d{1,3}))\b|\d of (?:the|its|their|\d)|%|per ?cent|\bpoints?\b",
    re.I,
)
_TIME = re.compile(
    r"\b(?:(?:second|minute|hour|day|night|week|month|quarter|year|decade)s?|centur(?:y|ies)|aged?)\b", re.I
)
# A rate may be one of deaths to births.
_PORTION = re.compile(r"\b(?:share|percentage|percent|proportion|fraction|what part)\b", re.I)
_SCORE = re.compile(r"^(?:points?|percent)", re.I)
# "How long" may ask for metres.
_AGE = re.compile(
    r"\bhow old\b|\b(?:what|which) age\b|\bfor how long\b|\bhow many (?:years|months|weeks|days|hours|minutes)\b", re.I
)
_MEASURES = frozenset({"money", "percent"})
_NEAR = 25
"""How many characters before a figure say what it is of: "at the age of"."""
# "The ministry said in May that it would …": May is when it spoke.
_SPOKEN = re.compile(
    r"\b(said|says|told|stated|reported|announced|estimated|found|published|wrote|according to|report|study|survey|poll|article|"
    r"interview|statement|press release|forecast)\b[^,;:]{0,40}?\b(?:in|on|of|from|dated)\s(?:early |mid-?|late )?$",
    re.I,
)
_SPEAKS = re.compile(r"[^,;:]{1,80}?\b(said|told|stated|reported|announced|estimated|found|wrote|warned)\b")
_HEAD = re.compile(r"(?:in|on)(?: early| mid| late)? ?", re.I)
_RANGE = re.compile(r"(?:\s?[-–]\s?|\sto\s)[\d.,]*\d")
_UNDER = re.compile(r"\b(?:deputy|vice|acting|assistant|associate|interim|ex)[ -]([\w-]+)", re.I)
_NOW = re.compile(
    r"\b(?:so far|to date|today|currently|at present|presently|right now|at the moment|these days|already|by now)\b",
    re.I,
)
_WISH = re.compile(rf"\b(?:{WISHES}|(?:is|are) to (?:have|be|get|build|open|hold|reach))\b", re.I)
_THERE = re.compile(
    r"\b(?:has|have|had|is|are|was|were|cost|costs|runs?|owns?)\b(?! (?:to|a goal|the goal|planned|wanted|proposed|targeted)\b)",
    re.I,
)
_CLAUSE = re.compile(r"[,;:] |\b(?:and|but|while|whereas)\b")


def misfit(reading: Reading, sentence: str, spans: Sequence[Typed], pointed: tuple[int, int]) -> bool:
    """Tell whether `sentence[start:end]`, `pointed`, cannot be what a question asks for, though it may look like it.

    It cannot where it is a number and a share is asked for, points and a rank is, or an age and it counts other things; a date on which
    something was said, and not that of what was said; the deputy of whom is asked for; or a plan, asked what is so today.

    >>> from bot.question import read_question
    >>> from bot.spans import typed_spans
    >>> text = "Le Van An, deputy director of the Lotus Centre, said in May 2025 that it would open a school."
    >>> place = (text.index("May"), text.index("May") + 8)
    >>> misfit(read_question("When will the Lotus Centre open a school?"), text, typed_spans(text), place)
    True
    >>> misfit(read_question("Who is the director of the Lotus Centre?"), text, typed_spans(text), (0, 9))
    True
    """
    start, end = pointed
    # "150,000-200,000 workers" is one figure.
    further = _RANGE.match(sentence[end:])
    end += further.end() if further else 0
    own = [s for s in spans if s.kind != "name" and s.start < end and s.end > start]
    if (
        _PORTION.search(reading.text)
        and own
        and not any(s.kind == "percent" for s in own)
        and not _SHARE.search(sentence)
    ):
        return True
    if reading.expected == "rank" and own and all(s.kind in _MEASURES or _SCORE.search(s.unit) for s in own):
        return True
    counts = any(s.kind in _MEASURES or s.unit for s in own)
    what = " ".join([sentence[max(0, start - _NEAR) : end], *(s.unit for s in own)])
    if _AGE.search(reading.text) and counts and not _TIME.search(what):
        return True
    if reading.expected == "date":
        spoken = _SPOKEN.search(sentence[:start])
        if not spoken and _HEAD.fullmatch(sentence[:start]):
            spoken = _SPEAKS.match(sentence[end:])
        if spoken and not stems(spoken.group(1).removesuffix(" to")) & stems(reading.text):
            return True
    return _another_role(reading, sentence) or (not prospective(reading.text) and _is_wish(reading, sentence, start))


def _is_wish(reading: Reading, sentence: str, start: int) -> bool:
    """Tell whether what stands at `start` is wanted and not there: "wants 50,000 engineers", asked how many there are."""
    # What stands since the last verb that says what is: "the clinic that was planned has 40 nurses".
    before = _THERE.split(_CLAUSE.split(sentence[:start])[-1])[-1]
    if _NOW.search(reading.text):
        return prospective(before)
    return reading.expected in ("quantity", "money", "percent") and bool(_WISH.search(before))


def _another_role(reading: Reading, sentence: str) -> bool:
    """Tell whether a sentence names an office of the question only as that of a deputy."""
    under = stems(" ".join(_UNDER.findall(sentence))) & stems(reading.text)
    if not under or _UNDER.search(reading.text):
        return False
    return not under <= stems(_UNDER.sub(" ", sentence))
