"""Tables within texts become sentences that name their columns."""

import pytest

from corpus.tables import begins_with_row, row_sentence, table_sentences, without_tables

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
        (f"{TABLE}# Next | more\n", f"{ROWS}\n\n# Next | more\n"),
        ("Fish | Tonnes\n--- | ---\nCod | 9\n- an item | a bar\n", "Fish: Cod; Tonnes: 9.\n\n- an item | a bar\n"),
        ("| Name | Note |\n|--|--|\n| Cod\u2028grey | 9 |\n", "Name: Cod grey; Note: 9.\n"),
        (f"```a``` is code.\n\n{TABLE}", f"```a``` is code.\n\n{ROWS}\n"),
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
        f"~~~\n```\n{TABLE}~~~\n",
        "    | a | b |\n    |---|---|\n    | 1 | 2 |\n",
        "| Fish | 2012 |\n|--|--|\n",
        "| Fish | 2012 |\n|--|--|--|\n| Cod | 9 |\n",
        "| Cod | 9 |\n| Ling | 4 |\n",
        "a | b\n\n---\n\nc | d\n",
    ],
    ids=["plain", "bars", "fenced", "fence in a fence", "code", "header alone", "uneven rule", "no rule", "rule apart"],
)
def test_what_is_no_table_stays_as_it_is(text: str) -> None:
    assert without_tables(text) == text


def test_two_tables_stay_two() -> None:
    assert without_tables(f"{TABLE}\nBetween.\n\n{TABLE}").count("Fish: Cod") == 2
    assert "Between." in without_tables(f"{TABLE}\nBetween.\n\n{TABLE}")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (["no catch in winter", None, None], "no catch in winter."),
        (["Cod", "not counted", None], "Fish: Cod; 2012, 2022: not counted."),
        (["Cod", "", "9"], "Fish: Cod; 2022: 9."),
        (["Cod"], "Fish: Cod."),
        (["Cod", "1", "2", "3"], "Fish: Cod; 2012: 1; 2022: 2; 3."),
        (["", "", ""], ""),
    ],
)
def test_a_cell_is_named_by_the_columns_that_it_fills(row: list[str | None], sentence: str) -> None:
    assert row_sentence(["Fish:", "2012", "2022"], row) == sentence


def test_a_title_across_the_table_is_a_paragraph_and_names_of_two_rows_are_joined() -> None:
    rows: list[list[str | None]] = [
        ["The bay", None, None],
        ["Fish", "Catch", None],
        ["", "2012", "2022"],
        ["Cod", "9", "21"],
    ]
    assert table_sentences(rows, 2) == "The bay.\n\nFish: Cod; Catch 2012: 9; Catch 2022: 21."


def test_a_hostile_table_grows_within_bounds() -> None:
    names = " | ".join("x" * 5000 for _ in range(50))
    text = f"| {names} |\n{'|--' * 50}|\n" + f"|{' y |' * 50}\n" * 20
    assert len(without_tables(text)) < 150_000
    assert without_tables("|" + " " * 200_000 + "\n" + "|" + " " * 200_000 + "x\n| y\n").endswith("| y\n")


def test_a_row_is_told_from_prose() -> None:
    assert begins_with_row("Company: Orlo; City: Lima; Founded: 1998.")
    assert not begins_with_row("Orlo: a firm of Lima; it was founded in 1998.")
