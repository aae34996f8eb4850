"""How much the reader reads: no more passages than settle a question, over the shipped corpus."""

from collections.abc import Sequence

import pytest

from bot.answer import Question
from bot.answerability import ANSWER, CERTAIN, HOPELESS, PASSAGES_READ, READ_FIRST, Judged, judge
from bot.chain import RETRIEVED, Chain
from bot.question import understood
from bot.reader import Reader, ReadPassage, ReadSentence
from bot.second_look import MOST_WORDS
from bot.signals import Candidate, candidates
from index.encoder import PassageText

NAMED = "How many AI models did China release in 2024?"
NAMELESS = "When was the law passed?"
OPEN = "What did Nvidia agree with Vietnam?"


class Scripted(Reader):
    """A reader that takes for evidence, by so many log-odds, the passages whose text holds one of some words."""

    def __init__(self, *words: str, odds: float = 8.0) -> None:
        super().__init__()
        self.words, self.odds = words, odds
        self.calls: list[int] = []

    def read_pairs(self, pairs: Sequence[tuple[str, PassageText]]) -> list[ReadPassage]:
        self.calls.append(len(pairs))
        return [self._said(passage) for _, passage in pairs]

    def _said(self, passage: PassageText) -> ReadPassage:
        odds = self.odds if any(word in passage.text for word in self.words) else -8.0
        sentences = []
        for a, b in passage.sentences:
            start = next((i for i in range(a, b) if passage.text[i].isdigit()), a)
            sentences.append(ReadSentence(odds, 2 * odds, start, min(b, start + 2)))
        return ReadPassage(odds, tuple(sentences))


def judged(chain: Chain, question: str, reader: Reader, threshold: float = ANSWER) -> Judged:
    return judge(understood(question, chain.index), asked(chain, question), reader, threshold)


def asked(chain: Chain, question: str) -> list[Candidate]:
    index = chain.index
    return candidates(understood(question, index), index.retrieve(question, RETRIEVED), index)


def passages(found: Sequence[Candidate]) -> int:
    return len({c.passage_key for c in found})


def test_what_no_passage_answers_is_left_after_the_first(shipped_chain: Chain) -> None:
    reader = Scripted()
    seen = judged(shipped_chain, NAMED, reader)
    assert seen.probability < HOPELESS
    assert reader.calls == [READ_FIRST]
    assert (passages(seen.ranked), passages(seen.unread)) == (READ_FIRST, PASSAGES_READ - READ_FIRST)
    assert all(c.read for c in seen.ranked)
    assert not any(c.read for c in seen.unread)


def test_who_refuses_nothing_reads_on_without_hope(shipped_chain: Chain) -> None:
    reader = Scripted()
    assert not judged(shipped_chain, NAMED, reader, threshold=0.0).unread
    assert reader.calls == [READ_FIRST, PASSAGES_READ - READ_FIRST]


def test_what_the_first_passages_settle_reads_only_what_may_give_another_figure(shipped_chain: Chain) -> None:
    reader = Scripted("China")
    seen = judged(shipped_chain, NAMED, reader)
    assert seen.probability >= CERTAIN
    assert READ_FIRST < sum(reader.calls) < PASSAGES_READ
    best = seen.ranked[0].signals["coverage"]
    assert seen.unread
    assert all(c.signals["coverage"] < best for c in seen.unread if c.signals["type"])


@pytest.mark.parametrize("question", [OPEN, "What are the four pillars of the roadmap?"])
def test_where_no_kind_of_thing_or_several_are_asked_for_all_are_read(shipped_chain: Chain, question: str) -> None:
    reader = Scripted("NVIDIA", "pillar")
    assert judged(shipped_chain, question, reader).probability >= CERTAIN
    assert reader.calls == [READ_FIRST, PASSAGES_READ - READ_FIRST]


def test_where_no_name_is_given_whatever_may_be_meant_is_read(shipped_chain: Chain) -> None:
    reader = Scripted("law", "Law")
    seen = judged(shipped_chain, NAMELESS, reader)
    assert seen.probability >= CERTAIN
    assert sum(reader.calls) > READ_FIRST
    assert not any(c.signals["type"] for c in seen.unread)


def test_what_is_in_doubt_is_read_whole_and_looked_at_again(shipped_chain: Chain) -> None:
    reader = Scripted("China", odds=-1.5)
    judged(shipped_chain, NAMED, reader)
    assert reader.calls[:2] == [READ_FIRST, PASSAGES_READ - READ_FIRST]
    assert len(reader.calls) == 3
    assert 2 <= reader.calls[2] <= 1 + MOST_WORDS


def test_a_corpus_of_one_passage_is_read(shipped_chain: Chain) -> None:
    reader, found = Scripted("China"), asked(shipped_chain, NAMED)
    one = [c for c in found if c.passage_key == found[0].passage_key]
    assert not judge(understood(NAMED, shipped_chain.index), one, reader).unread
    assert reader.calls[0] == 1


def test_the_passages_that_were_not_read_are_offered_to_who_looks_further(shipped_chain: Chain) -> None:
    found = shipped_chain._find.invoke(Question("How many unicorns are there in Singapore?"))
    assert found.candidates == (*found.ranked, *found.unread)
    closest = shipped_chain.ask(Question("How many unicorns are there in Singapore?")).closest
    assert len({(c.document, c.start) for c in closest}) > READ_FIRST
