import pytest

from bot.astray import astray


@pytest.mark.parametrize(
    ("sentence", "span", "wanted", "expected"),
    [
        ("Peru mined 2.1 million tonnes in 2030, more than Chile or Zambia.", "2.1 million", {"chile"}, True),
        ("Peru mined 2.1 million tonnes in 2030, more than Chile or Zambia.", "2.1 million", {"peru"}, False),
        ("Training the Orca 7B took 90 hours, a tenth of what the 70B model needed.", "90 hours", {"orca", "70"}, True),
        (
            "The 70B model, the largest of the Orca family, took 900 hours on Zeta chips.",
            "900 hours",
            {"orca", "70"},
            False,
        ),
        (
            "Grants came to 4 billion in Peru and 2 billion in Chile, says the Andean Bank.",
            "2 billion",
            {"chile"},
            False,
        ),
        ("Peru mined 2 million tonnes, according to the Andean Bank.", "2 million", {"andean", "bank", "peru"}, False),
    ],
)
def test_a_figure_of_another_name_is_told(sentence: str, span: str, wanted: set[str], expected: bool) -> None:
    start = sentence.index(span)
    assert astray(sentence, start, start + len(span), wanted) is expected
