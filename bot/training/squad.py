"""How SQuAD compares answers (Rajpurkar et al. 2016)."""

import re
import string
from collections import Counter


def normalised(text: str) -> str:
    """Return an answer without case, punctuation, articles and extra space.

    >>> normalised("The  Norman-French.")
    'normanfrench'
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(said: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall of the words of an answer; two empty answers agree."""
    a, b = normalised(said).split(), normalised(gold).split()
    if not a or not b:
        return float(a == b)
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b))
