"""Cues of language, on sentences made for them."""

import pytest

from bot.cues import counted, gives_cause, negates, opposed
from index.terms import sentence_terms


@pytest.mark.parametrize(
    "text", ["It closed because the pumps wore out.", "They did so to save water.", "Thanks to rain, it grew."]
)
def test_a_sentence_with_a_cause_is_told(text: str) -> None:
    assert gives_cause(text)


def test_a_bare_statement_gives_no_cause() -> None:
    assert not gives_cause("The port bought three cranes in May.")


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Why did the bank cut its forecast?", "The bank raised its forecast in April.", True),
        ("Why did the bank raise its forecast?", "The bank raised its forecast in April.", False),
        ("Why did the number of accidents drop?", "Accidents rose to 362.", True),
        ("Who built the bridge?", "The bridge was demolished in 1990 and built anew.", False),
        ("Who owns the bridge?", "The bridge fell in 1990.", False),
    ],
)
def test_a_sentence_that_points_the_other_way_is_told(question: str, sentence: str, expected: bool) -> None:
    assert opposed(sentence_terms(question), sentence_terms(sentence)) is expected


def test_negation_is_told() -> None:
    assert negates("It didn’t rain.")
    assert not negates("It rained.")


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("How many data centers does Viettel operate?", ("data", "center")),
        ("how many gpus", ("gpus",)),
        ("the number of branches in Oslo", ("branch",)),
        ("Who is the mayor?", ()),
    ],
)
def test_what_a_question_counts_is_found(question: str, noun: tuple[str, ...]) -> None:
    assert counted(question)[-1:] == tuple(sentence_terms(noun[-1]))[:1] if noun else counted(question) == ()
