"""Is a question in another language than English? The one user of py3langid (Lui and Baldwin 2012)."""

import re
from functools import lru_cache
from typing import Any

from bot.common import is_ordinary
from index.lexical import Vocabulary
from index.terms import STOPWORDS, stem, words

FOREIGN = "I know few of these words: I read questions in English. (Tôi chỉ đọc được câu hỏi bằng tiếng Anh.)"
"""What is said to a question in another language; in Vietnamese too, which readers of this subject are likely to use."""

_LIKELY = 0.5
_WORD = re.compile(r"[^\W\d_]+")


def is_foreign(text: str, sources: Vocabulary | frozenset[str], nearest: str) -> bool:
    """Tell a question in another language than English, and than that of the `nearest` passage.

    At most half of its words are English or stand in the `sources` in their normal form, where accents are folded:
    “đầu” must not pass for the Dau of somebody's name. Questions made of names and of slips have few known words too,
    but are not likely to be of any language.

    >>> is_foreign("Wie viele Einwohner hat China?", frozenset({"china"}), "China is a country in East Asia.")
    True
    >>> is_foreign("viettl datacentrs", frozenset(), "Viettel operates 15 data centers.")
    False
    """
    asked = _WORD.findall(text)
    known = sum(w.isascii() and all(n in sources or _is_english(n) for n in words(w)) for w in asked)
    if not asked or 2 * known > len(asked):
        return False
    language, probability = _identifier().classify(text)
    return bool(language != "en" and probability >= _LIKELY and _identifier().classify(nearest)[0] != language)


def _is_english(word: str) -> bool:
    return word in STOPWORDS or is_ordinary(stem(word))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported here, for it takes half a second to load, and few questions need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
