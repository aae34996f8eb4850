"""Compose what is said of what was found: the cited answer with its conflicts, or a refusal with what lies closest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.answer import Answer, Citation, Conflict, Question, Side
from bot.conflicts import Difference, difference, shown_value, statements_at
from bot.extractive import SEVERAL, choose, short_answer
from bot.question import Reading
from bot.signals import Candidate, matches, sentence_terms
from corpus.documents import Document
from index.retriever import Evidence, Index
from index.terms import stem, words

_NEAR = 3
# Below both of these the corpus does not even speak of the subject.
_ON_TOPIC_COSINE, _ON_TOPIC_COVERAGE = 0.45, 0.5


@dataclass(frozen=True, slots=True)
class Read:
    """A question as it is understood: what is looked up, what kind of answer it expects, and the index to ask."""

    question: Question
    text: str
    reading: Reading
    index: Index


@dataclass(frozen=True, slots=True)
class Found:
    """What was retrieved for a question: candidates ranked best first, and the probability that the best answers."""

    read: Read
    ranked: tuple[Candidate, ...]
    scores: tuple[float, ...]
    probability: float


def extracted(base: Answer, found: Found, given: Sequence[Candidate] = ()) -> Answer:
    """Return the answer made of the best sentences, with the figures of other sources that differ from them.

    `given` are sentences that answer for certain, one for each side of a comparison.
    """
    reading = found.read.reading
    chosen = list({(c.evidence.document.id, c.sentence.start): c for c in given}.values())
    chosen = chosen or choose(reading, found.ranked, found.scores)
    cited = _Citations()
    text = " ".join(f"{_flat(c.sentence.text)} [{cited.add(c)}]" for c in chosen)
    best = chosen[0] if given else max(chosen, key=lambda c: found.scores[found.ranked.index(c)])
    conflicts: list[Conflict] = []
    for candidate in chosen if reading.expected in SEVERAL else [best]:
        sentence = candidate.sentence
        differing = difference(found.read.index.catalogue, candidate.evidence.document, sentence.start, sentence.end)
        if differing and not any(c.subject == differing.subject for c in conflicts):
            conflict, said = _conflict(differing, cited.add(candidate), cited)
            conflicts.append(conflict)
            if said:
                text += "\n\nSources differ: " + " ".join(said)
    return replace(
        base, status="answered", text=text, short=None if len(given) > 1 else short_answer(reading, best), citations=tuple(cited.items),
        conflicts=tuple(conflicts),
    )  # fmt: skip


def refused(base: Answer, found: Found) -> Answer:
    """Return the refusal: that the subject is not there, or what is missing and the closest passages."""
    best = found.ranked[0] if found.ranked else None
    if best is None or (
        best.signals["cosine"] < _ON_TOPIC_COSINE and best.signals["context_coverage"] < _ON_TOPIC_COVERAGE
    ):
        return replace(base, status="not_in_corpus", text="The sources I hold say nothing about this.")
    missing = [w for w in _surface(found.read.text) if _is_missing(w, found)]
    vocabulary = found.read.index.vocabulary
    unknown = [w for w in missing if not vocabulary.frequency(stem(words(w)[0]))]
    if unknown:
        text = f"The sources I hold do not mention {_either(unknown)}."
    elif missing:
        text = f"The sources I hold speak of this subject, but not together with {_either(missing)}."
    else:
        text = "The sources I hold speak of this subject, but none of them answers this question."
    cited = _Citations()
    for candidate in _one_each(found.ranked):
        cited.add(candidate)
        if len(cited.items) == _NEAR:
            break
    return replace(base, status="near_miss", text=text, closest=tuple(cited.items))


def _conflict(differing: Difference, own: int, cited: "_Citations") -> tuple[Conflict, list[str]]:
    """Return a conflict and the sentences of its other sides; `own` is the marker of the side in the answer."""
    sides, said = [], []
    for place, (document, statement) in enumerate(differing.sides):
        known = own if place == 0 else cited.marker(document, statement.start, statement.end)
        marker = known or cited.add_slice(document, statement.start, statement.end)
        if known is None:
            said.append(f"{_flat(document.text[statement.start : statement.end])} [{marker}]")
        sides.append(Side(shown_value(statement), statement.as_of or document.date, marker))
    return Conflict(differing.subject, tuple(sides)), said


class _Citations:
    """Citations of one answer in the order of their markers; the same slice has one marker."""

    def __init__(self) -> None:
        self.items: list[Citation] = []

    def add(self, candidate: Candidate) -> int:
        evidence, sentence = candidate.evidence, candidate.sentence
        return self.add_slice(evidence.document, sentence.start, sentence.end, evidence)

    def add_slice(self, document: Document, start: int, end: int, evidence: Evidence | None = None) -> int:
        known = self.marker(document, start, end)
        if known:
            return known
        notes = dict.fromkeys(s.note for s in statements_at(document, start, end) if s.note)
        marker = len(self.items) + 1
        self.items.append(
            Citation(
                marker=marker, document=document.id, title=document.title, publisher=document.publisher, url=document.url,
                date=document.date, quote=document.text[start:end], start=start, end=end, kind=document.kind,
                headings=evidence.passage.headings if evidence else (), note=" ".join(notes) or None,
            )
        )  # fmt: skip
        return marker

    def marker(self, document: Document, start: int, end: int) -> int | None:
        return next((c.marker for c in self.items if (c.document, c.start, c.end) == (document.id, start, end)), None)


def _is_missing(word: str, found: Found) -> bool:
    """Tell a word of the question that none of the nearest passages has."""
    term = stem(words(word)[0])
    if term not in found.read.reading.terms:
        return False
    nearest = [c.evidence for c in found.ranked[:_NEAR]]
    return not any(matches(term, sentence_terms(f"{e.context} {e.text}")) for e in nearest)


def _flat(text: str) -> str:
    """Return a quote as running text; what looks like a marker in it must not pass for one of ours."""
    return re.sub(r"\[(\d+)\]", r"(\1)", re.sub(r"\s+", " ", text).strip())


def _either(found: Sequence[str]) -> str:
    return " or ".join(f"“{w}”" for w in found[:3])


def _surface(text: str) -> list[str]:
    return list(dict.fromkeys(w for w in re.findall(r"[\w’'-]+", text) if words(w)))


def _one_each(ranked: Sequence[Candidate]) -> Iterator[Candidate]:
    """Return the best candidate of each passage."""
    seen: set[tuple[str, int]] = set()
    for candidate in ranked:
        key = (candidate.evidence.document.id, candidate.evidence.passage.start)
        if key not in seen:
            seen.add(key)
            yield candidate
