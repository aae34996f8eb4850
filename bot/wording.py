"""Phrases of several words, as the one word by which other texts say the same: general English alone."""

import re

_PHRASES = {
    r"chief executive(?: officer)?": "CEO",
    r"chief financial officer": "CFO",
    r"twice(?= as\b| th)|two times(?= as\b| th)|twofold": "double",
    r"left out(?: of)?": "excluded",
    r"leaves? out": "excludes",
    r"put off": "postponed",
    r"set up": "established",
    r"carr(?:y|ied) out": "conducted",
    r"took over": "acquired",
    r"(?:went|gone) up": "risen",
    r"goes up": "rises",
    r"(?:went|gone) down": "fallen",
    r"goes down": "falls",
    r"g(?:a|i)ven? up": "abandoned",
    r"(?:shut|closed) down": "closed",
    r"burn(?:ed|t) down": "destroyed by fire",
    r"point(?:s|ed)? out": "say",
    r"called off": "cancelled",
    r"turned down": "rejected",
    r"free of charge|at no (?:cost|charge)|for free": "free",
    r"(?:thrown|threw) (?:away|out)": "discarded",
    r"(?:fell|fallen|dropped|cut|reduced|shrunk|went down) by half": "halved",
}
_RULES = [(re.compile(rf"\b(?:{phrase})(?!\w)", re.I), word) for phrase, word in _PHRASES.items()]


def plain_wording(text: str) -> str:
    """Return a text with such phrases replaced.

    >>> plain_wording("Farms were left out of the plan, said its chief executive.")
    'Farms were excluded the plan, said its CEO.'
    """
    for pattern, word in _RULES:
        text = pattern.sub(word, text)
    return text
