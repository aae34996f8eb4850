"""The whole way on the shipped corpus with the real model: from a question to a cited answer."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.answer import Answer, Question
from bot.chain import Chain
from bot.evaluation import citations_hold
from bot.language import FOREIGN
from corpus.errors import UsageError

ANSWERED = [
    # 40 by the article and in 2024, 59 in 2025: a question without a year gets both, and either may come first.
    ("How many AI models has the United States developed?", None, r"\b40\b"),
    ("How many AI models did the United States release in 2024?", "40", r"\b40\b"),
    ("How many data centers does Viettel operate?", "15", r"\b15\b"),
    ("How many GPU hours did Meta need to train Llama 3?", None, r"30\.84 million"),
    ("What are the three phases of the roadmap of Le Hong Viet?", None, r"foundation building.*regional leadership"),
    ("What are the four pillars of the roadmap?", None, r"human capital"),
    ("What is a GPU hour?", None, r"one hour"),
    ("When did Vietnam's National Assembly pass the AI Law?", "10 December 2025", r"10 December 2025"),
    ("viettel datacentres", None, r"Viettel"),
    ("What share of customer service tasks have FPT's AI agents automated?", "46%", r"46%"),
]
REFUSED = [
    "What is the weather in Hanoi tomorrow?",
    "How do I bake sourdough bread?",
    "Who won the 2018 football world cup?",
]


def marks(text: str) -> set[str]:
    return set(re.findall(r"\[(\d+)\]", text))


@pytest.mark.parametrize(("question", "short", "gold"), ANSWERED)
def test_a_question_that_the_corpus_answers_is_answered_with_citations(
    shipped_chain: Chain, question: str, short: str | None, gold: str
) -> None:
    answer = shipped_chain.ask(Question(question))
    assert answer.status == "answered"
    assert re.search(gold, answer.text, re.S)
    assert short is None or (answer.short is not None and short in answer.short)
    assert any(re.search(gold, c.quote, re.S) for c in answer.citations)
    assert citations_hold(shipped_chain, answer)


@pytest.mark.parametrize("question", REFUSED)
def test_a_question_off_the_subject_is_not_answered(shipped_chain: Chain, question: str) -> None:
    answer = shipped_chain.ask(Question(question))
    assert answer.status in ("not_in_corpus", "near_miss")
    assert not answer.citations
    assert not marks(answer.text)


@pytest.mark.parametrize(
    ("question", "foreign"),
    [
        ("Việt Nam đầu tư bao nhiêu vào AI?", True),
        ("Năm 2024 Viettel có bao nhiêu trung tâm dữ liệu?", True),
        ("Ai là giám đốc điều hành của FPT Smart Cloud?", True),
        ("Wie viele KI-Modelle hat China entwickelt?", True),
        ("中国开发了多少个人工智能模型？", True),
        ("who is Xavier Blorfson Quuxman?", False),
        ("compare groq cerebras graphcore sambanova", False),
        ("hw mny datacentrs viettl has", False),
    ],
)
def test_a_question_in_another_language_is_told_so(shipped_chain: Chain, question: str, foreign: bool) -> None:
    assert (shipped_chain.ask(Question(question)).text == FOREIGN) == foreign


def test_a_missing_fact_is_named_and_the_closest_passages_are_not_an_answer(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("How many AI models has Brazil developed?"))
    assert answer.status == "near_miss"
    assert "Brazil" in answer.text
    assert 1 <= len(answer.closest) <= 3
    assert not answer.citations
    assert citations_hold(shipped_chain, answer)


def test_a_follow_up_is_read_with_the_questions_before_it(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("and China?", ("How many AI models did the United States release in 2024?",)))
    assert answer.read_as == "How many AI models did China release in 2024?"
    assert answer.status == "answered"
    assert re.search(r"\b15\b", answer.text)


def test_a_follow_up_that_was_read_wrong_is_found_as_it_was_typed(shipped_chain: Chain) -> None:
    read, before, typed = "How old is it?", "Tell me about Viettel", "How many data centers does Viettel operate?"

    def place(as_typed: str) -> int:
        found = [e.text for e in shipped_chain.index.retrieve(read, 100, before, as_typed)]
        return next(i for i, text in enumerate(found) if "15 working data centres" in text)

    assert place(typed) < place(read) == place("Why?")


def test_a_figure_that_its_primary_source_corrects_is_shown_with_its_correction(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("How many GPU hours did training the Llama 3 model take Meta?"))
    (conflict,) = answer.conflicts
    assert len(conflict.sides) >= 2
    assert {str(s.marker) for s in conflict.sides} <= marks(answer.text)
    assert any("3.1" in c.quote for c in answer.citations)


def test_a_comparison_brings_both_sides(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("Compare private AI investment in Singapore and South Korea in 2025"))
    assert answer.status == "answered"
    assert any(c.quote.startswith("Singapore") for c in answer.citations)
    assert any(c.quote.startswith("South Korea") for c in answer.citations)


@pytest.mark.parametrize("text", ["hello", "thanks!", "what can you do?"])
def test_small_talk_is_friendly_and_offers_starters(shipped_chain: Chain, text: str) -> None:
    answer = shipped_chain.ask(Question(text))
    assert answer.status == "chat"
    assert answer.choices == tuple(questions[0] for _, questions in shipped_chain.starters(topics=4))


def test_starter_questions_are_answerable_and_all_of_the_profile(shipped_chain: Chain) -> None:
    assert {t: [*asked] for t, asked in shipped_chain.starters()} == shipped_chain.profile.starters
    for text in [q for _, questions in shipped_chain.starters() for q in questions]:
        assert shipped_chain.ask(Question(text)).status == "answered"


def test_an_answer_streams_as_a_growing_text_whose_markers_have_citations(shipped_chain: Chain) -> None:
    question = Question("What are the weaknesses of Vietnam in AI?")
    parts = list(shipped_chain.stream(question))
    assert [p.text for p in parts] == sorted((p.text for p in parts), key=len)
    assert all(parts[-1].text.startswith(p.text) for p in parts)
    for part in parts:
        assert marks(part.text) <= {str(c.marker) for c in part.citations}
    assert parts[-1].text == shipped_chain.ask(question).text


def test_the_chain_is_a_runnable_with_invoke_stream_and_async(shipped_chain: Chain) -> None:
    question = Question("How many data centers does Viettel operate?")
    invoked = shipped_chain.runnable.invoke(question)
    streamed = list(shipped_chain.runnable.stream(question))
    awaited = asyncio.run(shipped_chain.runnable.ainvoke(question))
    assert isinstance(invoked, Answer)
    assert invoked.generation
    assert (invoked.text, invoked.citations) == (streamed[-1].text, streamed[-1].citations)
    assert (invoked.text, invoked.citations) == (awaited.text, awaited.citations)
    assert shipped_chain.runnable.invoke(Question("hello")).status == "chat"


def test_the_steps_of_the_chain_can_be_traced(shipped_chain: Chain) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    names: list[str] = []

    class Tracer(BaseCallbackHandler):
        def on_chain_start(self, *arguments: object, **more: object) -> None:
            names.append(str(more.get("name")))

    shipped_chain.runnable.invoke(Question("What is a GPU hour?"), {"callbacks": [Tracer()]})
    assert names[0] == "gapbot"
    assert [n for n in names if n in ("read", "retrieve", "answer")] == ["read", "retrieve", "answer"]


def test_many_threads_get_the_same_answers(shipped_chain: Chain) -> None:
    questions = [Question(q) for q, _, _ in ANSWERED] * 4
    with ThreadPoolExecutor(16) as pool:
        texts = [a.text for a in pool.map(shipped_chain.ask, questions)]
    assert texts == [shipped_chain.ask(q).text for q in questions]


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "x" * 8001])
def test_an_empty_or_endless_question_is_refused(shipped_chain: Chain, text: str) -> None:
    with pytest.raises(UsageError):
        shipped_chain.ask(Question(text))


@pytest.mark.parametrize(
    "text", ["?", "\x00", "\ud800", "🙂🙂🙂", "[1]", "<script>alert(1)</script>", "' OR 1=1 --", "a" * 8000, "[99] [x](http://e.x)", "١٢٣", "{{7*7}}"]
)  # fmt: skip
def test_odd_questions_get_an_answer_whose_citations_hold(shipped_chain: Chain, text: str) -> None:
    answer = shipped_chain.ask(Question(text))
    assert citations_hold(shipped_chain, answer)


def test_nothing_opens_a_connection_to_the_outside(shipped_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(self: object, address: object) -> None:
        raise AssertionError(f"a connection to {address} was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert shipped_chain.ask(Question("How many data centers does Viettel operate?")).status == "answered"
