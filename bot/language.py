"""Is a question in another language than English? The one user of py3langid (Lui and Baldwin 2012)."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from index.terms import words

_LIKELY = 0.5


def is_foreign(text: str, is_known: Callable[[str], bool]) -> bool:
    """Tell a question in another language, at least half of whose words nobody here knows.

    `is_known` tells the normal forms of words that are English or stand in the sources. Questions made of names and of
    slips have many that are neither, but are not likely to be of any language.

    >>> is_foreign("Wie viele Einwohner hat China?", {"china"}.__contains__), is_foreign("viettl datacentrs", set().__contains__)
    (True, False)
    """
    asked = words(text)
    if not asked or 2 * sum(map(is_known, asked)) > len(asked):
        return False
    language, probability = _identifier().classify(text)
    return bool(language != "en" and probability >= _LIKELY)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported here, for it takes a while to load, and few questions need it.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
