"""What an acronym stands for, by the words before its brackets (Schwartz and Hearst 2003)."""

import re

ASKS = re.compile(r"\b(?:stands? for|short for|acronym|abbreviation|spelt out|spelled out|full form|full name)\b", re.I)
_ACRONYM = re.compile(r"\b[A-ZĐ][\w&-]*[A-ZĐ0-9]\b")


def acronyms(text: str) -> list[str]:
    """Return the acronyms of a text in their order.

    >>> acronyms("What does GII stand for?")
    ['GII']
    """
    return [m.group() for m in _ACRONYM.finditer(text) if sum(c.isupper() for c in m.group()) >= 2]


def expansion(text: str, acronym: str) -> str | None:
    """Return the words that a text gives for an acronym, or None.

    >>> expansion("In the Global Innovation Index (GII) Vietnam came 44th.", "GII")
    'Global Innovation Index'
    >>> expansion("WIN (Worldwide Independent Network) asked 40 countries.", "WIN")
    'Worldwide Independent Network'
    """
    after = re.search(rf"\b{re.escape(acronym)} \(([^()]{{4,120}})\)", text)
    if after and _spells(after.group(1).split(), acronym) is not None:
        return after.group(1)
    before = re.search(rf"\(\s*{re.escape(acronym)}s?\s*[);,]", text)
    if not before:
        return None
    preceding = text[: before.start()].split()[-min(len(acronym) + 5, 2 * len(acronym)) - 3 :]
    start = _spells(preceding, acronym)
    return " ".join(preceding[start:]) if start is not None else None


def _spells(words: list[str], acronym: str) -> int | None:
    """Return the place of the word from which on the words spell an acronym, matched from its end, or None.

    Each letter stands in a word, in order, and the first letter begins the first word.
    """
    letters = [c for c in acronym.lower() if c.isalnum()]
    word, at = len(words) - 1, len(words[-1]) - 1 if words else -1
    for place in range(len(letters) - 1, -1, -1):
        while word >= 0:
            if at < 0:
                word, at = word - 1, len(words[word - 1]) - 1 if word else -1
            elif words[word][at].lower() == letters[place] and (place > 0 or at == 0):
                at -= 1
                break
            else:
                at -= 1
        else:
            return None
    return word
