import pytest

from index.terms import fold, terms, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("USD 80 million", "$80m"),
        ("USD 80 million", "80 million dollars"),
        ("500,000 workers", "500k workers"),
        ("sixth", "6th"),
        ("data centres", "data centers"),
        ("datacentre", "data center"),
        ("the U.S.", "the United States"),
        ("46%", "46 per cent"),
        ("Viettel's organisations", "Viettel organization"),
        ("Hà Nội", "ha noi"),
        ("Đà Nẵng", "Da Nang"),
    ],
)
def test_two_ways_of_writing_one_thing_are_the_same_terms(one: str, other: str) -> None:
    assert sorted(terms(one)) == sorted(terms(other))


@pytest.mark.parametrize(
    ("one", "other"), [("80 million", "80 billion"), ("1.5", "15"), ("US", "us"), ("2024", "2025")]
)
def test_different_things_stay_different(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_a_decimal_figure_is_found_by_its_digits_and_in_full() -> None:
    assert {"30.84", "30840000"} <= set(terms("30.84 million hours"))
    assert "1500000000" in terms("$1,500,000,000")


def test_accents_are_folded_without_losing_letters() -> None:
    assert fold("Nguyễn Hoàng Hưng") == "nguyen hoang hung"


@pytest.mark.parametrize("text", ["", " ", "\x00", "…", "🙂", "\ud800", "%%%", "1.2.3.4", "٣٤"])
def test_odd_texts_give_terms_without_an_error(text: str) -> None:
    assert all(isinstance(t, str) and t for t in terms(text))
