"""Two tabs of the page as HTML: the facts to browse with charts of them, and what the corpus holds and how answers come about."""

import gzip
import json
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from bot.chain import Chain
from bot.charts import draw
from bot.config import version_of
from bot.facts import MOST, Fact, read_facts
from bot.markup import PAGE, PARTS, day
from index.catalogue import Group
from index.retriever import Index

_UNKNOWN = "unknown"
_LIBRARIES = ("chromadb", "onnxruntime", "langchain", "gradio")


@dataclass(frozen=True, slots=True)
class Holding:
    """What an index holds. `oldest` and `newest` are dates of sources as they are recorded; `undated` have none."""

    documents: int
    kinds: tuple[tuple[str, int], ...]
    facts: int
    publishers: int
    topics: tuple[tuple[str, int], ...]
    oldest: str | None
    newest: str | None
    undated: int


def render_explore(chain: Chain) -> bytes:
    """Return the HTML of the tab that lists the facts, packed by gzip. Made once for each generation of the index."""
    return _explore(chain.index)


def render_about(chain: Chain) -> str:
    """Return the HTML of the tab that tells about the corpus and the answers. Made once for each generation."""
    return _about(chain.index)


@lru_cache(maxsize=1)
def _facts(index: Index) -> list[Fact]:
    return read_facts(index.catalogue)


@lru_cache(maxsize=1)
def _explore(index: Index) -> bytes:
    facts = _facts(index)
    filters = {
        "topic": _options(f.topic for f in facts),
        "country": _options(place for f in facts for place in f.places),
        "year": _options(year for f in facts if f.years for year in {*f.years})[::-1],
        "source": _options(f.source for f in facts),
    }
    html = PARTS.get_template("explore.html").render(
        facts=facts, charts=draw(facts), filters=filters, most=MOST, documents=index.generation.documents
    )
    return gzip.compress(html.encode(), 5)


def _options(values: Iterable[Any]) -> list[str]:
    """Return the values that a filter offers, each once, in the order of the alphabet."""
    return sorted({str(value) for value in values}, key=str.casefold)


@lru_cache(maxsize=1)
def _about(index: Index) -> str:
    return PARTS.get_template("about.html").render(
        holding=holding(index.catalogue.groups(), len(_facts(index))),
        generation=index.generation,
        built=day(date.fromtimestamp(index.catalogue.written).isoformat()),
        measured=measured(),
        versions=[("gapbot", version_of() or _UNKNOWN), ("Python", platform.python_version())]
        + [(name, version_of(name) or _UNKNOWN) for name in _LIBRARIES],
    )


def measured() -> dict[str, Any]:
    """Return the figures that were measured of answers and of speed, as the README's tables have them."""
    figures: dict[str, Any] = json.loads((PAGE / "measured.json").read_text("utf-8"))
    return figures


def holding(groups: Iterable[Group], facts: int) -> Holding:
    """Sum up the groups of documents that a catalogue holds.

    >>> holding([Group("fact", "talent", "VnExpress", "2025-04", 3), Group("article", None, None, None, 1)], 5).kinds
    (('fact', 3), ('article', 1))
    """
    kinds, topics, dates = Counter[str](), Counter[str](), Counter[str | None]()
    publishers = set[str]()
    for g in groups:
        kinds[g.kind] += g.count
        dates[g.date] += g.count
        if g.topic:
            topics[g.topic.replace("-", " ")] += g.count
        if g.publisher:
            publishers.add(g.publisher)
    undated = dates.pop(None, 0)
    known = sorted(d for d in dates if d and d[:4].isdigit())
    return Holding(
        kinds.total(), tuple(kinds.most_common()), facts, len(publishers), tuple(topics.most_common()),
        known[0] if known else None, known[-1] if known else None, undated,
    )  # fmt: skip
