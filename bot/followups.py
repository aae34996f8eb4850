"""Questions that lead on from an answer: the same of another name, what a term means. Each is tried before it is offered."""

import re
from collections.abc import Callable, Iterator

from bot.about import RARE
from bot.acronyms import acronyms
from bot.answer import Answer, Question
from bot.compose import Found
from bot.conversation import standalone_question
from bot.question import read_question
from index.terms import sentence_terms, stem, words

_NEAR = 16
_TRIES = 6
_SURE = 0.6


def follow_ups(
    question: Question, find: Callable[[Question], Found], judge: Callable[[Found], Answer], most: int
) -> tuple[str, ...]:
    """Return at most `most` questions to ask next; `find` and `judge` read, retrieve and answer as the chain does.

    A question is offered only if it is answered, with confidence, from a sentence that the answers before do not cite.
    """
    found = find(question)
    answer = judge(found)
    if answer.status != "answered":
        return ()
    seen = {(c.document, c.start, answer.short) for c in answer.citations}
    offered: list[str] = []
    for text in _unlike(_candidates(found, answer), [answer.question, found.read.text]):
        if len(offered) == most:
            break
        read = read_question(text)
        tried = find(Question(text))
        given = judge(tried)
        first = given.citations[0] if given.citations else None
        defined = read.expected != "definition" or tried.ranked[0].signals["defines"] > 0
        if given.status == "answered" and given.confidence >= _SURE and first and defined:
            place = (first.document, first.start, given.short)
            if place not in seen:
                seen.add(place)
                offered.append(text)
    return tuple(offered)


def _candidates(found: Found, answer: Answer) -> Iterator[str]:
    """Yield questions like the one asked about what is measured alike near by, and about terms of the answer."""
    yield from _of_others(found)
    vocabulary = found.read.index.vocabulary
    for term in dict.fromkeys(acronyms(re.sub(r"\[\d+\]", "", answer.text))):
        # What every other sentence speaks of needs no explanation.
        rare = vocabulary.idf(stem(words(term)[0])) > RARE
        if rare and not sentence_terms(term) & sentence_terms(found.read.text):
            yield f"What is {term}?"


def _of_others(found: Found) -> Iterator[str]:
    """Yield the question of other subjects for which the corpus records a figure of the same unit.

    Only where it is recorded whose figure the answer is, is it known that another name makes sense in its place.
    """
    asked = found.read.text
    own = [s for s in found.ranked[0].statements if sentence_terms(s.subject or "") & sentence_terms(asked)]
    units = frozenset[str]().union(*(sentence_terms(s.unit or "") for s in own if s.value))
    for candidate, statement in [(c, s) for c in found.candidates[1:_NEAR] for s in c.statements]:
        subject = statement.subject or ""
        standing = re.search(rf"(?<!\w)([Tt]he )?{re.escape(subject)}(?!\w| [A-Z])", candidate.sentence.text)
        if not subject or not standing or not units & sentence_terms(statement.unit or ""):
            continue
        if sentence_terms(subject) <= sentence_terms(asked):
            continue
        subject = f"{(standing.group(1) or '').lower()}{subject}"
        text = standalone_question(f"and {subject}?", [asked])
        if subject in text and not text.lower().startswith("and "):
            yield text


def _unlike(texts: Iterator[str], asked: list[str]) -> Iterator[str]:
    """Yield the first few that are neither asked already nor alike."""
    known = {" ".join(sorted(sentence_terms(t))) for t in asked}
    count = 0
    for text in texts:
        key = " ".join(sorted(sentence_terms(text)))
        if key not in known and count < _TRIES:
            known.add(key)
            count += 1
            yield text
