"""Is a question in another language than English? The one user of py3langid (Lui and Baldwin 2012)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from index.terms import words

FOREIGN = "I know few of these words: I read questions in English. (Tôi chỉ đọc được câu hỏi bằng tiếng Anh.)"
"""What is said to a question in another language; in Vietnamese too, which readers of this subject are likely to use."""

_LIKELY = 0.5
_WORD = re.compile(r"[^\W\d_]+")


def is_foreign(text: str, is_known: Callable[[str], bool], nearest: str) -> bool:
    """Tell a question in another language than English, and than that of the `nearest` passage.

    `is_known` tells the normal forms of words that are English or stand in the sources. At most half of its words are
    such: accents are folded in normal forms, and “đầu” must not pass for the Dau of somebody's name. Questions made of
    names and of slips have few known words too, but are not likely to be of any language.

    >>> is_foreign("Wie viele Einwohner hat China?", {"china"}.__contains__, "China is a country in East Asia.")
    True
    >>> is_foreign("viettl datacentrs", set().__contains__, "Viettel operates 15 data centers.")
    False
    """
    asked = _WORD.findall(text)
    known = sum(w.isascii() and all(map(is_known, words(w))) for w in asked)
    if not asked or 2 * known > len(asked):
        return False
    language, probability = _identifier().classify(text)
    return bool(language != "en" and probability >= _LIKELY and _identifier().classify(nearest)[0] != language)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported here, for it takes half a second to load, and few questions need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
