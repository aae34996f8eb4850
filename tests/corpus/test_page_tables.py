"""Tables of web pages, whose cells say which of them name the others."""

import pytest

from corpus.formats import read_html

PAGE = (
    "<html><body><article><h1>Fish of the bay</h1><p>This is a long text about the fish of the bay, for all to read.</p>"
    "<table>{}</table><p>More of it stands at the end, of which nobody knows anything at all.</p></article></body></html>"
)
HEADER = "<tr><th>Fish</th><th>Year</th><th>Catch</th></tr>"


@pytest.mark.parametrize(
    ("table", "paragraphs"),
    [
        (f"{HEADER}<tr><td>Cod</td><td>2012</td><td>9</td></tr>", ["Fish: Cod; Year: 2012; Catch: 9."]),
        (
            "<caption>Catch of the bay</caption><tr><th>Fish</th><th>2012</th></tr><tr><td>Cod</td><td>9</td></tr>",
            ["Catch of the bay", "Fish: Cod; 2012: 9."],
        ),
        (
            "<tr><th colspan=2>Orlo Ltd</th></tr><tr><th>Founded</th><td>1998</td></tr><tr><th>Staff</th><td>40</td></tr>",
            ["Orlo Ltd.", "Founded: 1998.", "Staff: 40."],
        ),
        (
            "<thead><tr><th>Fish</th><th colspan=2>Catch</th></tr><tr><th></th><th>2012</th><th>2022</th></tr></thead>"
            "<tr><th scope=row>Cod</th><td>9,800</td><td>21,400</td></tr>",
            ["Fish: Cod; Catch 2012: 9,800; Catch 2022: 21,400."],
        ),
        (
            f"{HEADER}<tr><td rowspan=2>Cod</td><td>2012</td><td>9</td></tr><tr><td>2022</td><td>21</td></tr>"
            "<tr><td colspan=3>All in tonnes</td></tr>",
            ["Fish: Cod; Year: 2012; Catch: 9.", "Fish: Cod; Year: 2022; Catch: 21.", "All in tonnes."],
        ),
    ],
    ids=["plain", "caption", "infobox", "two rows of names", "cells over rows and columns"],
)
def test_a_row_is_a_paragraph_that_names_its_columns(table: str, paragraphs: list[str]) -> None:
    text = read_html(PAGE.format(table).encode()).text
    assert "\n\n".join(["for all to read.", *paragraphs, "More of it"]) in text


@pytest.mark.parametrize(
    "table",
    [
        "<tr><td>China</td><td>15</td></tr><tr><td>US</td><td>40</td></tr>",
        "<tr><th>Menu</th><th>Text</th></tr><tr><td><ul><li>start</li></ul></td><td><div>A long text.</div></td></tr>",
    ],
    ids=["nothing is named", "a layout"],
)
def test_other_tables_are_left_as_they_are(table: str) -> None:
    text = read_html(PAGE.format(table).encode()).text
    assert "China: " not in text
    assert "Menu: " not in text


def test_a_span_beyond_all_measure_does_no_harm() -> None:
    table = f"{HEADER}<tr><td colspan=99999999>x</td></tr><tr><td rowspan='-3'>Cod</td><td>1</td><td>2</td></tr>"
    assert "Fish: Cod; Year: 1; Catch: 2." in read_html(PAGE.format(table).encode()).text
