"""Common English words: what a writer may choose freely, where other words have to stand in the source."""

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(resources.files("bot").joinpath("common_words.txt").read_text(encoding="utf-8").split())


def is_common(stem: str) -> bool:
    """Tell the stem of a common word."""
    return stem in _common()
