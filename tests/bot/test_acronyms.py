import pytest

from bot.acronyms import acronyms, expansion


@pytest.mark.parametrize(
    ("text", "acronym", "expected"),
    [
        ("The Andean Copper Exchange (ACE) opened in 2031.", "ACE", "Andean Copper Exchange"),
        ("ACE (Andean Copper Exchange) opened in 2031.", "ACE", "Andean Copper Exchange"),
        ("The Ministry of Mines and Water (MOMW) said so.", "MOMW", "Ministry of Mines and Water"),
        ("Prices fell (ACE) in May.", "ACE", None),
        ("ACE opened in 2031.", "ACE", None),
    ],
)
def test_an_acronym_is_spelt_out_by_the_words_beside_its_brackets(
    text: str, acronym: str, expected: str | None
) -> None:
    assert expansion(text, acronym) == expected


def test_only_capitals_make_an_acronym() -> None:
    assert acronyms("What does ACE stand for in Peru?") == ["ACE"]
