"""Which year a sentence speaks of."""

import pytest

from bot.years import another_year, plain_years, year_match

CHINA = "In 2024 private AI investment in China came to USD 9.3 billion, according to Stanford's AI Index 2025."


def test_the_year_in_a_title_is_not_the_year_of_the_figure() -> None:
    assert plain_years(CHINA) == (frozenset({"2024"}), frozenset())


@pytest.mark.parametrize(
    ("text", "single", "ends"),
    [
        ("over 2013-2024", set(), {"2013", "2024"}),
        ("over 2013–24", set(), {"2013", "2024"}),
        ("March 2026 and 1 June 2027", {"2026", "2027"}, set()),
        ("Since 1998 it has grown.", {"1998"}, set()),
        ("It cost 2025 dollars in the Global Innovation Index 2025.", {"2025"}, set()),
        ("no year at all", set(), set()),
    ],
)
def test_single_years_and_ends_of_ranges_are_told_apart(text: str, single: set[str], ends: set[str]) -> None:
    assert plain_years(text) == (frozenset(single), frozenset(ends))


def test_a_sentence_of_the_year_asked_for_matches_best() -> None:
    of_2025 = "Private AI investment in China was USD 12.41 billion in 2025."
    assert year_match(["2025"], of_2025, of_2025, None) == 1.0
    assert year_match(["2025"], CHINA, CHINA, None) < 0.5
    assert year_match([], CHINA, CHINA, None) == 1.0


def test_the_recorded_date_stands_for_a_sentence_without_a_year() -> None:
    text = "China drew USD 12.41 billion."
    assert year_match(["2025"], text, text, "2025-06") > year_match(["2024"], text, text, "2025-06")
    assert another_year(["2024"], text, "2025-06")
    assert not another_year(["2025"], text, "2025-06")


def test_a_sentence_of_another_year_is_told() -> None:
    assert another_year(["2025"], CHINA, None)
    assert not another_year(["2024"], CHINA, None)
    assert not another_year([], CHINA, None)
