"""What other programs are served, whatever protocol they speak: answers, passages and documents, a few at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from bot.answer import Answer, Question, check_question
from bot.chain import Chain
from bot.feedback import Feedback, FeedbackLog
from bot.limits import CROWDED
from bot.starters import Starters
from corpus.documents import Document
from corpus.errors import GapbotError, Overloaded
from index.catalogue import Listed

MAX_PASSAGES = 100
"""The most passages that one search brings."""

# Two more threads than cores would only contend for the interpreter. The queue holds about two seconds of work: who
# comes later would wait longer than most clients do, and is told so at once instead.
_THREADS = 4
_WAITING = 124
WAITING_FOR_A_MODEL = (32, 96)
"""Threads and places in the queue where an LLM writes: its threads wait for the network; what they compute, a few do at once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found: `document text[start:end]` and its score, 0 to 1."""

    document: str
    title: str
    publisher: str | None
    url: str | None
    date: str | None
    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Passages:
    """What a search found, best first."""

    query: str
    passages: list[Hit]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether questions can be answered, from which generation of the index, and how many are under way."""

    live: bool
    ready: bool
    generation: str | None
    encoder: str | None
    documents: int
    passages: int
    under_way: int


class Workers:
    """A few threads with a short queue. Used from one event loop."""

    def __init__(self, threads: int = _THREADS, waiting: int = _WAITING) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gapbot-api")
        self._room = threads + waiting
        self._lock = threading.Lock()
        self.under_way = 0

    def full(self) -> bool:
        """Tell whether whoever comes now is refused."""
        return self.under_way >= self._room

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, from a thread. Raises Overloaded at once if the queue is full."""
        return await asyncio.wrap_future(self._submit(work))

    def _submit(self, work: Callable[[], T]) -> "Future[T]":
        with self._lock:
            if self.under_way >= self._room:
                raise Overloaded(CROWDED)
            self.under_way += 1
        future = self._pool.submit(work)
        # A request that goes away while it waits is taken out of the queue; one that runs holds its place to its end.
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _: object) -> None:
        with self._lock:
            self.under_way -= 1

    async def stream(self, work: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Return what `work` yields, as it comes. Raises as `run` does, and what the first step raises, before it returns."""
        loop = asyncio.get_running_loop()
        came: asyncio.Queue[tuple[T | None, BaseException | None]] = asyncio.Queue()
        halt = threading.Event()

        def pump() -> None:
            try:
                for item in work():
                    if halt.is_set():
                        return
                    tell(item, None)
                tell(None, None)
            except Exception as error:
                tell(None, error)

        def tell(item: T | None, error: BaseException | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(came.put_nowait, (item, error))

        future = self._submit(pump)

        async def items() -> AsyncIterator[T]:
            try:
                item, error = first
                while True:
                    if error:
                        raise error
                    if item is None:
                        return
                    yield item
                    item, error = await came.get()
            finally:
                halt.set()
                future.cancel()

        try:
            first = await came.get()
        except asyncio.CancelledError:
            halt.set()
            future.cancel()
            raise
        if first[1]:
            raise first[1]
        return items()


class Service:
    """Questions, searches and documents over one chain. Every method raises Overloaded when too much is asked at once."""

    def __init__(
        self,
        chain: Chain,
        on_answer: Callable[[Answer], None] | None = None,
        workers: Workers | None = None,
        feedback: FeedbackLog | None = None,
    ) -> None:
        """Serve a chain; `on_answer` sees every whole answer. Without a log no `feedback` is kept."""
        self._feedback = feedback
        self._chain = chain
        self._on_answer = on_answer or (lambda answer: None)
        self.workers = workers or Workers()

    async def ask(self, question: Question) -> Answer:
        """Answer a question. Raises UsageError for one that is empty or too long, before it waits."""
        check_question(question)
        answer = await self.workers.run(lambda: self._chain.ask(question))
        self._on_answer(answer)
        return answer

    async def stream(self, question: Question) -> AsyncIterator[Answer]:
        """Return the answer as it grows; the last one is whole. Raises as `ask` does, before it returns."""
        check_question(question)
        answers = await self.workers.stream(lambda: self._chain.stream(question))

        async def counted() -> AsyncIterator[Answer]:
            answer = None
            async for answer in answers:
                yield answer
            if answer:
                self._on_answer(answer)

        return counted()

    async def follow_ups(self, question: Question) -> tuple[str, ...]:
        """Return questions that lead on from one, each tried. Raises UsageError as `ask` does."""
        check_question(question)
        return await self.workers.run(lambda: self._chain.follow_ups(question))

    async def starters(self) -> Starters:
        """Return questions to begin with, by topic, each tried."""
        return await self.workers.run(self._chain.starters)

    async def search(self, query: str, k: int) -> Passages:
        """Return the `k` best passages for a query, best first. Raises UsageError for an empty or too long query."""
        check_question(Question(query))
        return Passages(query, await self.workers.run(lambda: _search(self._chain, query, k)))

    async def document(self, document: str) -> Document | None:
        """Return a document by id, or None."""
        return await self.workers.run(lambda: self._chain.source(document))

    async def documents(self, most: int, skip: int) -> tuple[int, list[Listed]]:
        """Return how many documents there are, and a page of them in the order of their ids."""

        def listed() -> tuple[int, list[Listed]]:
            catalogue = self._chain.index.catalogue
            return catalogue.count(), catalogue.listing(most, skip)

        return await self.workers.run(listed)

    async def drawn(self, part: Callable[[Chain], T]) -> T:
        """Return what a function makes of the chain: a part of the page."""
        return await self.workers.run(lambda: part(self._chain))

    @property
    def keeps_feedback(self) -> bool:
        return self._feedback is not None

    async def keep(self, feedback: Feedback) -> None:
        """Keep a judgement of an answer. Raises UsageError and GapbotError as `FeedbackLog.keep` does."""
        log = self._feedback
        if log:
            await self.workers.run(lambda: log.keep(feedback, self._chain.source))

    async def health(self) -> Health:
        """Say whether questions can be answered. Takes no place in the queue, so that it answers under load too."""

        def look() -> Health:
            try:
                index = self._chain.index
                ready = index.catalogue.count() == index.generation.documents
            except GapbotError:
                return Health(True, False, None, None, 0, 0, self.workers.under_way)
            g = index.generation
            return Health(True, ready, g.name, g.encoder, g.documents, g.passages, self.workers.under_way)

        return await asyncio.to_thread(look)


def _search(chain: Chain, query: str, k: int) -> list[Hit]:
    index = chain.index
    return [
        Hit(
            e.document.id, e.document.title, e.document.publisher, e.document.url, e.document.date,
            e.passage.start, e.passage.end, e.text, round(e.score, 6),
        )
        for e in index.retrieve(index.corrected(query), k)
    ]  # fmt: skip
