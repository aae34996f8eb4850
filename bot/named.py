"""Does a passage speak of what a question names: the firm, the country, the version?"""

import re
from collections.abc import Callable

from bot.places import countries
from bot.question import VERSION, Reading
from corpus.documents import Document
from corpus.tables import begins_with_row
from index.terms import matches

_CALENDAR = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Q"
)
# The inverse document frequency from which a name is rare: that of one in a tenth of the passages.
_RARE = 2.3
_OPENING = 300


def weakest_name(reading: Reading, said: frozenset[str], passage: str, idf: Callable[[str], float]) -> float:
    """Return 1 where a passage has all names of a question in its terms `said`, and down to 0.5 where one is missing.

    A text names its subject once and goes on without it, so a name that most of the corpus has is missed least: `idf`
    tells how rare a term is. 0 where the passage speaks of another country than the one asked about, or of another version.
    """
    if other_version(reading, passage):
        return 0.0
    missing = [n for n in reading.names if not matches(n, said)]
    if not missing:
        return 1.0
    asked, there = set(countries(reading.text)), set(countries(passage))
    if asked - there and there - asked:
        return 0.0
    return 1 - 0.5 * min(1.0, max(map(idf, missing)) / _RARE)


def other_version(reading: Reading, text: str) -> bool:
    """Tell whether a text speaks of other versions of what a question names, and not of the one that it names.

    >>> from bot.question import read_question
    >>> other_version(read_question("What did Llama 4 cost?"), "Llama 3.1 cost more than GPT-4.")
    True
    """
    for name, number in VERSION.findall(reading.text):
        if number not in reading.years and not _CALENDAR.fullmatch(name):
            said = re.findall(rf"\b{re.escape(name)}[ -](\d[\w.]*\w|\d)\b", text, re.I)
            if said and number.lower() not in (s.lower() for s in said):
                return True
    return False


def opening(document: Document) -> str:
    """Return how a text begins: it says there of whom it goes on to speak as "we" or "the firm".

    Nothing of facts, which say all themselves, and of tables, whose first rows say nothing of the others.
    """
    if document.kind == "fact" or begins_with_row(document.text):
        return ""
    return document.text[:_OPENING].rpartition(" ")[0] if len(document.text) > _OPENING else document.text
