"""Does a passage speak of what a question names: the firm, the country, the version?"""

import re
from collections.abc import Callable, Iterable, Sequence

from bot.common import is_ordinary
from bot.places import countries
from bot.question import NAMES, VERSION, Reading
from corpus.documents import Document
from corpus.tables import begins_with_row
from index.terms import STOPWORDS, matches, sentence_terms, stem, words

_CALENDAR = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Q"
)
# The inverse document frequency from which a name is rare: that of one in a tenth of the passages.
_RARE = 2.3
_OPENING = 300


def weakest_name(
    reading: Reading, said: frozenset[str], passage: str, idf: Callable[[str], float], apart: Iterable[str] = ()
) -> float:
    """Return 1 where a passage has all names of a question in its terms `said`, and down to 0.5 where one is missing.

    A text names its subject once and goes on without it, so a name that most of the corpus has is missed least: `idf`
    tells how rare a term is. So is a name of several words that the passage has only `apart`, which are its terms. 0 where
    the passage speaks of another country than the one asked about, or of another version.
    """
    if other_version(reading, passage):
        return 0.0
    missing = [*apart, *(n for n in reading.names if not matches(n, said))]
    if not missing:
        return 1.0
    asked, there = set(countries(reading.text)), set(countries(passage))
    if asked - there and there - asked:
        return 0.0
    return 1 - 0.5 * min(1.0, max(map(idf, missing)) / _RARE)


def names_apart(reading: Reading, texts: Sequence[str]) -> list[list[str]]:
    """Return, for each text, the terms of the names of several words that it has not as they stand, and another text has."""
    result: list[list[str]] = [[] for _ in texts]
    for name in whole_names(reading):
        whole = [_has_whole(name, text) for text in texts]
        for terms, has in zip(result, whole, strict=True):
            terms += () if has or not any(whole) else name
    return result


def whole_names(reading: Reading) -> list[tuple[str, ...]]:
    """Return the names of several words in a question, each as its terms.

    "Viettel AI" is another than Viettel, of which a text may well say something about AI. A country before a name only
    says where it is: "US AI investment".

    >>> from bot.question import read_question
    >>> whole_names(read_question("Does Viettel AI know US AI investors?"))
    [('viettel', 'ai')]
    """
    found: list[tuple[str, ...]] = []
    if reading.text.isupper():
        return found
    for match in NAMES.finditer(reading.text):
        parts = match.group().split()
        # A capital that only begins the question.
        if match.start() == 0 and all(w in STOPWORDS or is_ordinary(stem(w)) for w in words(parts[0])):
            parts = parts[1:]
        while parts and countries(parts[0]):
            parts = parts[1:]
        terms = tuple(t for p in parts for t in map(stem, words(p)))
        if len(parts) > 1 and len(terms) > 1:
            found.append(terms)
    return found


def _has_whole(name: tuple[str, ...], text: str) -> bool:
    # A long text is cut into words only where it has all of the name.
    return sentence_terms(text).issuperset(name) and f" {' '.join(name)} " in f" {' '.join(map(stem, words(text)))} "


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
