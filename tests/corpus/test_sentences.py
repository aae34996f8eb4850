import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import sentence_spans, trimmed

GOLDEN = [
    # Figures
    ("It cost USD 1.5 billion. Then it rose.", ["It cost USD 1.5 billion.", "Then it rose."]),
    ("Growth was 3.5%. It fell.", ["Growth was 3.5%.", "It fell."]),
    ("It grew to 40. 15 were new.", ["It grew to 40.", "15 were new."]),
    ("It came to USD 1.5 bn. The rest followed.", ["It came to USD 1.5 bn.", "The rest followed."]),
    ("Version 2.13.0 is out. Use it.", ["Version 2.13.0 is out.", "Use it."]),
    ("It is No. 6 of 40. Good.", ["It is No. 6 of 40.", "Good."]),
    # Abbreviations and initials
    ("Dr. Le met Prof. Tran. They spoke.", ["Dr. Le met Prof. Tran.", "They spoke."]),
    ("The U.S. leads. China follows.", ["The U.S. leads.", "China follows."]),
    ("It is in the U.S. China follows.", ["It is in the U.S.", "China follows."]),
    ("The U.S. Government acts.", ["The U.S. Government acts."]),
    ("The U.S. has 40 models.", ["The U.S. has 40 models."]),
    ("FPT Inc. grew. It hired.", ["FPT Inc. grew.", "It hired."]),
    ("Some, e.g. Viettel, grew. Others, i.e. FPT, too.", ["Some, e.g. Viettel, grew.", "Others, i.e. FPT, too."]),
    ("See Fig. 3. It shows more.", ["See Fig. 3.", "It shows more."]),
    ("J. Smith wrote it. K. Lee read it.", ["J. Smith wrote it.", "K. Lee read it."]),
    ("They chose plan B. Then it ended.", ["They chose plan B.", "Then it ended."]),
    ("Costs rose in Jan. They fell later.", ["Costs rose in Jan.", "They fell later."]),
    # Vietnamese
    ("Ông Nguyễn Văn A. nói vậy. Rồi đi.", ["Ông Nguyễn Văn A. nói vậy.", "Rồi đi."]),
    ("TP. Hồ Chí Minh lớn. TS. Lê Hồng Việt đồng ý.", ["TP. Hồ Chí Minh lớn.", "TS. Lê Hồng Việt đồng ý."]),
    ("Ông Đỗ nói. Ấn Độ theo sau.", ["Ông Đỗ nói.", "Ấn Độ theo sau."]),
    # Quotes, brackets, other marks
    ("He said “It works.” Then he left.", ["He said “It works.”", "Then he left."]),
    ('He asked "Why?" Nobody knew.', ['He asked "Why?"', "Nobody knew."]),
    ("(It works.) Good.", ["(It works.)", "Good."]),
    ("“Yes.” “No,” he said.", ["“Yes.”", "“No,” he said."]),
    ("Wait... what? Yes!", ["Wait... what?", "Yes!"]),
    ("Really?! Yes…  Fine.", ["Really?!", "Yes…", "Fine."]),
    ("Great 🎉! Next one 🙂. End.", ["Great 🎉!", "Next one 🙂.", "End."]),
    ("人工智能很重要。越南落后。", ["人工智能很重要。", "越南落后。"]),
    ("Visit tbh.today. It is a site.", ["Visit tbh.today.", "It is a site."]),
    # Enumeration marks stay with what they number
    ("1. Building comes first. 2. The next comes.", ["1. Building comes first.", "2. The next comes."]),
    # Line ends
    ("One.\r\nTwo.\r\nThree", ["One.", "Two.", "Three"]),
    ("A sentence\r\nover two lines. Next.", ["A sentence\r\nover two lines.", "Next."]),
    # Nothing
    ("", []),
    (" \r\n\t ", []),
    ("...", ["..."]),
]
PIECES = st.sampled_from([
    "Viettel", "the", "USD 1.5 billion", "U.S.", "e.g.", "Dr.", "A.", "3.5%", ".", "?!", "…", "。", "“", "”", '"', "(",
    ")", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "Nguyễn", "🎉", "👩‍💻", "e\u0301", "越南", "\x00", "\ud800",
])  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), GOLDEN)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentence_spans(text)] == expected


@given(st.lists(PIECES, max_size=30).map("".join))
def test_sentences_are_disjoint_in_order_and_lose_no_character(text: str) -> None:
    spans = sentence_spans(text)
    for a, b in spans:
        assert text[a:b] == text[a:b].strip() != ""
    position = 0
    for a, b in spans:
        assert a >= position
        assert not text[position:a].strip()
        position = b
    assert not text[position:].strip()


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_part_of_a_text_is_split_within_its_bounds(before: str, middle: str, after: str) -> None:
    text = before + middle + after
    start, end = len(before), len(before) + len(middle)
    assert all(start <= a < b <= end for a, b in sentence_spans(text, start, end))


def test_trimming_keeps_offsets_of_the_whole_text() -> None:
    assert trimmed("ab  cd  ef", 2, 8) == (4, 6)
    assert trimmed("   ", 0, 3) == (3, 3)


def test_a_long_text_without_any_end_is_split_in_linear_time() -> None:
    text = "word. " * 100_000
    assert len(sentence_spans(text)) == 1
    assert len(sentence_spans("Word. " * 100_000)) == 100_000
