"""Questions for whatever is known of a subject: "Tell me about FPT", "facts about Viettel", or a bare name."""

import re
from collections.abc import Callable, Sequence

from bot.extractive import overlap
from bot.question import Reading, read_question
from bot.signals import Candidate
from index.terms import matches, sentence_terms, stem, words

SURE = 0.8
"""The confidence of such an answer. Not fitted: every sentence that is about the subject is a right one."""

RARE = 1.5
"""The inverse document frequency above which a name tells what a sentence is about: every other one speaks of AI here."""

_MOST_SENTENCES = 4
_MOST_WORDS = 120
_OPENING = 6
_ALIKE = 0.6
_ASKED = re.compile(
    r"^(?:and |so |please |can you |could you )*"
    r"(?:tell (?:me|us)(?: \w+)?|what (?:do|can) you (?:know|say|tell (?:me|us))|what(?: is|'s) known|what is there to know|"
    r"(?:(?:give|show) (?:me|us) |list |i want |i need )?(?:(?:some|any|a few|all|the|key|main|basic|\w+) ){0,3}"
    r"(?:facts?|information|info|details|background|things)|anything|everything|something|an? overview|overview)"
    r" (?:about|on|of|regarding) (?P<subject>.{2,120}?)[ ?.!]*$",
    re.I,
)
# "What do you know about how many there are?" asks how many there are.
_CLAUSE = re.compile(r"(?:who|whose|what|which|when|where|why|how|whether|if)\b", re.I)
_WHO_OR_WHAT = re.compile(r"^(?:and |so |but )?(?:who|what)(?: is|'s| are) (?P<subject>[^,]{2,60}?)[ ?.!]*$", re.I)


IsWord = Callable[[str], bool]
"""Tells words of the language: what is none of them is a name, however it is typed."""


def subject_asked(text: str, is_word: IsWord) -> str | None:
    """Return the subject of which a question asks whatever is known, or None for any other question.

    >>> subject_asked("Give me three facts about FPT", bool), subject_asked("How large is Viettel?", bool)
    ('FPT', None)
    """
    match = _ASKED.match(text)
    if match and not _CLAUSE.match(match["subject"]):
        return match["subject"]
    bare = text.strip(" ?.!")
    return bare if _is_name(f"of {bare}", bare, is_word) else None


def name_asked(text: str, is_word: IsWord) -> str | None:
    """Return the name that a question asks who or what it is, or None.

    >>> name_asked("Who is Le Hong Viet?", bool), name_asked("What is a GPU hour?", bool)
    ('Le Hong Viet', None)
    """
    match = _WHO_OR_WHAT.match(text)
    return match["subject"] if match and _is_name(text, match["subject"], is_word) else None


def told(reading: Reading, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the sentences that tell of a subject: they have all its words, and those that open with it come first."""
    own = [c for c in found if all(matches(t, sentence_terms(c.sentence.text)) for t in reading.terms)]
    own.sort(key=lambda c: (not _recorded(reading, c), not _opens(reading, c.sentence.text)))
    chosen: list[Candidate] = []
    length = 0
    for candidate in own:
        count = len(candidate.sentence.text.split())
        if length + count <= _MOST_WORDS and not any(overlap(candidate, c) > _ALIKE for c in chosen):
            chosen.append(candidate)
            length += count
        if len(chosen) == _MOST_SENTENCES:
            break
    return chosen


def _is_name(text: str, part: str, is_word: IsWord) -> bool:
    """Tell whether a part of a question is nothing but a name."""
    reading, own = read_question(text), {stem(w): w for w in words(part) if w != "the"}
    names = {t for t, w in own.items() if t in reading.names or (w.isalpha() and not is_word(w))}
    return bool(names) and len(own) <= 5 and own.keys() <= names | {*reading.numbers}


def _recorded(reading: Reading, candidate: Candidate) -> bool:
    """Tell whether the subject, and no more than it, is recorded as that of a sentence: FPT is not FPT Smart Cloud."""
    return any(sentence_terms(s.subject or "") == frozenset(reading.terms) for s in candidate.statements)


def _opens(reading: Reading, sentence: str) -> bool:
    opening = sentence_terms(" ".join(sentence.split()[:_OPENING]))
    return all(matches(t, opening) for t in reading.terms)
