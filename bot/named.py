"""Does a passage speak of what a question names: the firm, the country, the version?"""

import re

from bot.places import countries
from bot.question import VERSION, Reading
from index.terms import matches, sentence_terms

# How much of a document says what it is about, in characters.
_BEGINNING = 600


def weakest_name(reading: Reading, said: frozenset[str], passage: str, document: str) -> float:
    """Return 1 where a passage has all names of a question, 0.5 where the beginning of its document has the others.

    There a document says what it is about, and goes on without repeating it; unless the passage speaks of another place.
    """
    if other_version(reading, passage):
        return 0.0
    missing = [n for n in reading.names if not matches(n, said)]
    if not missing:
        return 1.0
    begun = sentence_terms(document[:_BEGINNING])
    if not all(matches(n, begun) for n in missing):
        return 0.0
    return 0.0 if set(countries(passage)) - set(countries(reading.text)) else 0.5


def other_version(reading: Reading, text: str) -> bool:
    """Tell whether a text speaks of other versions of what a question names, and not of the one that it names.

    >>> from bot.question import read_question
    >>> other_version(read_question("What did Llama 4 cost?"), "Llama 3.1 cost more than GPT-4.")
    True
    """
    for name, number in VERSION.findall(reading.text):
        if number not in reading.years:
            said = re.findall(rf"\b{re.escape(name)}[ -](\d[\w.]*\w|\d)\b", text, re.I)
            if said and number.lower() not in (s.lower() for s in said):
                return True
    return False
