import itertools

import pytest

from bot.spans import typed_spans


@pytest.mark.parametrize(
    ("sentence", "kind", "text"),
    [
        ("Training took Meta 30.84 million GPU hours.", "quantity", "30.84 million GPU hours"),
        ("Private investment came to USD 471 billion.", "money", "USD 471 billion"),
        ("It raised $80m in a year.", "money", "$80m"),
        ("The fine is 2 billion dong.", "money", "2 billion dong"),
        ("AI is used by 42% of the population.", "percent", "42%"),
        ("Adoption grew by 3.5 percentage points.", "percent", "3.5 percentage points"),
        ("They would need about 55 years for that.", "duration", "about 55 years"),
        ("It opened on 26 September 2025 in Hanoi.", "date", "26 September 2025"),
        ("Over the years 2013 to 2024 it grew.", "date", "2013 to 2024"),
        ("WIN put Vietnam in 6th place among 40 countries.", "rank", "6th place among 40 countries"),
        ("Viettel operates 15 data centers.", "quantity", "15 data centers"),
        ("There are more than 1,500 AI agents at work.", "quantity", "more than 1,500 AI agents"),
        ("It had a turnover USD 20 million lower.", "money", "USD 20 million"),
        ("The levy takes at most 5% of it.", "percent", "at most 5%"),
        ("The law was drafted by Nguyễn Hoàng Hưng.", "name", "Nguyễn Hoàng Hưng"),
    ],
)
def test_the_figure_with_its_unit_is_found(sentence: str, kind: str, text: str) -> None:
    assert (kind, text) in [(s.kind, s.text) for s in typed_spans(sentence)]


def test_spans_are_exact_slices_that_do_not_overlap() -> None:
    sentence = "In 2024 Meta spent USD 1.5 billion on 24,000 GPUs, 12% more than in 2023, and ranked 2nd."
    spans = typed_spans(sentence)
    assert all(sentence[s.start : s.end] == s.text for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
