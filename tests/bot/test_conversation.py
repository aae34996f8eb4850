import pytest

from bot.conversation import standalone_question

MODELS = "How many AI models has the United States developed?"


@pytest.mark.parametrize(
    ("history", "question", "expected"),
    [
        ([], "and China?", "and China?"),
        ([MODELS], "and China?", "How many AI models has China developed?"),
        ([MODELS], "What about China?", "How many AI models has China developed?"),
        (["How much was invested in Vietnam in 2024?"], "and in 2023?", "How much was invested in Vietnam in 2023?"),
        (
            ["How many data centers does Viettel have?"],
            "How many will it have by 2030?",
            "How many data centers will Viettel have by 2030?",
        ),
        (["How much AI funding did Vietnam get?"], "why did it grow?", "Why did AI funding of Vietnam grow?"),
        (
            ["How much was US private AI investment in 2024?"],
            "and China?",
            "How much was China private AI investment in 2024?",
        ),
        (
            ["Where does Vietnam rank in the Readiness Index?"],
            "in Malaysia?",
            "Where does Malaysia rank in the Readiness Index?",
        ),
        (["How many people does FPT employ?"], "and Viettel?", "How many people does Viettel employ?"),
        (["What is a GPU hour?"], "Google", "Google"),
        (["Who is the head of Viettel AI?"], "Where did he speak?", "Where did the head of Viettel AI speak?"),
        (["Who is Le Hong Viet?"], "Which company does he run?", "Which company does Le Hong Viet run?"),
        (["How many data centers does Viettel have?"], "What are its plans?", "What are Viettel's plans?"),
    ],
)
def test_a_follow_up_is_read_with_what_came_before(history: list[str], question: str, expected: str) -> None:
    assert standalone_question(question, history) == expected


def test_a_pronoun_stands_for_the_name_that_answered_the_question_before() -> None:
    read = standalone_question("When did he die?", ["Who first collected the fern?"], lambda question: "Edmund Tolmen")
    assert read == "When did Edmund Tolmen die?"


@pytest.mark.parametrize(
    "question",
    [
        "How many data centers does Viettel operate?",
        "What is a GPU hour?",
        "Which company has the most patents in China?",
        "Where does Vietnam rank in readiness for AI?",
    ],
)
def test_a_question_that_stands_alone_is_left_as_it_is(question: str) -> None:
    assert standalone_question(question, [MODELS, "and China?"]) == question


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    history = [MODELS, "and China?"]
    assert standalone_question("and Singapore?", history) == "How many AI models has Singapore developed?"


def test_it_is_what_has_made_the_many_and_not_the_many() -> None:
    history = ["How many tide gauges has Orla Marine installed?"]
    assert standalone_question("who runs it?", history) == "Who runs Orla Marine?"


def test_where_something_was_does_not_change_what_is_spoken_of() -> None:
    history = ["Who opened Harvest Forum 2031?", "where was it held?"]
    read = standalone_question("and which firms took part in it?", history, lambda question: "Lima")
    assert read == "Which firms took part in Harvest Forum 2031?"
    assert standalone_question("how many people live there?", history, lambda question: "Lima") == (
        "How many people live in Lima?"
    )
