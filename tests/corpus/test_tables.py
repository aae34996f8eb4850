"""Tables within texts become sentences that name their columns."""

import pytest

from corpus.tables import row_sentence, table_sentences, without_tables

TABLE = "| Fish | 2012 | 2022 |\n| --- | ---: | :--- |\n| Cod | 9,800 | 21,400 |\n| Ling | 4 | |\n"
ROWS = "Fish: Cod; 2012: 9,800; 2022: 21,400.\n\nFish: Ling; 2012: 4."


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (TABLE, f"{ROWS}\n"),
        (f"The catch:\n{TABLE}All in tonnes.\n", f"The catch:\n\n{ROWS}\n\nAll in tonnes.\n"),
        (f"One.\n\n{TABLE}\nTwo.", f"One.\n\n{ROWS}\n\nTwo."),
        ("Fish | Tonnes\n--- | ---\nCod | 9\n", "Fish: Cod; Tonnes: 9.\n"),
        ("|  | 2012 |\n|--|--|\n| Cod | 9 |\n", "Cod; 2012: 9.\n"),
        ("| Sign | Meaning |\n|--|--|\n| a \\| b | either |\n", "Sign: a | b; Meaning: either.\n"),
        ("| Name | Note |\n|--|--|\n| Cod | It is common. |\n", "Name: Cod; Note: It is common.\n"),
        (TABLE.replace("\n", "\r\n"), f"{ROWS}\n"),
        (TABLE.strip(), f"{ROWS}\n"),
    ],
)
def test_a_table_becomes_a_paragraph_a_row(text: str, written: str) -> None:
    assert without_tables(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "No table here.\n",
        "Either a | b, or c.\n\nNothing else.\n",
        f"```\n{TABLE}```\n",
        "| Fish | 2012 |\n|--|--|\n",
        "| Fish | 2012 |\n|--|--|--|\n| Cod | 9 |\n",
        "| Cod | 9 |\n| Ling | 4 |\n",
        "a | b\n\n---\n\nc | d\n",
    ],
    ids=["plain", "bars", "fenced", "header alone", "uneven rule", "no rule", "rule apart"],
)
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert without_tables(text) == text


def test_two_tables_stay_two() -> None:
    assert without_tables(f"{TABLE}\nBetween.\n\n{TABLE}").count("Fish: Cod") == 2
    assert "Between." in without_tables(f"{TABLE}\nBetween.\n\n{TABLE}")


def test_a_cell_that_runs_across_the_table_gets_no_column() -> None:
    assert row_sentence(["Fish", "2012"], ["no catch in winter"]) == "no catch in winter."


def test_a_table_of_one_row_names_nothing() -> None:
    assert table_sentences([["a", "b"]]) == "| a | b |"
