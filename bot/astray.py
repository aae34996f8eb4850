"""Whose figure is it? Tell a span that a sentence gives of another thing than the one asked about."""

import re
from collections.abc import Collection

from bot.spans import HEDGES
from index.terms import matches, stems, words

_NAME = re.compile(r"\b(?:[A-ZÀ-ÖØ-ÞĐ][\w’'&-]*|\d+[A-Z]\w*)")
_BOUNDARY = re.compile(r"[,;:] |\b(?:and|while|whereas|but|than|against|which|ahead of|behind)\b")
_SOURCE = re.compile(
    r"\b(?:according to|says?|said|estimates?|reports?|reported|finds?|found|puts?|by (?:the|its|their) \w+ (?:of|in|at|from))\b[^,;]*"
)
_HEDGE = rf"(?:(?:{HEDGES}|the|an?)\s+)*"
_OWNER = re.compile(
    rf"((?:[A-ZÀ-ÖØ-ÞĐ][\w&.-]*\s)*[A-ZÀ-ÖØ-ÞĐ][\w&.-]*)(?:[’']s?|\s(?!of\b|in\b|and\b|or\b|to\b|for\b|by\b|at\b|on\b)(?!(?:{HEDGES})\b)[a-z]+)\s{_HEDGE}$"
)
_PLACED = re.compile(r"\b(?:in|of|at|by|near|from|for|with|the)\s$", re.I)


def astray(sentence: str, start: int, end: int, wanted: Collection[str]) -> bool:
    """Tell whether `sentence[start:end]` belongs to another name than those asked for.

    `wanted` are the stems of the question's names and figures. It does where one of them is named only beyond the
    clause that follows, and another name, which is not asked for, stands before. Who says so is nobody's figure.
    It does as well where another name owns it, or does it, right before: "China holds 800 patents".

    >>> text = "Vietnam scored 59 points and came 6th, ahead of South Korea."
    >>> astray(text, 15, 17, {"south", "korea"}), astray(text, 15, 17, {"vietnam"})
    (True, False)
    >>> astray("Investment came to 2.6 billion in France and 1.9 billion in Germany.", 45, 56, {"germani"})
    False
    >>> astray("A man of Orlo told us that China holds 800 patents.", 39, 50, {"orlo"})
    True
    """
    asked = frozenset(wanted)
    owner = _OWNER.search(sentence[:start])
    if owner and any(w.isalpha() for w in asked) and not _opens(sentence, owner.group(1)):
        own = stems(owner.group(1))
        clause = re.split(r"\bthat\b", _BOUNDARY.split(sentence[: owner.start()])[-1])[-1]
        named = any(matches(t, asked) for t in stems(clause))
        if own and not named and not _PLACED.search(clause) and not any(matches(t, asked) for t in own):
            return True
    before, after = sentence[:start], sentence[end:]
    boundary = _BOUNDARY.search(after)
    beside, beyond = (after[: boundary.start()], after[boundary.start() :]) if boundary else (after, "")
    near = stems(before + " " + beside)
    far = stems(_SOURCE.sub(" ", beyond))
    only_beyond = [t for t in asked if matches(t, far) and not matches(t, near)]
    others = [m.group() for m in _NAME.finditer(before) if not _opens(sentence, m.group())]
    return bool(only_beyond) and any(not any(matches(t, asked) for t in stems(n)) for n in others if words(n))


def _opens(sentence: str, name: str) -> bool:
    """Tell a capital that only begins the sentence: an article, a preposition, a verb form."""
    return sentence.startswith(name) and bool(
        re.match(
            r"(?:the|in|of|by|at|on|for|from|an?|over|under|after|before|during|since|its?|their|\w+ing)\b", name, re.I
        )
    )
