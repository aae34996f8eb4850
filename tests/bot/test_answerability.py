"""How much the reader reads: no more passages than settle a question, over the shipped corpus."""

from collections.abc import Sequence

import pytest

from bot.answer import Question
from bot.answerability import ANSWER, CERTAIN, DOUBTFUL, HOPELESS, PASSAGES_READ, READ_FIRST, Judged, judge
from bot.chain import RETRIEVED, Chain
from bot.question import understood
from bot.reader import Reader, ReadPassage
from bot.signals import candidates
from index.encoder import PassageText


class Counting(Reader):
    """The shipped reader, with the number of readings of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def read_pairs(self, pairs: Sequence[tuple[str, PassageText]]) -> list[ReadPassage]:
        self.calls.append(len(pairs))
        return super().read_pairs(pairs)


def judged(chain: Chain, question: str) -> tuple[Judged, list[int]]:
    reader, index = Counting(), chain.index
    reading = understood(question, index)
    found = candidates(reading, index.retrieve(question, RETRIEVED), index)
    return judge(reading, found, reader), reader.calls


def passages(found: Sequence[object]) -> int:
    return len({c.passage_key for c in found})  # type: ignore[attr-defined]


def test_a_question_that_the_first_passages_answer_for_certain_reads_no_more(shipped_chain: Chain) -> None:
    seen, calls = judged(shipped_chain, "When did Vietnam pass its AI law?")
    assert seen.probability >= CERTAIN
    assert calls == [READ_FIRST]
    assert (passages(seen.ranked), passages(seen.unread)) == (READ_FIRST, PASSAGES_READ - READ_FIRST)
    assert all(c.read for c in seen.ranked)
    assert not any(c.read for c in seen.unread)


def test_a_question_that_they_leave_without_hope_reads_no_more(shipped_chain: Chain) -> None:
    seen, calls = judged(shipped_chain, "How many unicorns are there in Singapore?")
    assert seen.probability < HOPELESS
    assert calls == [READ_FIRST]


def test_what_is_between_reads_all_and_looks_again(shipped_chain: Chain) -> None:
    seen, calls = judged(shipped_chain, "What share of customer service is automated?")
    assert calls[:2] == [READ_FIRST, PASSAGES_READ - READ_FIRST]
    assert len(calls) == 3
    assert not seen.unread
    assert seen.probability >= DOUBTFUL / 2


@pytest.mark.parametrize(
    "question", ["What are the four pillars of the roadmap?", "What did Nvidia agree with Vietnam?"]
)
def test_what_several_sentences_may_answer_reads_all(shipped_chain: Chain, question: str) -> None:
    seen, calls = judged(shipped_chain, question)
    assert seen.probability >= CERTAIN
    assert sum(calls) == PASSAGES_READ


def test_who_may_give_another_figure_is_read_as_well(shipped_chain: Chain) -> None:
    seen, calls = judged(shipped_chain, "How many AI models did China release in 2024?")
    assert seen.probability >= CERTAIN
    assert READ_FIRST < sum(calls) < PASSAGES_READ
    asked = seen.ranked[0].signals["coverage"]
    assert all(c.signals["coverage"] < asked for c in seen.unread if c.signals["type"])


def test_the_passages_that_were_not_read_are_offered_to_who_looks_further(shipped_chain: Chain) -> None:
    found = shipped_chain._find.invoke(Question("How many unicorns are there in Singapore?"))
    assert found.unread
    assert found.candidates == (*found.ranked, *found.unread)
    closest = shipped_chain.ask(Question("How many unicorns are there in Singapore?")).closest
    assert len({(c.document, c.start) for c in closest}) > READ_FIRST


def test_the_probabilities_that_settle_a_question_leave_the_threshold_between_them() -> None:
    assert HOPELESS < DOUBTFUL < ANSWER < CERTAIN
