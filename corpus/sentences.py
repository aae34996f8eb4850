"""Split text into sentences by offsets alone: spans of the text, never new strings.

Rule-based boundary detection in the manner of Punkt's later stages (Kiss and Strunk 2006) and of the
"golden rules" that sentence splitters are commonly tested with: a boundary needs terminal punctuation,
white space and a plausible start, and must not follow a known abbreviation or an initial.
"""

import re

Span = tuple[int, int]

# Abbreviations that are followed by more of the same sentence, whatever comes next.
_NEVER_LAST = frozenset(
    "mr mrs ms mx dr prof sen rep gov gen col capt lt sgt st mt ft hon rev pres vs cf viz al eq fig figs vol vols "
    "pp art arts sec nos tp ths ts gs pgs bs ks e.g i.e approx ca".split()
)
# Abbreviations that may end a sentence: a boundary only where the next word looks like a start.
_MAYBE_LAST = frozenset(
    "inc ltd co corp llc plc jr sr etc est dept univ assn bros a.m p.m u.s u.k u.n e.u d.c ph.d b.a m.a "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun no bn mn tr".split()
)
# "U.S." ends a sentence before any capital but these.
_STATES = frozenset("u.s u.k u.n e.u".split())
_OF_STATES = frozenset(
    "government congress president department senate house treasury commerce state supreme secretary ambassador army "
    "embassy dollar dollars citizens companies general security parliament council".split()
)
# Words that open a sentence far more often than they are a surname after an initial.
_STARTERS = frozenset(
    "the it they this that these those in on at by but then we there its their she if when while however according "
    "both most some many such as for after before since so yet".split()
)
_TERMINAL = re.compile(r"""(?:[.!?…]+|[。！？]+)["'”’»)\]】」』]*""")
_NEXT_WORD = re.compile(r"[^\W\d_]+")
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘«]+$")
_OPENING = "\"'“‘«([{¿¡「『【"


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the sentences of `text[start:end]` as spans without surrounding white space.

    >>> t = "It cost USD 1.5 billion. Dr. Le agreed."
    >>> [t[a:b] for a, b in sentence_spans(t)]
    ['It cost USD 1.5 billion.', 'Dr. Le agreed.']
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    first = start
    for match in _TERMINAL.finditer(text, start, end):
        if match.start() >= first and _is_boundary(text, match, first, end):
            _append(spans, text, first, match.end())
            first = match.end()
    _append(spans, text, first, end)
    return spans


def trimmed(text: str, start: int, end: int) -> Span:
    """Shrink a span until it neither starts nor ends with white space."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    start, end = trimmed(text, start, end)
    if start < end:
        spans.append((start, end))


def _is_boundary(text: str, match: re.Match[str], first: int, end: int) -> bool:
    mark = match.group()
    if mark[0] in "。！？":
        return True
    after = match.end()
    if after >= end:
        return True
    if not text[after].isspace():
        return False
    rest = after
    while rest < end and text[rest].isspace():
        rest += 1
    if rest >= end:
        return True
    following = text[rest]
    if following.islower():
        return False
    if mark.startswith("."):
        word = _WORD_BEFORE.search(text, max(first, match.start() - 30), match.start())
        token = word.group().lower() if word else ""
        if token in _NEVER_LAST:
            return False
        if token in _MAYBE_LAST and not (following.isupper() or following in _OPENING):
            return False
        if token == "no" and following.isdigit():
            return False
        next_word = _NEXT_WORD.match(text, rest, end)
        opener = next_word.group().lower() if next_word else ""
        if token in _STATES and opener in _OF_STATES:
            return False
        # A single capital letter is an initial ("J. Smith"), unless a sentence plainly starts after it ("plan B. The").
        if word and len(token) == 1 and word.group().isupper():
            return opener in _STARTERS
        # An enumeration mark on its own ("1. Foundation building") opens a sentence rather than closing one.
        if token.rstrip(".").isdigit() and text[first : match.start()].strip() == word.group() if word else False:
            return False
    return True
