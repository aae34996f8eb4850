"""The chain that answers: read the question, retrieve, judge, answer. The one place where the parts are joined."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from langchain_core.runnables import Runnable, RunnableLambda

from bot import answerability
from bot.about import RARE, SURE, name_asked, subject_asked, told
from bot.ambiguity import asked_of, subjects
from bot.answer import Answer, Question, check_question
from bot.citations import verified
from bot.compose import Found, Read, extracted, growing, refused
from bot.conversation import leans_on_history, standalone_question
from bot.followups import follow_ups
from bot.generative import draft, written
from bot.language import FOREIGN, is_foreign
from bot.llm import Model
from bot.prompts import Prompt, rephrasing_prompt
from bot.question import asked_alone, read_question, sides, understood
from bot.reader import Reader
from bot.rephrasing import rephrased
from bot.signals import candidates
from bot.smalltalk import small_talk
from bot.starters import Starters, suggested, tried
from corpus.documents import Document
from corpus.errors import GapbotError
from corpus.profile import Profile
from index.retriever import Evidence, Index

WHICH = "Several things could be meant. Which of these do you ask about?"

RETRIEVED = 20
"""How many passages are retrieved for a question."""
_AT_ONCE = 4
"""How many questions are looked up at once: more would only contend for the interpreter, whoever waits for an LLM."""
_TURNS = 12
_log = logging.getLogger(__name__)


class Chain:
    """Questions to answers over one index. Safe for several threads.

    `runnable` is the same as a LangChain Runnable (invoke, stream, batch, async), whose steps read, retrieve and
    answer are traced where LangSmith's environment variables ask for it.
    """

    def __init__(
        self,
        index: Index,
        newer: Callable[[Index], Index | None] | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        threshold: float = answerability.ANSWER,
        reader: Reader | None = None,
        model: Model | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Answer from an index; `newer` returns the one that has been published since, or None.

        `on_answer` sees every answer that is given. Below the `threshold` of probability there is none. Without a
        `reader` the sentences are judged by words and vectors alone. A `model` writes what
        it answers; whether it is asked at all is decided before. The corpus's `profile` names questions to begin with.
        """
        self._index = index
        self._newer = newer
        self._on_answer = on_answer
        self._threshold = threshold
        self._reader = reader
        self._model = model
        self._find: Runnable[Question, Found] = RunnableLambda(self._read, name="read") | RunnableLambda(
            self._retrieve, name="retrieve"
        )
        self._judge: Runnable[Found, Answer] = RunnableLambda(self._answer, name="answer")
        self._steps: Runnable[Question, Answer] = self._find | self._judge
        self.runnable: Runnable[Question, Answer] = RunnableLambda(self.ask, name="gapbot")
        self.profile = profile or Profile()
        self._tried: tuple[str | None, dict[str, bool]] = (None, {})
        self._trying = threading.Lock()
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def writes(self) -> bool:
        """Whether an LLM writes the answers."""
        return self._model is not None

    @property
    def index(self) -> Index:
        """The live generation of the index: a newer one is opened as soon as it is published."""
        if self._newer:
            with self._lock:
                try:
                    newer = self._newer(self._index)
                except GapbotError as error:
                    _log.error("the new index cannot be used, the old one goes on answering: %s", error)
                    newer = None
                if newer:
                    # The old one is not closed: other threads may be answering from it.
                    self._index = newer
        return self._index

    def ask(self, question: Question) -> Answer:
        """Answer one question. Raises UsageError for one that is empty or too long."""
        *_, answer = self._answers(question)
        return answer

    def stream(self, question: Question) -> Iterator[Answer]:
        """Yield the answer as it grows, sentence by sentence, and last the whole of it.

        A marker never appears before its citation. Where an LLM fails midway, the last answer does not go on with the
        text before it but takes its place, and its notice says so. Raises UsageError as `ask` does.
        """
        yield from self._answers(question)

    def prompts(self, question: Question) -> list[Prompt]:
        """Return what an LLM is sent for a question, in this order: to read a follow-up, and to write the answer.

        What is not answered is not sent to be written. A follow-up is read by rules here, for nothing is sent.
        """
        check_question(question)
        if small_talk(question.text):
            return []
        read = self._read_by_rules(question)
        history = _history(question)
        prompts = [rephrasing_prompt(_plain(question.text), history)] if self._leans(question, history) else []
        found = self._retrieve(read)
        answer = self._judge.invoke(found)
        return [*prompts, draft(answer, found).prompt] if answer.status == "answered" else prompts

    def _answers(self, question: Question) -> Iterator[Answer]:
        check_question(question)
        started = time.perf_counter()
        reply = small_talk(question.text)
        if reply:
            answer = Answer(question.text, "chat", reply, confidence=1.0, generation=self.index.generation.name)
        else:
            found = self._find.invoke(question)
            answer = verified(self._judge.invoke(found))
            if self._model and answer.status == "answered":
                for part in written(answer, found, self._model):
                    yield replace(part, id=question.id)
                    answer = part
            else:
                yield from growing(answer)
        if answer.status == "chat" or (answer.status == "ambiguous" and not answer.choices):
            answer = replace(answer, choices=tuple(asked[0] for _, asked in self.starters(topics=4, each=1)))
        answer = replace(answer, id=question.id, milliseconds=(time.perf_counter() - started) * 1000)
        if self._on_answer:
            self._on_answer(answer)
        yield answer

    def without_doubts(self) -> "Chain":
        """Return a chain over the same index and reader that answers whatever it finds, to measure by."""
        return Chain(self.index, threshold=0.0, reader=self._reader)

    def source(self, document_id: str) -> Document | None:
        """Return a document of the index by id."""
        return self.index.catalogue.document(document_id)

    def follow_ups(self, question: Question, most: int = 3) -> tuple[str, ...]:
        """Return questions that lead on from one that was answered, each of which this index answers with something new."""
        return follow_ups(question, self._find.invoke, self._judge.invoke, most)

    def starters(self, topics: int = 6, each: int = 2) -> Starters:
        """Return questions to begin with, by topic, each of which has been asked and answered from this index."""
        index = self.index
        # Who comes while they are tried waits for them, and does not try them as well.
        with self._trying:
            if self._tried[0] != index.published:
                self._tried = (index.published, {})
            known = self._tried[1]

            def answered(text: str) -> bool:
                if text not in known:
                    known[text] = self._steps.invoke(Question(text)).status == "answered"
                return known[text]

            return tried(suggested(index, self.profile), answered, topics, each)

    def _read(self, question: Question) -> Read:
        read, history = self._read_by_rules(question), _history(question)
        if not self._model or not self._leans(question, history):
            return read
        started = time.monotonic()
        text, tokens = rephrased(_plain(question.text), history, read.text, self._model)
        text = read.text if text == read.text else read.index.corrected(text)
        seconds = time.monotonic() - started
        return replace(read, text=text, reading=understood(text, read.index), tokens=tokens, seconds=seconds)

    def _leans(self, question: Question, history: list[str]) -> bool:
        return not question.as_typed and leans_on_history(_plain(question.text), history)

    def _read_by_rules(self, question: Question) -> Read:
        index = self.index
        if question.as_typed:
            text = _plain(question.text)
            return Read(question, text, understood(text, index), index)
        history = _history(question)
        text = index.corrected(standalone_question(_plain(question.text), history, self._name_of))
        return Read(question, text, understood(text, index), index, history[-1] if history else "")

    def _name_of(self, question: str) -> str | None:
        """Return the name that answers an earlier question, if it is answered by one."""
        answer = self._answer(self._retrieve(self._read(Question(question))))
        return answer.short if answer.status == "answered" else None

    def _retrieve(self, read: Read) -> Found:
        with self._room:
            found = candidates(read.reading, _found(read), read.index)
            judged = answerability.judge(read.reading, found, self._reader, self._threshold)
        return Found(read, judged.ranked, judged.scores, judged.probability, judged.unread)

    def _answer(self, found: Found) -> Answer:
        read = found.read
        asked = _plain(read.question.text)
        base = Answer(
            read.question.text, "not_in_corpus", "", read_as=read.text if read.text != asked else None,
            confidence=found.probability, generation=read.index.generation.name, tokens=read.tokens,
        )  # fmt: skip
        if not read.reading.terms:
            text = "I cannot tell what this is about. Which of these do you mean, or can you name the subject?"
            return replace(base, status="ambiguous", text=text, confidence=0.0)
        nearest = found.ranked[0].evidence.text if found.ranked else ""
        if is_foreign(read.text, read.index.vocabulary, nearest):
            return replace(base, text=FOREIGN, confidence=0.0)
        about = self._told(base, found, subject_asked(read.text, read.index.encoder.knows_word))
        if about:
            return about
        if read.reading.expected == "comparison":
            # Each side is a question of its own: a sentence about one of them says nothing of the other.
            answers = [self._side(read, side) for side in sides(read.text)]
            if answers and all(a.probability >= self._threshold for a in answers):
                base = replace(base, confidence=min(a.probability for a in answers))
                return extracted(base, found, [a.ranked[0] for a in answers])
            # One sentence that names both sides may compare them by itself.
            if not found.ranked or found.ranked[0].signals["names"] < 1:
                found = next((a for a in answers if a.probability < self._threshold), found)
        choices = self._meant(found)
        if len(choices) > 1:
            return replace(base, status="ambiguous", text=WHICH, choices=choices)
        defined = bool(found.ranked) and found.ranked[0].signals["defines"] > 0
        name = None if defined else name_asked(read.text, read.index.encoder.knows_word)
        about = self._told(base, found, name, RARE)
        if about:
            return about
        if found.ranked and found.probability >= self._threshold:
            return extracted(base, found)
        return refused(base, found)

    def _told(self, base: Answer, found: Found, subject: str | None, rare: float = 0.0) -> Answer | None:
        """Return the answer of what is known of a subject, if one is asked for, is as `rare`, and something is known."""
        if subject is None:
            return None
        reading, index = read_question(subject), found.read.index
        if not reading.terms or max(map(index.vocabulary.idf, reading.terms)) < rare:
            return None
        known = told(reading, candidates(reading, index.retrieve(subject, RETRIEVED), index))
        return replace(extracted(replace(base, confidence=SURE), found, known), short=None) if known else None

    def _side(self, read: Read, side: str) -> Found:
        """Return what is found for one side of a comparison, asked without the comparing word and with it: the surer."""
        found = []
        for text in dict.fromkeys((asked_alone(side), side)):
            found.append(self._retrieve(Read(read.question, text, understood(text, read.index), read.index)))
            if found[-1].probability >= answerability.CERTAIN:
                break
        return max(found, key=lambda f: f.probability)

    def _meant(self, found: Found) -> tuple[str, ...]:
        """Return what an unclear question may mean as questions that are clear, each tried and answered."""
        read, choices = found.read, []
        for subject, candidate in subjects(read.reading, found.ranked, found.scores):
            text = asked_of(read.text, subject)
            tried = self._retrieve(Read(read.question, text, understood(text, read.index), read.index))
            same = bool(tried.ranked) and tried.ranked[0].evidence.document.id == candidate.evidence.document.id
            if same and tried.probability >= self._threshold:
                choices.append(text)
        return tuple(choices)


def _found(read: Read) -> list[Evidence]:
    """Retrieve for a question; one that follows others is looked up as it was typed, too."""
    typed = read.index.corrected(_plain(read.question.text)) if read.before else ""
    return read.index.retrieve(read.text, RETRIEVED, read.before, typed)


def _history(question: Question) -> list[str]:
    return [_plain(h) for h in question.history[-_TURNS:] if h.strip()]


def _plain(text: str) -> str:
    """Collapse white space and drop control characters."""
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", text)).strip()
