"""Countries named in a text, under one name each: “US”, “American” and “United States” are one. The one user of babel."""

import re
from functools import lru_cache

from index.terms import words

# Territories of CLDR that are no country.
_NONE = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
# Ordinary words that begin small: what is left are names, so that a bird is not taken for Turkey.
_SMALL = re.compile(r"\b[a-zà-öø-ÿ][\w'’]*")


@lru_cache(maxsize=5_000)
def countries(text: str) -> tuple[str, ...]:
    """Return the countries that a text names, in its order, each once.

    >>> countries("In 2024 Chinese firms raised more than those of the UAE, but less than in the US")
    ('China', 'United Arab Emirates', 'United States')
    """
    return _named(text, _territories()[0])


def is_country(text: str) -> bool:
    """Tell a text that is the name of a country and nothing else."""
    return tuple(words(text)) in _territories()[0]


def regions(text: str) -> tuple[str, ...]:
    """Return the parts of the world that a text names, as `countries` does.

    >>> regions("Southeast Asia")
    ('Southeast Asia',)
    """
    return _named(text, _territories()[1])


def _named(text: str, names: dict[tuple[str, ...], str]) -> tuple[str, ...]:
    found, tokens, i = [], words(_SMALL.sub(" ", text)), 0
    longest = max(map(len, names))
    while i < len(tokens):
        # The longest name first: Papua New Guinea is not Guinea.
        length = next((n for n in range(longest, 0, -1) if tuple(tokens[i : i + n]) in names), 0)
        if length:
            found.append(names[tuple(tokens[i : i + length])])
        i += length or 1
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _territories() -> tuple[dict[tuple[str, ...], str], dict[tuple[str, ...], str]]:
    """Return the names of countries and of regions by their words, from Unicode's CLDR."""
    from babel import Locale

    here: dict[tuple[str, ...], str] = {("uae",): "United Arab Emirates"}
    wide: dict[tuple[str, ...], str] = {}
    for code, full in Locale("en").territories.items():
        name = re.sub(r" SAR China$| \(.*\)$", "", full)
        if code.isdigit():
            wide[tuple(words(name))] = name[:1].upper() + name[1:]
        elif code not in _NONE:
            here[tuple(words(name))] = name
    return here, wide
