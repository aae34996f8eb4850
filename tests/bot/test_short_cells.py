"""Of the row of a table a cell is the short answer."""

import pytest

from bot.question import read_question
from bot.short import short_answer
from bot.spans import typed_spans

SALES = "Product: Crispbread; 2020: 12,300; 2021: n/a; 2022: 9,000."
STAFF = "Name: Erik Falk; Role: Head baker; Shop: Ystad."
SHOP = "Shop: Ystad; Head: Erik Falk; Staff: 12; Opened: 2014."
CATCH = "Fish: Cod; Catch in 2012 (t): 9,800; Catch in 2022 (t): 21,400."
TREE = "Species: Ginkgo; Height (m): 19.7; Note: tall; old."


@pytest.mark.parametrize(
    ("question", "row", "pointed", "short"),
    [
        ("How much crispbread was sold in 2022?", SALES, "12,300", "9,000"),
        ("How much crispbread was sold in 2021?", SALES, "12,300", "n/a"),
        ("How much crispbread was sold in 2019?", SALES, "12,300", "12,300"),
        ("What is Erik Falk's role?", STAFF, "Head baker; Shop: Ystad", "Head baker"),
        ("Where does Erik Falk work?", STAFF, "Shop: Ystad", "Ystad"),
        ("Which product sold worst in 2022?", SALES, "9,000", "Crispbread"),
        ("What is the role of Erik Falk?", STAFF, "Ystad", "Head baker"),
        ("What height does the ginkgo have?", TREE, "tall", "19.7"),
        ("Who runs the shop?", SHOP, "Erik Falk", "Erik Falk"),
        ("How many workers does the shop in the south have?", SHOP, "12", "12"),
        ("When did the shop start?", SHOP, "2014", "2014"),
        ("How much climb has Black Ridge?", "Walk: Black Ridge; Length (km): 19; Climb (m): 1,240.", "19", "1,240"),
        ("How many countries are there in the region?", "Region: Asia; Members: 48.", "48", "48"),
        ("How much cod was landed in 2012?", CATCH, "21,400", "9,800"),
        ("How much of the product was sold in 2022?", SALES, "12,300", "9,000"),
        ("How tall is the ginkgo?", TREE, "Height (m): 19.7", "19.7"),
        ("Which note is there of the ginkgo?", TREE, "tall; old", "tall; old"),
        ("Where does Erik Falk work?", "Erik Falk, our head baker, works in Ystad.", "Ystad", "Ystad"),
    ],
)
def test_the_cell_that_is_asked_for_is_the_answer(question: str, row: str, pointed: str, short: str) -> None:
    assert short_answer(read_question(question), row, typed_spans(row), pointed) == short
