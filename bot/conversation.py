"""Read a follow-up as a question that stands alone, from the user's earlier questions. No LLM needed."""

import re
from collections.abc import Callable, Sequence

from bot.question import expected_kind, read_question
from index.terms import STOPWORDS, words

NameOf = Callable[[str], str | None]

_PRONOUN = re.compile(
    r"\b(its|their|his|her|hers|theirs|it|they|them|he|she|him|this|that|these|those|the (?:same|former|latter|first one|second one|other one))\b"
    r"(?!\s+(?:year|month|week|country|region|day|time|is|was) \w+ \w+ \w+)",
    re.I,
)
_POSSESSIVE = {"its", "their", "his", "her", "hers", "theirs"}
_OPENING = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?|then|also|now|well)[,\s]+)*(?:(?:what|how) about|and|or|same for|what of)\b[\s,]*",
    re.I,
)
_LEADING = re.compile(r"^(?:(?:and|but|so|ok(?:ay)?|then|also|now|well)\b[,\s]+)+", re.I)
_PREPOSITION = re.compile(
    r"^(?:in|for|by|at|on|from|of|to|with|during|since|before|after|between|among|the|up|down|over|under)\b\s*", re.I
)
_QUESTION_WORD = re.compile(
    r"^(?:(?:since|until|till|by|from|in|on|at|for|to|with|under|about|of) )?(?:who|whom|whose|what|when|where|why|which|how|is|are|was|were|do|does|did|has|have|can|could|will|would|should|list|name|"
    r"tell|give|explain|compare|define|describe)\b",
    re.I,
)
_YEAR = re.compile(r"\b(?:1[5-9]|20|21)\d\d\b")
_NAME_RUN = re.compile(r"\b[A-ZÀ-ÖØ-ÞĐ][\w’'&-]*(?:\s(?:of\s|the\s|and\s)?[A-ZÀ-ÖØ-ÞĐ0-9][\w’'&-]*)*")
_COUNTED = re.compile(
    r"^how (?:many|much) (.+?) (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.I
)
_COUNTING = re.compile(
    r"^how (?:many|much)(?= (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b)", re.I
)
_OBJECT = re.compile(r"\b(?:from|of|to|by|with|for|about|against|on|in) $", re.I)
_PERSONAL = frozenset({"he", "she", "him", "his", "her", "hers", "they", "them", "their", "theirs"})
_AUXILIARY = re.compile(
    r"^(?:who|whom|whose|what|when|where|why|which|how(?: (?:many|much|long|often|far|big|large|high))?)?\s*"
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)?\s*(?:the|a|an)?\s*",
    re.I,
)


def standalone_question(question: str, history: Sequence[str], name_of: NameOf | None = None) -> str:
    """Return the question as it would be asked without the conversation; unchanged if it stands alone.

    `history` holds the user's earlier questions, oldest first. `name_of` returns the name that answered an
    earlier question ("Who runs X?"), so that a pronoun can stand for it.

    >>> standalone_question("and China?", ["How many AI models has the United States developed?"])
    'How many AI models has China developed?'
    """
    resolved = ""
    for text in [*history, question]:
        resolved = _resolve(text.strip(), resolved, name_of) if resolved else text.strip()
    return resolved


def _resolve(question: str, previous: str, name_of: NameOf | None) -> str:
    """Read one turn against the turn before it, itself already read alone."""
    if not question:
        return question
    opening = _OPENING.match(question)
    rest = question[opening.end() :] if opening else _LEADING.sub("", question)
    bare = rest.strip(" ?!.")
    reading = read_question(bare)
    if (
        not _QUESTION_WORD.match(bare)
        and bare
        and len(bare.split()) <= 8
        and (opening or len(reading.terms) <= 2)
        and not _is_topic(bare, opening)
    ):
        return _substitute(bare, previous)
    pronoun = _first_pronoun(rest)
    if pronoun:
        return _replace_pronoun(rest, pronoun, previous, name_of)
    if _QUESTION_WORD.match(bare) and not reading.names and len(reading.terms) <= 1:
        # "Why?", "How many hectares?": what is asked is there, what it is about is not.
        topic = topic_of(previous) if reading.terms else _content(previous)
        shared = {w for w in words(topic)} & {w for w in words(bare)}
        if topic and not shared:
            return f"{bare} – {topic}?"
    return question if not opening else rest[:1].upper() + rest[1:]


def topic_of(question: str) -> str:
    """Return what a question is about in its own words: its names with the words around them, or its content words."""
    text = question.strip(" ?!.")
    body = _AUXILIARY.sub("", text)
    defined = re.match(r"(?:(?:who|what)(?: is| are| was| were|[’']?s)) ", text, re.I)
    if defined and len(body.split()) <= 8:
        return text[defined.end() :]
    names = [
        _with_noun(text, m) for m in _NAME_RUN.finditer(text) if m.start() > 0 and not _QUESTION_WORD.match(m.group())
    ]
    return " ".join(dict.fromkeys(names)) if names else _content(text)


def _with_noun(text: str, name: re.Match[str]) -> str:
    """Return a name; an acronym with the word that it stands before: "AI law", "GPU hours"."""
    following = re.match(r" ([a-z]{3,})\b", text[name.end() :])
    if name.group().isupper() and following and following.group(1) not in STOPWORDS:
        return name.group() + following.group()
    return name.group()


def _content(question: str) -> str:
    """Return the words of a question that carry meaning, without what it asks with."""
    body = _AUXILIARY.sub("", question.strip(" ?!."))
    return " ".join(w for w in re.findall(r"[\w’'%-]+", body) if any(x not in STOPWORDS for x in words(w)))


def _is_topic(bare: str, opening: re.Match[str] | None) -> bool:
    """Tell a new topic typed tersely ("Viettel data centers") from a fragment that needs the turn before it."""
    reading = read_question(bare)
    return opening is None and len(reading.terms) >= 2 and bool(reading.names or not _PREPOSITION.match(bare))


def _substitute(fragment: str, previous: str) -> str:
    """Put a fragment ("China", "in 2023") in the place of its like in the previous question, or add it."""
    core = _PREPOSITION.sub("", fragment)
    year = _YEAR.fullmatch(core.strip())
    inner = _YEAR.search(core)
    if inner and not year and _YEAR.search(previous):
        # "2025, for the UK": the year takes the place of the year, the rest that of its like.
        previous = _YEAR.sub(inner.group(), previous, count=1)
        rest = re.sub(r"^[\s,]+|[\s,]+$", "", core.replace(inner.group(), "", 1))
        rest = re.sub(
            r"(?:,? (?:i mean|that is|please|in|for|by|of))+$|^(?:,? ?(?:in|for|by|of) )+", "", rest, flags=re.I
        )
        return _substitute(rest, previous) if rest else previous
    if year and _YEAR.search(previous):
        return _YEAR.sub(year.group(), previous, count=1)
    names = [m for m in _NAME_RUN.finditer(previous) if m.start() > 0 and not m.group().isupper()]
    countries = [m for m in _NAME_RUN.finditer(previous) if m.start() > 0]
    choice = names or countries
    if core[:1].isupper() and choice and not year:
        target = choice[-1]
        text = target.group()
        suffix = re.search(r"[’']s$", text)
        before = previous[: target.start()]
        if text[:4].lower() != "the " and not core.lower().startswith("the "):
            before = re.sub(r"\bthe $", "", before)
        return before + core + (suffix.group() if suffix else "") + previous[target.end() :]
    ending = "?" if previous.endswith("?") else ""
    return f"{previous.rstrip(' ?!.')} {fragment}{ending}"


def _first_pronoun(text: str) -> re.Match[str] | None:
    for match in _PRONOUN.finditer(text):
        word = match.group().lower()
        after = text[match.end() :].lstrip()
        # "that" and "this" before a noun or as a conjunction point nowhere; "it" in "is it true that" neither.
        if (
            word == "that"
            and re.match(r"\w+", after)
            and not re.match(r"(?:one|is|was|mean|figure|number|many|much|report|law)\b", after)
        ):
            continue
        if word == "it" and re.match(r"(?:true|possible|correct|likely)\b", after):
            continue
        # A pronoun with a name before it in the same question refers to that name, unless it is the object beside it.
        if not (word in ("it", "them", "him") and _OBJECT.search(text[: match.start()])) and any(
            m.start() > 0 for m in _NAME_RUN.finditer(text[: match.start()])
        ):
            continue
        return match
    return None


def _replace_pronoun(text: str, pronoun: re.Match[str], previous: str, name_of: NameOf | None) -> str:
    topic = topic_of(previous)
    word = pronoun.group().lower()
    expected = expected_kind(previous)
    if name_of and ((expected == "person" and word in _PERSONAL) or expected in ("organisation", "place")):
        topic = name_of(previous) or topic
    if not topic:
        return text
    after = text[pronoun.end() :]
    topic = re.sub(r"[’']s$", "", topic)
    if word in _POSSESSIVE and not (word == "her" and not after.strip(" ?")):
        topic += "'" if topic.endswith("s") else "'s"
    result = text[: pronoun.start()] + topic + after
    # "How many will it have?" asks about the same things as the question before it.
    counted, bare = _COUNTED.search(previous), _COUNTING.match(result)
    if counted and bare:
        result = f"{bare.group()} {counted.group(1)}{result[bare.end() :]}"
    return result[:1].upper() + result[1:]
