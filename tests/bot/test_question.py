import pytest

from bot.question import expected_kind, read_question, sides


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many AI models did China release?", "quantity"),
        ("how much money was invested in Vietnam", "money"),
        ("What did the project cost?", "money"),
        ("What percentage of SMEs use AI?", "percent"),
        ("When was the law passed?", "date"),
        ("In which year did it open?", "date"),
        ("How long would training take?", "duration"),
        ("Where does Vietnam rank in readiness?", "rank"),
        ("Who runs FPT Smart Cloud?", "person"),
        ("Which companies build data centers?", "organisation"),
        ("In which city is the plant?", "place"),
        ("What is a GPU hour?", "definition"),
        ("What does sovereign AI mean?", "definition"),
        ("Why is Vietnam behind?", "reason"),
        ("What are the four pillars of the roadmap?", "list"),
        ("Compare Vietnam and Singapore", "comparison"),
        ("Is Vietnam ahead of Indonesia?", "yes_no"),
        ("kelp harvest start", "fact"),
    ],
)
def test_the_expected_kind_of_answer_is_read_off_the_question(question: str, kind: str) -> None:
    assert expected_kind(question) == kind


def test_terms_names_numbers_and_years_are_told_apart() -> None:
    reading = read_question("How much did Singapore invest in 500 AI firms in 2024?")
    assert "singapor" in reading.names
    assert reading.years == ("2024",)
    assert reading.numbers == ("500",)
    assert "invest" in reading.terms


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Compare Peru and Chile", ["Compare Peru", "Compare Chile"]),
        (
            "Compare the number of mines in Peru and Chile.",
            ["Compare the number of mines in Peru", "Compare the number of mines in Chile"],
        ),
        (
            "How does Peru's copper output compare with Chile's?",
            ["Peru's copper output", "Chile's copper output"],
        ),
        ("What is the difference between 2023 and 2024?", []),
    ],
)
def test_a_comparison_is_one_question_a_side(question: str, expected: list[str]) -> None:
    assert sides(question) == expected
