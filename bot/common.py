"""Common English words: what a writer may choose freely, where other words have to stand in the source."""

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=2)
def _stems(file: str) -> frozenset[str]:
    return frozenset(resources.files("bot").joinpath(file).read_text(encoding="utf-8").split())


def is_common(stem: str) -> bool:
    """Tell the stem of a word that is common however it is written; no name is among them."""
    return stem in _stems("common_words.txt")


def is_ordinary(stem: str) -> bool:
    """Tell the stem of a common word, or of one that is ordinary if it is written small: `cook`, but also `Cook`."""
    return is_common(stem) or stem in _stems("ordinary_words.txt")
