"""A fragment of a question ("and China?", "in 2023") put in the place of its like in the question before."""

import re

from bot.question import read_question

PREPOSITION = re.compile(
    r"^(?:in|for|by|at|on|from|of|to|with|during|since|before|after|between|among|the|up|down|over|under)\b\s*", re.I
)
_YEAR = re.compile(r"\b(?:1[5-9]|20|21)\d\d\b")
NAME_RUN = re.compile(
    r"\b[A-ZÀ-ÖØ-ÞĐ][\w’'&-]*(?:\.\d\w*)*(?:\s(?:of\s|the\s|and\s)?[A-ZÀ-ÖØ-ÞĐ0-9][\w’'&-]*(?:\.\d\w*)*)*"
)
_WHO = re.compile(
    r"\b(?:do|does|did|has|have|had|is|are|was|were|can|could|will|would|of|by|at|for|to|from|in) $", re.I
)


def substitute(fragment: str, previous: str, typed: str) -> str:
    """Put a fragment ("China", "in 2023") in the place of its like in the previous question, or add it.

    `typed` is the previous question as it was typed: a name that stands there is meant before one carried over.
    """
    core = PREPOSITION.sub("", fragment)
    year = _YEAR.fullmatch(core.strip())
    inner = _YEAR.search(core)
    if inner and not year and _YEAR.search(previous):
        # "2025, for the UK": the year takes the place of the year, the rest that of its like.
        previous = _YEAR.sub(inner.group(), previous, count=1)
        rest = re.sub(r"^[\s,]+|[\s,]+$", "", core.replace(inner.group(), "", 1))
        rest = re.sub(
            r"(?:,? (?:i mean|that is|please|in|for|by|of))+$|^(?:,? ?(?:in|for|by|of) )+", "", rest, flags=re.I
        )
        return substitute(rest, previous, typed) if rest else previous
    if year and _YEAR.search(previous):
        return _YEAR.sub(year.group(), previous, count=1)
    target = like(core, previous, typed) if core[:1].isupper() and not year else None
    if target:
        text = target.group()
        suffix = re.search(r"[’']s$", text)
        before = previous[: target.start()]
        if text[:4].lower() != "the " and not core.lower().startswith("the "):
            before = re.sub(r"\bthe $", "", before)
        return before + core + (suffix.group() if suffix else "") + previous[target.end() :]
    ending = "?" if previous.endswith("?") else ""
    return f"{previous.rstrip(' ?!.')} {fragment}{ending}"


def like(name: str, previous: str, typed: str) -> re.Match[str] | None:
    """Return the name of the previous question that another may take the place of: a country for a country.

    An acronym before a noun ("AI investment", "GPU hours") says what is asked, and not of whom.
    """
    from bot.places import countries, regions  # for these questions alone: the names of all countries take a while

    named = [m for m in NAME_RUN.finditer(previous) if m.start() > 0]
    places = [m for m in named if countries(m.group()) or regions(m.group())]
    others = [m for m in named if m not in places]
    others = [m for m in others if not _before_noun(m, previous)]
    choice = places if places and (countries(name) or regions(name)) else others or places
    return next((m for m in reversed(choice) if m.group() in typed), choice[-1]) if choice else None


def is_name(text: str) -> bool:
    """Tell whether a fragment is a name and nothing else."""
    # Within a sentence, for a capital at the beginning says nothing.
    reading = read_question(f"of {text}")
    return bool(reading.names) and text[:1].isupper() and set(reading.terms) <= {*reading.names}


def _before_noun(name: re.Match[str], text: str) -> bool:
    """Tell an acronym that stands before a noun from one that is asked about: "a GPU hour", "does FPT employ"."""
    noun = re.match(r" [a-z]{3,}", text[name.end() :])
    return bool(name.group().isupper() and noun and not _WHO.search(text[: name.start()]))
