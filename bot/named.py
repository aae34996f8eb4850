"""Does a passage speak of what a question names: the firm, the country, the version?"""

import re

from bot.places import countries
from bot.question import VERSION, Reading
from index.terms import matches


def weakest_name(reading: Reading, said: frozenset[str], passage: str) -> float:
    """Return 1 where a passage has all names of a question, in its terms `said`; 0.5 where one is missing.

    A text names its subject once and goes on without it. 0 where it speaks of another place, or of another version.
    """
    if other_version(reading, passage):
        return 0.0
    if all(matches(n, said) for n in reading.names):
        return 1.0
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
