"""Compose what is said of what was found: the cited answer with its conflicts, or a refusal with what lies closest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from bot.answer import Answer, Citation, Conflict, Question, Side, Tokens
from bot.conflicts import Difference, Figure, difference, figures_beside, leading, shown_value
from bot.cues import DOWNS, UPS
from bot.extractive import choose, introduced
from bot.named import opening
from bot.question import SEVERAL, Reading
from bot.short import short_answer
from bot.signals import Candidate
from corpus.documents import Document
from index.retriever import Index
from index.terms import matches, sentence_terms, stem, words

DIFFER = "Sources differ:"
"""How the paragraph of an answer begins that says what other sources say."""
ALSO = "Also:"
"""How it begins where they give the same figure and say something else of it."""
_NEAR = 3
_MOST_MISSING = 2
# Words that stand for things and name none.
_EMPTY = frozenset(
    "someone somebody anyone anybody everyone everybody something anything everything nothing nobody one ones ought over since "
    "between among within without against during before after above below under through across along toward towards per than "
    "part way thing things lot call called use used view instead else ever though although whether".split()
)
# Below both of these the corpus does not even speak of the subject.
_ON_TOPIC_COSINE, _ON_TOPIC_COVERAGE = 0.45, 0.5


@dataclass(frozen=True, slots=True)
class Read:
    """A question as it is understood: what is looked up, what kind of answer it expects, and the index to ask.

    `before` is the question before it, if there is one. `tokens` and `seconds` are what it took a model to read it.
    """

    question: Question
    text: str
    reading: Reading
    index: Index
    before: str = ""
    tokens: Tokens | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What was retrieved for a question: candidates ranked best first, and the probability that the best answers.

    `unread` are those, best first, of passages that were not read because others settled the question.
    """

    read: Read
    ranked: tuple[Candidate, ...]
    scores: tuple[float, ...]
    probability: float
    unread: tuple[Candidate, ...] = ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All of them, those of passages that were not read last."""
        return (*self.ranked, *self.unread)


@lru_cache(maxsize=32)
def _content_hash(document: Document) -> str:
    # A long document is cited again and again, and takes a millisecond to hash.
    return document.content_hash()


class Citations:
    """Citations of one answer in the order of their markers; the same slice has one marker."""

    def __init__(self) -> None:
        self.items: list[Citation] = []

    def add(self, candidate: Candidate) -> int:
        """Cite the sentence of a candidate; returns its marker."""
        evidence, sentence = candidate.evidence, candidate.sentence
        return self.add_slice(evidence.document, sentence.start, sentence.end, evidence.passage.headings)

    def add_slice(self, document: Document, start: int, end: int, headings: tuple[str, ...] = ()) -> int:
        """Cite `document.text[start:end]`; returns its marker."""
        known = self.marker(document, start, end)
        if known:
            return known
        notes = dict.fromkeys(s.note for s in document.statements_at(start, end) if s.note)
        marker = len(self.items) + 1
        self.items.append(
            Citation(
                marker=marker, document=document.id, title=document.title, publisher=document.publisher, url=document.url,
                date=document.date, quote=document.text[start:end], start=start, end=end, kind=document.kind,
                headings=headings, note=" ".join(notes) or None, page=document.page_at(start), hash=_content_hash(document),
            )
        )  # fmt: skip
        return marker

    def marker(self, document: Document, start: int, end: int) -> int | None:
        """Return the marker of a slice that is cited already, or None."""
        return next((c.marker for c in self.items if (c.document, c.start, c.end) == (document.id, start, end)), None)


def extracted(base: Answer, found: Found, given: Sequence[Candidate] = ()) -> Answer:
    """Return the answer made of the best sentences, with the figures of other sources that differ from them.

    `given` are sentences that answer for certain, one for each side of a comparison.
    """
    reading = found.read.reading
    if not given:
        place = leading(found.read.index.catalogue, found.ranked, found.scores)
        others = [c for i, c in enumerate(found.ranked) if i != place]
        behind = [s for i, s in enumerate(found.scores) if i != place]
        found = replace(found, ranked=(found.ranked[place], *others), scores=(found.scores[0], *behind))
    chosen = list({(c.evidence.document.id, c.sentence.start): c for c in given}.values())
    chosen = chosen or choose(reading, found.ranked, found.scores)
    cited = Citations()
    text = " ".join(f"{flat(c.sentence.text)} [{cited.add(c)}]" for c in chosen)
    best = chosen[0] if given else max(chosen, key=lambda c: found.scores[found.ranked.index(c)])
    several = reading.expected in SEVERAL
    short = None
    listed = any(c in chosen for c in introduced(reading, found.ranked, best))
    if len(given) < 2 and not listed and not (several and len(chosen) > 1):
        short = short_answer(reading, best.sentence.text, best.spans, best.pointed)
    conflicts: list[Conflict] = []
    for candidate in chosen if several else [best]:
        sentence = candidate.sentence
        differing = difference(
            found.read.index.catalogue,
            candidate.evidence.document,
            sentence.start,
            sentence.end,
            short,
            reading.counted,
        )
        if differing and not any(c.subject == differing.subject for c in conflicts):
            conflict, said = _conflict(differing, cited.add(candidate), cited)
            conflicts += [conflict] if conflict else []
            if said:
                text += f"\n\n{DIFFER if conflict else ALSO} {' '.join(said)}"
    if not conflicts and not several and not given:
        text, conflicts = _beside(text, figures_beside(reading, best, found.ranked, found.scores), cited)
    return replace(
        base, status="answered", text=text, short=short, citations=tuple(cited.items), conflicts=tuple(conflicts)
    )


def _beside(text: str, figures: Sequence[Figure], cited: Citations) -> tuple[str, list[Conflict]]:
    """Add to an answer what other documents give for the same thing: a marker where they agree, else the difference."""
    others = [f for f in figures[1:] if f.number != figures[0].number]
    for figure in figures[1:]:
        if figure.number == figures[0].number:
            first = f"[{cited.add(figures[0].candidate)}]"
            text = text.replace(first, f"{first}[{cited.add(figure.candidate)}]", 1)
    if not others:
        return text, []
    said = [f"{flat(f.candidate.sentence.text)} [{cited.add(f.candidate)}]" for f in others]
    sides = tuple(
        Side(f.text, max(f.years, default=f.candidate.evidence.document.date), cited.add(f.candidate))
        for f in (figures[0], *others)
    )
    subject = figures[0].candidate.evidence.document.title
    return f"{text}\n\n{DIFFER} {' '.join(said)}", [Conflict(subject, sides)]


def growing(answer: Answer) -> Iterator[Answer]:
    """Yield the beginnings of an answer, one cited sentence longer each time, without the whole."""
    for end in [m.end() for m in re.finditer(r"\[\d+\]", answer.text)][:-1]:
        text = answer.text[:end]
        shown = tuple(c for c in answer.citations if f"[{c.marker}]" in text)
        yield replace(answer, text=text, citations=shown, closest=(), conflicts=(), choices=())


def refused(base: Answer, found: Found) -> Answer:
    """Return the refusal: that the subject is not there, or what is missing and the closest passages."""
    best = found.ranked[0] if found.ranked else None
    vocabulary = found.read.index.vocabulary
    if best is None or (
        best.signals["cosine"] < _ON_TOPIC_COSINE and best.signals["context_coverage"] < _ON_TOPIC_COVERAGE
    ):
        return replace(base, status="not_in_corpus", text="The sources I hold say nothing about this.")
    missing = _missing(found)
    unknown = [w for w in missing if not vocabulary.frequency(stem(words(w)[0]))]
    if _contrary(found.read.reading, best, missing):
        text = "The sources I hold say otherwise than this question takes for granted."
    elif unknown:
        text = f"The sources I hold say nothing about {_either(unknown)}."
    elif missing:
        text = f"The sources I hold speak of this subject, but say nothing about it with {_either(missing)}."
    else:
        text = "The sources I hold speak of this subject, but none of them answers this question."
    cited = Citations()
    for candidate in _one_each(found.candidates):
        cited.add(candidate)
        if len(cited.items) == _NEAR:
            break
    return replace(base, status="near_miss", text=text, closest=tuple(cited.items))


def _contrary(reading: Reading, best: Candidate, missing: Sequence[str]) -> bool:
    """Tell whether the closest sentence says the opposite of what a question asks the reason or the manner of.

    It must be the same that it says it of: nothing else of the question may be `missing`, and no other year be meant.
    """
    turned = all(stem(w) in UPS | DOWNS for word in missing for w in words(word))
    signals = best.signals
    same = turned and signals["names"] == 1 and signals["years"] >= 0.9 and not signals["wrong_year"]
    return same and reading.expected in ("reason", "explanation") and signals["opposed"] > 0


def _conflict(differing: Difference, own: int, cited: Citations) -> tuple[Conflict | None, list[str]]:
    """Return a conflict and the sentences of its other sides; `own` is the marker of the side in the answer.

    Where the figure is the same and only what is said of it differs, there is no conflict of figures: None.
    """
    values = [shown_value(statement) for _, statement in differing.sides]
    if len(set(values)) < len(values):
        values = [f"{v} ({s.subject})" if s.subject else v for v, (_, s) in zip(values, differing.sides, strict=True)]
    sides, said = [], []
    for place, (document, statement) in enumerate(differing.sides):
        known = own if place == 0 else cited.marker(document, statement.start, statement.end)
        marker = known or cited.add_slice(document, statement.start, statement.end)
        if known is None:
            said.append(f"{flat(document.text[statement.start : statement.end])} [{marker}]")
        sides.append(Side(values[place], statement.as_of or document.date, marker))
    figures = {tuple(w for w in words(shown_value(s)) if w[0].isdigit()) for _, s in differing.sides}
    same = len(figures) == 1 and figures != {()}
    return None if same else Conflict(differing.subject, tuple(sides)), said


def _missing(found: Found) -> list[str]:
    """Return the words of the question that none of the nearest passages has: its names and figures if any, else others.

    A word that is in no source and no dictionary is a slip of the finger, of which there is nothing to say.
    """
    reading, index = found.read.reading, found.read.index
    closest = islice(_one_each(found.candidates), _NEAR)
    texts = (f"{opening(e.document)} {e.context} {e.text}" for e in (c.evidence for c in closest))
    nearest = [sentence_terms(text) for text in texts]
    names, others = [], []
    for word in dict.fromkeys(re.findall(r"[\w’'-]+", found.read.text)):
        term = stem(words(word)[0]) if words(word) else ""
        if term not in (*reading.terms, *reading.years) or any(matches(term, n) for n in nearest):
            continue
        if term in reading.names or word[0].isdigit():
            names.append(word)
        elif word.lower() not in _EMPTY and (
            index.vocabulary.frequency(term) or index.encoder.knows_word(word.lower())
        ):
            others.append(word)
    # A question whose every other word is missing is worded otherwise than the sources: no word of it is what they lack.
    return names or (others if len(others) <= _MOST_MISSING else [])


def flat(text: str) -> str:
    """Return a quote as running text; what looks like a marker in it must not pass for one of ours."""
    return re.sub(r"\[(\d+)\]", r"(\1)", re.sub(r"\s+", " ", text).strip())


def _either(found: Sequence[str]) -> str:
    return " or ".join(f"“{w}”" for w in found[:3])


def _one_each(ranked: Sequence[Candidate]) -> Iterator[Candidate]:
    """Return the best candidate of each passage."""
    seen: set[tuple[str, int]] = set()
    for candidate in ranked:
        key = candidate.passage_key
        if key not in seen:
            seen.add(key)
            yield candidate
