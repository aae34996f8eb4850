"""The chain that answers: read the question, retrieve, judge, answer. The one place where the parts are joined."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda

from bot import answerability
from bot.answer import Answer, Citation, Conflict, Question, Side
from bot.config import Settings
from bot.conflicts import difference, shown_value, statements_at
from bot.conversation import standalone_question
from bot.extractive import SEVERAL, choose, short_answer
from bot.question import Reading, read_question, sides
from bot.signals import Candidate, candidates, matches, sentence_terms
from bot.smalltalk import small_talk
from corpus.documents import Document
from corpus.errors import UsageError
from index.encoder import Encoder, encoder_folder
from index.generations import live_generation
from index.retriever import Evidence, Index
from index.terms import stem, words

MAX_QUESTION = 8_000
"""The longest question in characters that is answered."""

_K = 8
_NEAR = 3
_TURNS = 12
# Below both of these the corpus does not even speak of the subject.
_ON_TOPIC_COSINE, _ON_TOPIC_COVERAGE = 0.45, 0.5


@dataclass(frozen=True, slots=True)
class Read:
    """A question as it is understood: what is looked up and what kind of answer it expects."""

    question: Question
    text: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Found:
    """What was retrieved for a question, ranked, with the probability that it answers."""

    read: Read
    evidence: tuple[Evidence, ...]
    ranked: tuple[Candidate, ...]
    scores: tuple[float, ...]
    probability: float


class Chain:
    """Questions to answers over one index. Safe for several threads."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.runnable: Runnable[Question, Answer] = (
            RunnableLambda(self._read, name="read") | RunnableLambda(self._retrieve, name="retrieve")
            | RunnableLambda(self._answer, name="answer")
        ).with_config(run_name="gapbot")  # fmt: skip
        self._starters: tuple[str, ...] | None = None
        self._lock = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """Answer one question. Raises UsageError for one that is empty or too long."""
        check_question(question)
        started = time.perf_counter()
        reply = small_talk(question.text)
        if reply:
            answer = Answer(question.text, "chat", reply, choices=self.starters, confidence=1.0)
        else:
            answer = self.runnable.invoke(question)
        elapsed = (time.perf_counter() - started) * 1000
        return replace(answer, id=question.id, generation=self.index.generation.name, milliseconds=elapsed)

    def stream(self, question: Question) -> Iterator[Answer]:
        """Yield the answer as it grows, sentence by sentence, and last the whole of it.

        A marker never appears before its citation. Raises UsageError as `ask` does.
        """
        answer = self.ask(question)
        for end in [m.end() for m in re.finditer(r"\[\d+\](?= |\n|$)", answer.text)][:-1]:
            text = answer.text[:end]
            shown = tuple(c for c in answer.citations if f"[{c.marker}]" in text)
            yield replace(answer, text=text, citations=shown, closest=(), conflicts=(), choices=())
        yield answer

    def source(self, document_id: str) -> Document | None:
        """Return a document of the index by id."""
        return self.index.catalogue.document(document_id)

    @property
    def starters(self) -> tuple[str, ...]:
        """Questions to begin with, each of which has been asked and answered from this index."""
        with self._lock:
            if self._starters is None:
                self._starters = tuple(self._verified_starters())
            return self._starters

    def _verified_starters(self, most: int = 4) -> Iterator[str]:
        count = 0
        for text in _suggestions(self.index):
            if count < most and self.runnable.invoke(Question(text)).status == "answered":
                count += 1
                yield text

    def _read(self, question: Question) -> Read:
        history = [_plain(h) for h in question.history[-_TURNS:] if h.strip()]
        text = standalone_question(_plain(question.text), history, self._name_of)
        text = self.index.corrected(text)
        return Read(question, text, read_question(text))

    def _name_of(self, question: str) -> str | None:
        """Return the name that answers an earlier question, if it is answered by one."""
        answer = self._answer(self._retrieve(self._read(Question(question))))
        return answer.short if answer.status == "answered" else None

    def _retrieve(self, read: Read) -> Found:
        evidence = self.index.retrieve(read.text, _K)
        if read.reading.expected == "comparison":
            known = {(e.document.id, e.passage.start) for e in evidence}
            for side in sides(read.text):
                for e in self.index.retrieve(side, _NEAR):
                    if (e.document.id, e.passage.start) not in known:
                        known.add((e.document.id, e.passage.start))
                        evidence.append(e)
        found = candidates(read.reading, evidence, self.index)
        scored = sorted(zip(answerability.rank_scores(found), found, strict=True), key=lambda pair: -pair[0])
        ranked, scores = [c for _, c in scored], [s for s, _ in scored]
        probability = answerability.probability(ranked, scores) if ranked else 0.0
        return Found(read, tuple(evidence), tuple(ranked), tuple(scores), probability)

    def _answer(self, found: Found) -> Answer:
        read = found.read
        read_as = read.text if read.text != _plain(read.question.text) else None
        base = Answer(read.question.text, "not_in_corpus", "", read_as=read_as, confidence=found.probability)
        if not read.reading.terms and not read.reading.numbers and not read.reading.years:
            text = "I cannot tell what this is about. Which of these do you mean, or can you name the subject?"
            return replace(base, status="ambiguous", text=text, choices=self.starters, confidence=0.0)
        if found.ranked and found.probability >= answerability.ANSWER:
            return self._extract(base, found)
        return self._refuse(base, found)

    def _extract(self, base: Answer, found: Found) -> Answer:
        reading = found.read.reading
        chosen = choose(reading, found.ranked, found.scores)
        cited = _Citations()
        text = " ".join(
            f"{_flat(c.sentence.text)} [{cited.add(c.evidence, c.sentence.start, c.sentence.end)}]" for c in chosen
        )
        best = max(chosen, key=lambda c: found.scores[found.ranked.index(c)])
        conflicts: list[Conflict] = []
        for candidate in chosen if reading.expected in SEVERAL else [best]:
            document, start, end = candidate.evidence.document, candidate.sentence.start, candidate.sentence.end
            differing = difference(self.index.catalogue, document, start, end)
            if differing and not any(c.subject == differing.subject for c in conflicts):
                sides, shown = [], []
                for other, statement in differing.sides:
                    known = cited.marker(other, statement.start, statement.end)
                    marker = known or cited.add_slice(other, statement.start, statement.end)
                    if known is None:
                        shown.append(f"{_flat(other.text[statement.start : statement.end])} [{marker}]")
                    sides.append(Side(shown_value(statement), statement.as_of or other.date, marker))
                conflicts.append(Conflict(differing.subject, tuple(sides)))
                if shown:
                    text += "\n\nSources differ: " + " ".join(shown)
        return replace(
            base, status="answered", text=text, short=short_answer(reading, best), citations=tuple(cited.items),
            conflicts=tuple(conflicts),
        )  # fmt: skip

    def _refuse(self, base: Answer, found: Found) -> Answer:
        best = found.ranked[0] if found.ranked else None
        missing = [w for w in _surface(found.read.text) if self._is_missing(w, found)]
        on_topic = best is not None and (
            best.signals["cosine"] >= _ON_TOPIC_COSINE or best.signals["context_coverage"] >= _ON_TOPIC_COVERAGE
        )
        if not on_topic or best is None:
            return replace(base, status="not_in_corpus", text="The sources I hold say nothing about this.")
        names = " or ".join(f"“{w}”" for w in missing[:3])
        known_nowhere = [w for w in missing if not self.index.vocabulary.frequency(stem(words(w)[0]))]
        if known_nowhere:
            text = f"The sources I hold do not mention {' or '.join(f'“{w}”' for w in known_nowhere[:3])}."
        elif missing:
            text = f"The sources I hold speak of this subject, but not together with {names}."
        else:
            text = "The sources I hold speak of this subject, but none of them answers this question."
        cited = _Citations()
        for candidate in _one_each(found.ranked):
            cited.add(candidate.evidence, candidate.sentence.start, candidate.sentence.end)
            if len(cited.items) == _NEAR:
                break
        return replace(base, status="near_miss", text=text, closest=tuple(cited.items))

    def _is_missing(self, word: str, found: Found) -> bool:
        term = stem(words(word)[0])
        if term not in found.read.reading.terms:
            return False
        nearest = [c.evidence for c in found.ranked[:_NEAR]]
        return not any(matches(term, sentence_terms(f"{e.context} {e.text}")) for e in nearest)


class _Citations:
    """Citations of one answer in the order of their markers; the same slice has one marker."""

    def __init__(self) -> None:
        self.items: list[Citation] = []

    def add(self, evidence: Evidence, start: int, end: int) -> int:
        return self.add_slice(evidence.document, start, end, evidence.passage.headings)

    def add_slice(self, document: Document, start: int, end: int, headings: tuple[str, ...] = ()) -> int:
        known = self.marker(document, start, end)
        if known:
            return known
        notes = dict.fromkeys(s.note for s in statements_at(document, start, end) if s.note)
        marker = len(self.items) + 1
        self.items.append(
            Citation(
                marker=marker, document=document.id, title=document.title, publisher=document.publisher, url=document.url,
                date=document.date, quote=document.text[start:end], start=start, end=end, kind=document.kind,
                headings=headings, note=" ".join(notes) or None,
            )
        )  # fmt: skip
        return marker

    def marker(self, document: Document, start: int, end: int) -> int | None:
        return next((c.marker for c in self.items if (c.document, c.start, c.end) == (document.id, start, end)), None)


def load_chain(settings: Settings) -> Chain:
    """Open the index and encoder that the settings name and return the chain over them.

    Raises IndexMissing, IndexMismatch, IndexError_ or EncoderError with a message that says what to do.
    """
    # A missing index is told before a missing encoder: both are made by the same command.
    live_generation(settings.index)
    return Chain(Index(settings.index, Encoder(encoder_folder(settings.encoders, settings.encoder))))


def check_question(question: Question) -> None:
    """Raise UsageError for a question that is empty or longer than MAX_QUESTION."""
    if not question.text.strip():
        raise UsageError("the question is empty: type one, for example “How many data centers does Viettel have?”")
    if len(question.text) > MAX_QUESTION:
        raise UsageError(f"the question has {len(question.text):,} characters: the most is {MAX_QUESTION:,}")


def _plain(text: str) -> str:
    """Collapse white space and drop control characters."""
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", text)).strip()


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _surface(text: str) -> list[str]:
    return list(dict.fromkeys(w for w in re.findall(r"[\w’'-]+", text) if words(w)))


def _one_each(ranked: Sequence[Candidate]) -> Iterator[Candidate]:
    """Return the best candidate of each passage."""
    seen: set[Any] = set()
    for candidate in ranked:
        key = (candidate.evidence.document.id, candidate.evidence.passage.start)
        if key not in seen:
            seen.add(key)
            yield candidate


def _suggestions(index: Index) -> Iterator[str]:
    """Suggest questions about the subjects that the corpus records figures for, and about its titles."""
    shipped = (
        "How large is the gap between Vietnam and the United States in AI investment?",
        "How many data centers does Viettel operate?",
        "What are the phases of the roadmap for AI in Vietnam?",
        "Where does Vietnam rank in readiness for AI?",
        "What is a GPU hour?",
        "How many GPU hours did Llama 3 take to train?",
    )
    yield from shipped
    for document_id in index.catalogue.document_ids()[:20]:
        document = index.catalogue.document(document_id)
        if document and document.kind != "fact":
            yield f"What is {document.title.strip(' .?!')} about?"
