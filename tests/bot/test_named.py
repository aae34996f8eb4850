"""Whether a passage speaks of what a question names."""

import pytest

from bot.named import names_apart, other_version, weakest_name, whole_names
from bot.question import read_question
from index.terms import sentence_terms


@pytest.mark.parametrize(
    ("question", "passage", "expected"),
    [
        ("When does Orlo pay wages?", "Orlo pays wages on the 25th.", 1.0),
        ("When does Orlo pay wages?", "Wages are paid on the 25th.", 0.5),
        ("When does Plenty pay wages?", "Wages are paid on the 25th.", 1.0),
        ("When does Orlo pay wages?", "Wages are paid on the 25th in Chile.", 0.5),
        ("How much did Chile ship?", "Peru shipped 40 tonnes in the same year.", 0.0),
        ("When are wages paid?", "Wages are paid on the 25th.", 1.0),
        ("How fast is the Orla 4?", "The Orla 3 does 40 knots.", 0.0),
    ],
)
def test_the_weakest_name(question: str, passage: str, expected: float) -> None:
    assert (
        weakest_name(
            read_question(question), sentence_terms(passage), passage, lambda term: 0.0 if term == "plenti" else 9.0
        )
        == expected
    )


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What did Orla 4 cost?", "Orla 3.1 cost more than Brim-4.", True),
        ("What did Orla 4 cost?", "Orla 4 cost more than Orla 3.1.", False),
        ("What does the Orla 4 cost?", "The newest Orla costs 90 crowns.", False),
        ("What closed on May 4?", "The council closed the road on 4 May 2031.", False),
        ("How many models does the Index 2025 count?", "The Index 2026 counts 40.", False),
    ],
)
def test_another_version_is_another_thing(question: str, text: str, expected: bool) -> None:
    assert other_version(read_question(question), text) is expected


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Who runs Orlo Power?", [("orlo", "power")]),
        ("Does Orlo Power's board meet?", [("orlo", "power")]),
        ("Is Orlo large?", []),
        ("How much did US Steel Makers raise?", [("steel", "makers")]),
        ("Who leads the South Korea AI Fund?", [("ai", "fund")]),
        ("Who leads the United States AI Action Plan?", [("ai", "action", "plan")]),
        ("Is it at Trần Đại Nghĩa University?", [("tran", "dai", "nghia", "university")]),
        ("What does the World Bank say?", [("world", "bank")]),
        ("ORDINAL Things", []),
        ("WHO RUNS ORLO POWER?", []),
    ],
)
def test_names_of_several_words(question: str, names: list[tuple[str, ...]]) -> None:
    assert whole_names(question) == names


@pytest.mark.parametrize(
    "apart",
    [
        "Orlo bought power from Peru.",
        "Orlo's power is dear.",
        "Built by Orlo. Power is dear.",
        "Orlo, Power and Light",
        "Power for Orlo",
    ],
)
@pytest.mark.parametrize("whole", ["At Orlo Power, Ada Brin presides.", "run by orlo-power", "Ọrlo\nPower"])
def test_a_name_is_apart_only_where_another_text_has_it_whole(apart: str, whole: str) -> None:
    reading = read_question("Who runs Orlo Power?")
    assert names_apart(reading, [apart, whole]) == [["orlo", "power"], []]
    assert names_apart(reading, [apart, apart]) == [[], []]


def test_a_name_that_stands_apart_is_missed_and_no_other_country_is_meant() -> None:
    reading, passage = read_question("What did Orlo Power build in Chile?"), "Orlo bought power from Peru."
    said = sentence_terms(f"{passage} It is a firm of Chile.")
    assert weakest_name(reading, said, passage, lambda term: 9.0, ["orlo", "power"]) == 0.5


def test_a_long_question_of_many_names_takes_no_time() -> None:
    reading = read_question("Orlo Power, " * 660)
    assert names_apart(reading, ["Orlo bought power from Peru. " * 40] * 20) == [[]] * 20
    assert len(whole_names(" and ".join(f"Orlo Power{n}" for n in range(900)))) == 5
