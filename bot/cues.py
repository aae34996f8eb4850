"""Small cues of language that tell an answer from a sentence that merely speaks of the same things."""

import re
from collections.abc import Collection
from functools import lru_cache

from bot.opposites import OPPOSITES
from index.terms import STOPWORDS, stem, stems, words

_CAUSE = re.compile(
    r"\b(?:because|since|due to|owing to|as a result|thanks to|so that|so as to|in order to|therefore|hence|reasons?|"
    r"caus(?:e[sd]?|ing)|driven by|led to|explain\w*|blam\w+|attribut\w+|otherwise|want(?:s|ed)?|aim(?:s|ed)?|lets?|"
    r"allow(?:s|ed|ing)?|mak(?:es|ing)|meant|for (?:want|lack|fear)|which (?:makes|made|means|meant)|"
    r"to (?:avoid|keep|make|let|help|allow|reduce|protect|prevent|cut|save|give|ensure|meet|stop|get|raise|train)|"
    r"as (?:it|they|the|its|their|he|she|no|there|many|most|few|some))\b",
    re.I,
)
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|without|cannot|nobody|nothing)\b|n[’']t\b", re.I)
_COUNTED = re.compile(
    r"\bhow (?:many|much)(?: more| fewer| other| new| of the)? ((?:[\w’'-]+ ?){1,4})"
    r"|\b(?:number|amount|count|total) of ((?:[\w’'-]+ ?){1,4})",
    re.I,
)
_COUNTED_END = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must|in|on|at|by|for|from|to|of|with|"
    r"that|which|who|there|went|came|took|get|got|the|a|an)\b.*",
    re.I,
)
WISHES = (
    r"aims?|aimed|goals?|targets?|targeted|plans?|planned|wants?|wanted|hopes?|hoped|intends?|pledge[sd]?|promise[sd]?|"
    r"propose[sd]?|ambitions?"
)
"""A pattern of words that wish."""
# Of what is to come, or wished for: no answer to what is.
_PROSPECT = re.compile(
    rf"\b(?:{WISHES}|will|shall|would|could|might|planning|intended|expect(?:s|ed)?|forecasts?|predict(?:s|ed)?|project(?:s|ed)|"
    r"estimated for|due (?:to|in|by)|(?:is|are|was|were) to \w+|going to|upcoming|future|next|ahead of)\b",
    re.I,
)
# Words that say more, up, yes or first, and words that say less, down, no or last.
_UP = (
    "raise rise increase grow gain climb jump surge soar accelerate expand more higher above ahead over overtake exceed "
    "accept approve pass adopt allow permit win open begin enter join build create add include largest biggest highest "
    "most best longest fastest oldest cheaper early earlier improve strengthen success succeed buy hire keep advantage "
    "benefit strength"
)
_DOWN = (
    "cut lower fall decrease decline drop shrink lose slow plunge reduce fewer less below behind under lag reject refuse "
    "oppose block ban forbid prohibit close end leave quit demolish remove exclude smallest least lowest worst shortest "
    "slowest youngest dearer late later worsen weaken failure fail sell dismiss abandon drawback harm weakness withdraw"
)


UPS, DOWNS = stems(_UP), stems(_DOWN)
"""The stems of words that point up, or forward, and down, or back."""


# The same sentences are retrieved for one question after another.
_KNOWN = 20_000


@lru_cache(maxsize=_KNOWN)
def gives_cause(text: str) -> bool:
    """Tell whether a text has a word of cause or purpose."""
    return bool(_CAUSE.search(text))


@lru_cache(maxsize=_KNOWN)
def negates(text: str) -> bool:
    """Tell whether a text has a word of negation."""
    return bool(_NEGATION.search(text))


@lru_cache(maxsize=_KNOWN)
def prospective(text: str) -> bool:
    """Tell whether a text speaks of what is to come or is wished for.

    >>> prospective("Vietnam wants 50,000 engineers by 2030."), prospective("Vietnam has 50,000 engineers.")
    (True, False)
    """
    return bool(_PROSPECT.search(text))


def opposed(asked: Collection[str], said: Collection[str]) -> bool:
    """Tell whether a sentence says the contrary of what a question takes for granted: its stems point the other way.

    >>> opposed(stems("Why did it cut its forecast?"), stems("It raised its forecast."))
    True
    """
    asked, said = set(asked), set(said)
    if any(t not in said and said & OPPOSITES[t] and not asked & OPPOSITES[t] for t in asked & OPPOSITES.keys()):
        return True
    up, down = asked & UPS, asked & DOWNS
    return bool(
        (up and not said & up and said & DOWNS and not said & UPS)
        or (down and not said & down and said & UPS and not said & DOWNS)
    )


def counted(question: str) -> tuple[str, ...]:
    """Return the stems of what a question counts, its noun last.

    >>> counted("How many data centers does Viettel operate?")
    ('data', 'center')
    """
    match = _COUNTED.search(question)
    if not match:
        return ()
    phrase = _COUNTED_END.sub("", match.group(1) or match.group(2))
    return tuple(stem(w) for w in words(phrase) if w not in STOPWORDS)[:3]
