"""Questions for whatever is known of a subject."""

import pytest

from bot.about import name_asked, subject_asked
from bot.answer import Question
from bot.chain import Chain


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Tell me about FPT", "FPT"),
        ("what do you know about Le Hong Viet?", "Le Hong Viet"),
        ("Give me three facts about Viettel.", "Viettel"),
        ("overview of the AI law", "the AI law"),
        ("Viettel", "Viettel"),
        ("viettel?", "viettel"),
        ("How large is Viettel?", None),
        ("Viettel data centers", None),
        ("weather", None),
        ("What facts does the report give about Viettel?", None),
        ("How many articles are about AI?", None),
        ("What do you know about how many data centers Viettel has?", None),
    ],
)
def test_a_question_for_all_that_is_known_names_its_subject(
    text: str, subject: str | None, shipped_chain: Chain
) -> None:
    assert subject_asked(text, shipped_chain.index.encoder.knows_word) == subject


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Who is Le Hong Viet?", "Le Hong Viet"),
        ("what is fpt", "fpt"),
        ("and who is Truong Gia Binh?", "Truong Gia Binh"),
        ("What is a GPU hour?", None),
        ("Who is the chairman of Viettel?", None),
    ],
)
def test_a_question_for_a_name_is_told_from_one_for_a_thing(text: str, name: str | None, shipped_chain: Chain) -> None:
    assert name_asked(text, shipped_chain.index.encoder.knows_word) == name


@pytest.mark.parametrize("text", ["Tell me about FPT", "facts about FPT", "FPT", "what is fpt"])
def test_what_is_known_of_a_name_comes_in_several_sentences_that_name_it(text: str, shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question(text))
    assert (answer.status, answer.short) == ("answered", None)
    assert len(answer.citations) >= 3
    assert all("FPT" in c.quote for c in answer.citations)
    assert len({c.quote for c in answer.citations}) == len(answer.citations)


@pytest.mark.parametrize(
    "text",
    [
        "Tell me about Elon Musk",
        "who is elon musk",
        "Zanzibar",
        "Zanzibar data centers",
        "Number of Zanzibar ferries",
        "facts about Zanzibar's ferries",
    ],
)
def test_of_what_no_source_names_nothing_is_told(text: str, shipped_chain: Chain) -> None:
    assert shipped_chain.ask(Question(text)).status in ("not_in_corpus", "near_miss")


def test_what_a_thing_is_comes_from_its_definition(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("What is a GPU hour?"))
    assert answer.short == "one graphics processing unit (GPU) working for one hour"
    assert shipped_chain.ask(Question("What did Jensen Huang say about Vietnam?")).short is None


@pytest.mark.parametrize("text", ["facts about this", "anything about that?", "tell me about it"])
def test_without_a_subject_nothing_is_told(text: str, shipped_chain: Chain) -> None:
    assert shipped_chain.ask(Question(text)).status != "answered"
