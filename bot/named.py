"""Does a passage speak of what a question names: the firm, the country, the version?"""

import re
from collections.abc import Callable, Iterable, Sequence

from bot.common import is_ordinary
from bot.places import countries, is_country
from bot.question import NAMES, VERSION, Reading
from corpus.documents import Document
from corpus.tables import begins_with_row
from index.terms import STOPWORDS, fold, matches, stem, words

_CALENDAR = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Q"
)
# The inverse document frequency from which a name is rare: that of one in a tenth of the passages.
_RARE = 2.3
_OPENING = 300
_MOST_NAMES = 5


def weakest_name(
    reading: Reading, said: frozenset[str], passage: str, idf: Callable[[str], float], apart: Iterable[str] = ()
) -> float:
    """Return 1 where a passage has all names of a question in its terms `said`, and down to 0.5 where one is missing.

    A text names its subject once and goes on without it, so a name that most of the corpus has is missed least: `idf`
    tells how rare a term is. Missing are also the terms `apart` of names of several words, as `names_apart` gives them.
    0 where the passage speaks of another country than the one asked about, or of another version.
    """
    if other_version(reading, passage):
        return 0.0
    missing = [n for n in reading.names if not matches(n, said)]
    asked, there = (set(countries(reading.text)), set(countries(passage))) if missing else (set(), set())
    if asked - there and there - asked:
        return 0.0
    return 1 - 0.5 * min(1.0, max(map(idf, (*missing, *apart)), default=0.0) / _RARE)


def names_apart(reading: Reading, texts: Sequence[str]) -> list[list[str]]:
    """Return, for each text, the terms of the names of several words that it has not as they stand, and another text has.

    "Viettel AI" is another than Viettel, of which a text may well say something about AI.
    """
    result: list[list[str]] = [[] for _ in texts]
    names = whole_names(reading.text)
    folded = [fold(text) for text in texts] if names else []
    for name in names:
        # Written with a hyphen or across a line's end it is the same name; in the plural, too.
        pattern = re.compile(r"\b" + r"(?: |-|\n)".join(re.escape(w.removesuffix("s")) + "s?" for w in name) + r"\b")
        whole = [bool(pattern.search(text)) for text in folded]
        terms = [stem(w) for part in name for w in words(part)] if any(whole) else []
        for missing, has in zip(result, whole, strict=True):
            if not has:
                missing += terms
    return result


def whole_names(question: str) -> list[tuple[str, ...]]:
    """Return the first names of several words in a question, each as its words in small letters without accents.

    Not with a country before them, which only says where: "US AI investment".

    >>> whole_names("Does Viettel AI know US AI investors from Đà Nẵng?")
    [('viettel', 'ai'), ('da', 'nang')]
    """
    found: dict[tuple[str, ...], None] = {}
    if question.isupper():
        return []
    for match in NAMES.finditer(question):
        parts = match.group().split()
        # A capital that only begins the question.
        if match.start() == 0 and all(w in STOPWORDS or is_ordinary(stem(w)) for w in words(parts[0])):
            parts = parts[1:]
        while place := next((n for n in (3, 2, 1) if is_country(" ".join(parts[:n]))), 0):
            parts = parts[place:]
        if len(parts) > 1:
            found[tuple(fold(p) for p in parts)] = None
    return list(found)[:_MOST_NAMES]


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
