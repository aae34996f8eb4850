"""Read a follow-up as a question that stands alone, from the user's earlier questions. No LLM needed."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.fragments import NAME_RUN, PREPOSITION, is_name, like, substitute
from bot.question import Reading, expected_kind, read_question
from index.terms import STOPWORDS, terms, words

_TOPIC_WORDS = 4
NameOf = Callable[[str], str | None]

_PRONOUN = re.compile(
    r"\b(its|their|his|her|hers|theirs|it|they|them|he|she|him|this|that|these|those|(?<!is )(?<!are )(?<!was )(?<!were )there|the (?:same|former|latter|first one|second one|other one))\b"
    r"(?!\s+(?:year|month|week|country|region|day|time|is|was) \w+ \w+ \w+)",
    re.I,
)
_POSSESSIVE = {"its", "their", "his", "her", "hers", "theirs"}
_OPENING = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?|then|also|now|well)[,\s]+)*(?:(?:what|how) about|and|or|same for|what of)\b[\s,]*",
    re.I,
)
_LEADING = re.compile(r"^(?:(?:and|but|so|ok(?:ay)?|then|also|now|well)\b[,\s]+)+", re.I)
_QUESTION_WORD = re.compile(
    r"^(?:(?:since|until|till|by|from|in|on|at|for|to|with|under|about|of) )?(?:who|whom|whose|what|when|where|why|which|how|is|are|was|were|do|does|did|has|have|can|could|will|would|should|list|name|"
    r"tell|give|explain|compare|define|describe)\b",
    re.I,
)
_WHERE = re.compile(r"^(?:and |so |but )?where\b", re.I)
_COUNTED = re.compile(
    r"^how (?:many|much) (.+?) (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b", re.I
)
_COUNTING = re.compile(
    r"^how (?:many|much)(?= (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b)", re.I
)
_CHANGES = re.compile(
    r" (?:has |have |had |will |would )?(?:go(?:ne)? (?:up|down)|(?:grow|ris|increas|fall|fell|declin|decreas|drop|shr[iu]nk|chang|"
    r"doubl|tripl|jump|surg)\w*|grew|rose)\b",
    re.I,
)
_OBJECT = re.compile(r"\b(?:from|of|to|by|with|for|about|against|on|in) $", re.I)
_ONES = re.compile(r"\b(?:ones?|others?|the rest)\b", re.I)
_OF = re.compile(r"\b(?:of|in|for|between|about|from|at) (?:the |an? )?\w", re.I)
_DEFINITE = re.compile(r"\bthe \w", re.I)
# Nouns that are of something: "What are common types?" asks for the types of what was spoken of.
_RELATIONAL = frozenset(
    t
    for w in (
        "type kind example symptom effect benefit cause risk use reason source fact feature advantage disadvantage drawback "
        "difference origin purpose goal member part phase step result impact history role side limit size cost price name"
    ).split()
    for t in terms(w)
)
_COUNT_ALONE = re.compile(
    r"how (?:many|much|long|big|large|high|often|far|old)(?: \w+)?(?: (?:is|are|were|was|are there|is there))?$", re.I
)
_INTRODUCES = re.compile(
    r"^(?:(?:what|who)(?: is| are| was| were|[’']s)|tell me (?:more )?about|describe|explain|define|(?:what|how) about)\b"
    r"(?! the\b)",
    re.I,
)
_PERSONAL = frozenset({"he", "she", "him", "his", "her", "hers", "they", "them", "their", "theirs"})
_AUXILIARY = re.compile(
    r"^(?:who|whom|whose|what|when|where|why|which|how(?: (?:many|much|long|often|far|big|large|high))?|"
    r"describe|explain|tell me (?:more )?about|tell me|list|give me|define|discuss)?\b\s*"
    r"(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b(?!n?[’'])\s*)?(?:(?:the|a|an)\b\s*)?",
    re.I,
)


def standalone_question(question: str, history: Sequence[str], name_of: NameOf | None = None) -> str:
    """Return the question as it would be asked without the conversation; unchanged if it stands alone.

    `history` holds the user's earlier questions, oldest first. `name_of` returns the name that answered an
    earlier question ("Who runs X?"), so that a pronoun can stand for it. What a conversation is about is set by
    the last question that stood by itself: one that leans on it ("What are the side effects?") does not change it.

    >>> standalone_question("and China?", ["How many AI models has the United States developed?"])
    'How many AI models has China developed?'
    """
    resolved, typed, topic = "", "", ""
    for text in filter(None, (t.strip() for t in [*history, question])):
        leans = False
        if resolved:
            turn = _Turn(resolved, typed, topic, name_of)
            resolved, leans = _resolve(text, turn)
        else:
            resolved = text
        if not topic or (not leans and (_INTRODUCES.match(text) or read_question(text).names)):
            topic = topic_of(resolved) or topic
        typed = text
    return resolved


def leans_on_history(question: str, history: Sequence[str]) -> bool:
    """Tell a question that cannot be understood without the ones before it, whether rules can resolve it or not.

    >>> leans_on_history("and China?", ["How many AI models has the United States developed?"])
    True
    >>> leans_on_history("How many AI models has China developed?", ["What is a GPU hour?"])
    False
    """
    if not history:
        return False
    opening = _OPENING.match(question)
    rest = question[opening.end() :] if opening else _LEADING.sub("", question)
    bare = rest.strip(" ?!.")
    alone = standalone_question(question, [])
    return (
        bool(_first_pronoun(rest))
        or _leans(bare, read_question(bare))
        or _content(standalone_question(question, history)) != _content(_LEADING.sub("", alone))
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """The turn before: as it was read, as it was typed, and what the conversation is about."""

    read: str
    typed: str
    topic: str
    name_of: NameOf | None


def _resolve(question: str, before: _Turn) -> tuple[str, bool]:
    """Read one turn against the turn before it; tell as well whether it leans on the conversation's topic."""
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
        and not _first_pronoun(rest)
        # A bare name with nothing like it before is a subject of its own.
        and (opening or not is_name(bare) or like(bare, before.read, before.typed))
    ):
        return substitute(bare, before.read, before.typed), False
    pronoun = _first_pronoun(rest)
    if pronoun:
        return _replace_pronoun(rest, pronoun, before), True
    if _leans(bare, reading):
        topic = before.topic if reading.terms else _content(before.read)
        if topic and not {w for w in words(topic)} & {w for w in words(bare)}:
            return f"{bare} – {topic}?", True
        return question, True
    return (question if not opening else rest[:1].upper() + rest[1:]), False


def _leans(bare: str, reading: Reading) -> bool:
    """Tell a question that says what is asked and not of what: "Why?", "How many hectares?", "What are the risks?"."""
    if reading.names or not _QUESTION_WORD.match(bare):
        return False
    if not reading.terms or _ONES.search(bare):
        return True
    if not _OF.search(bare) and any(t in _RELATIONAL for t in reading.terms) and len(reading.terms) <= 2:
        return True
    if len(reading.terms) > 2 or _OF.search(bare):
        return False
    return bool(_DEFINITE.search(bare) or _COUNT_ALONE.match(bare))


def topic_of(question: str) -> str:
    """Return what a question is about in its own words: its names with the words around them, or its content words."""
    text = question.strip(" ?!.")
    body = _AUXILIARY.sub("", text)
    defined = re.match(r"(?:(?:who|what)(?: is| are| was| were|[’']?s)) ", text, re.I)
    if defined and len(body.split()) <= 8:
        return text[defined.end() :]
    names = [
        _with_noun(text, m) for m in NAME_RUN.finditer(text) if m.start() > 0 and not _QUESTION_WORD.match(m.group())
    ]
    # The end of a phrase is what it is about: "the traditional process for making balsamic vinegar".
    return " ".join(dict.fromkeys(names)) if names else " ".join(_content(text).split()[-_TOPIC_WORDS:])


def _names_in(text: str) -> str:
    return " ".join(m.group() for m in NAME_RUN.finditer(text))


def _with_noun(text: str, name: re.Match[str]) -> str:
    """Return a name; an acronym with the word that it stands before: "AI law", "GPU hours"."""
    following = re.match(r" ([a-z]{3,})\b", text[name.end() :])
    if name.group().isupper() and following and following.group(1) not in STOPWORDS:
        return name.group() + following.group()
    return name.group()


def _content(question: str) -> str:
    """Return the words of a question that carry meaning, without what it asks with."""
    body = _AUXILIARY.sub("", question.strip(" ?!."))
    return " ".join(w for w in re.findall(r"[\w’'%-]+(?:[.,]\d+)*", body) if any(x not in STOPWORDS for x in words(w)))


def _is_topic(bare: str, opening: re.Match[str] | None) -> bool:
    """Tell a new topic typed tersely ("Viettel data centers") from a fragment that needs the turn before it."""
    reading = read_question(bare)
    return opening is None and len(reading.terms) >= 2 and bool(reading.names or not PREPOSITION.match(bare))


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
        # "What is mortadella and where is it from?": what stands before the "and" is meant.
        clause = re.match(r"(.+?)(?:,| and| or| but| if| when| because) ", text[: match.start()])
        if clause and len(clause.group(1).split()) > 2 and read_question(clause.group(1)).terms:
            continue
        # A pronoun with a name before it in the same question refers to that name, unless it is the object beside it.
        if not (word in ("it", "them", "him") and _OBJECT.search(text[: match.start()])) and any(
            m.start() > 0 for m in NAME_RUN.finditer(text[: match.start()])
        ):
            continue
        return match
    return None


def _replace_pronoun(text: str, pronoun: re.Match[str], before: _Turn) -> str:
    topic, previous = before.topic, before.read
    word = pronoun.group().lower()
    expected = expected_kind(previous)
    counted = _COUNTED.search(previous)
    where = expected == "place" and _WHERE.match(previous)
    named = expected == "organisation" or (expected == "place" and not where) or (where and word == "there")
    if before.name_of and (named or (expected == "person" and word in _PERSONAL)):
        topic = before.name_of(previous) or topic
    elif counted and word == "it" and _CHANGES.match(text[pronoun.end() :]):
        # What grows is the amount, and not whose it is.
        whose = _names_in(previous[counted.end() :])
        topic = f"{counted.group(1)} of {whose}" if whose else counted.group(1)
    elif counted and word in ("it", "its"):
        # Of "how many models has China made", "it" is not the many.
        topic = _names_in(previous[counted.end() :]) or topic
    if not topic or (word == "there" and not named):
        return text
    if word == "there":
        topic = f"in {topic}"
    after = text[pronoun.end() :]
    topic = re.sub(r"[’']s$", "", topic)
    if word in _POSSESSIVE and not (word == "her" and not after.strip(" ?")):
        topic += "'" if topic.endswith("s") else "'s"
    result = text[: pronoun.start()] + topic + after
    # "How many will it have?" asks about the same things as the question before it.
    bare = _COUNTING.match(result)
    if counted and bare:
        result = f"{bare.group()} {counted.group(1)}{result[bare.end() :]}"
    return result[:1].upper() + result[1:]
