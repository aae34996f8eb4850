from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.documents import Document
from corpus.passages import MAX_WEIGHT, Passage, begins_item, split_document, weight

WORDS = [
    "Viettel", "operates", "15", "data", "centers.", "The", "U.S.", "leads", "with", "USD 1.5 billion.", "3.5%", "e.g.",
    "“Make in Vietnam”", "Nguyễn Văn A.", "It", "grew!", "Why?", "🎉", "👩‍💻", "越南落后。", "Đỗ", "e\u0301",
    "(see", "it)", "x" * 300, "词" * 90,
]  # fmt: skip
MARKUP = [
    "# Heading", "### Deeper #", "Title\n=====", "Sub\n---", "#", "# ", "- item", "* item two. More.", "1. first",
    "12) twelfth", "a) letter", "  – dash", "| a | b |", "|---|:-:|", "| 1.5 | “x” |", "|", "---", "***", "```python",
    "```", "~~~", "> quoted. Text.", "The pillars are:", "    indented", "::", "\\", "\x0c", "\x00", "\ud800",
    "\u2028", "\x85",
]  # fmt: skip
GAPS = [" ", " ", " ", "\n", "\n\n", "\r\n", "\r\n\r\n", "\t", "  ", "\u00a0"]
PROSE = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=120)
NASTY = st.lists(
    st.tuples(st.sampled_from(WORDS + MARKUP * 2), st.sampled_from(GAPS + ["\n", "\n\n"] * 3)), max_size=120
)


def joined(pieces: list[tuple[str, str]]) -> str:
    return "".join(word + gap for word, gap in pieces)


def split(text: str, kind: str = "document") -> list[Passage]:
    return split_document(Document("d", text, "Title", kind=kind))


def texts(text: str) -> list[list[str]]:
    return [[text[a:b] for a, b in p.sentences] for p in split(text)]


def check(text: str, passages: list[Passage], limit: int | None = MAX_WEIGHT) -> None:
    """Assert what holds for the passages of every document."""
    for p in passages:
        assert 0 <= p.start < p.end <= len(text)
        assert p.sentences
        assert p.start == p.sentences[0][0]
        assert p.end == p.sentences[-1][1]
        for a, b in p.sentences:
            assert text[a:b] == text[a:b].strip() != ""
        assert all(one[1] <= two[0] for one, two in pairwise(p.sentences))
        if limit:
            assert weight(text[p.start : p.end]) <= limit
    assert all(one.end <= two.start for one, two in pairwise(passages))


def test_every_shipped_document_is_cut_exactly(shipped: dict[str, Document]) -> None:
    for document in shipped.values():
        passages = split_document(document)
        check(document.text, passages, None if document.kind == "fact" else MAX_WEIGHT)
        if document.kind == "fact":
            assert [document.text[p.start : p.end] for p in passages] == [document.text.strip()]
            assert weight(document.text) <= MAX_WEIGHT


def test_every_statement_of_the_article_lies_in_its_sentences(shipped: dict[str, Document]) -> None:
    for document in shipped.values():
        sentences = [s for p in split_document(document) for s in p.sentences]
        for statement in document.statements:
            assert any(a < statement.end and statement.start < b for a, b in sentences), statement.id


@settings(max_examples=400)
@given(NASTY.map(joined))
def test_any_text_is_cut_exactly(text: str) -> None:
    check(text, split(text))


@settings(max_examples=400)
@given(PROSE.map(joined))
def test_no_character_of_plain_prose_is_lost(text: str) -> None:
    kept: set[int] = set()
    for p in split(text):
        for a, b in p.sentences:
            kept.update(range(a, b))
    assert [text[i] for i in range(len(text)) if i not in kept and not text[i].isspace()] == []


@given(NASTY.map(joined))
def test_a_fact_is_one_passage(text: str) -> None:
    passages = split(text, "fact")
    assert len(passages) == (1 if text.strip() else 0)
    check(text, passages, None)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_passages_follow_headings_and_carry_their_path(end: str) -> None:
    text = end.join(["# A", "", "One.", "", "## B", "Two.", "### C", "Three.", "## D", "Four.", "", "E", "=", "Five."])
    assert [(p.headings, text[p.start : p.end]) for p in split(text)] == [
        (("A",), "One."),
        (("A", "B"), "Two."),
        (("A", "B", "C"), "Three."),
        (("A", "D"), "Four."),
        (("E",), "Five."),
    ]


def test_list_items_and_table_rows_are_sentences_without_their_marks() -> None:
    lines = ["The pillars are:", "- human capital", "- open data. And law.", "1. first", "2. second"]
    text = "\n".join([*lines, "", "| a | b |", "|---|---|", "| 1 | 2 |"])
    assert texts(text) == [
        ["The pillars are:", "human capital", "open data.", "And law.", "first", "second", "| a | b |", "| 1 | 2 |"]
    ]


@pytest.mark.parametrize("mark", ["- ", "– ", "* ", "(1) ", "2. "])
def test_a_list_may_follow_the_line_that_introduces_it(mark: str) -> None:
    assert texts(f"The pillars are:\n{mark}one\n{mark}two") == [["The pillars are:", "one", "two"]]


def test_a_wrapped_line_that_starts_like_an_item_is_no_item() -> None:
    first = "The number of models that the United States has developed by now rose to\n40."
    assert texts(f"{first} It is in first place.") == [[first, "It is in first place."]]
    assert texts("J. Smith wrote it.\nAll read it.") == [["J. Smith wrote it.", "All read it."]]


def test_wrapped_lines_are_joined_and_short_ones_are_not() -> None:
    text = "A line that is long enough to have been wrapped at this very\nword goes on. Next.\n\nRoses\nViolets"
    assert texts(text) == [
        ["A line that is long enough to have been wrapped at this very\nword goes on.", "Next.", "Roses", "Violets"]
    ]


def test_an_introduction_moves_along_with_what_it_introduces() -> None:
    filler = "word " * (MAX_WEIGHT - 20)
    text = f"{filler}\n\nThe three pillars of the plan are:\n\n- {'item ' * 30}"
    assert [t[0].split()[0] for t in texts(text)] == ["word", "The"]


@pytest.mark.parametrize("items", range(3, 16))
def test_a_list_is_never_parted_from_what_introduces_it(items: int) -> None:
    stops = "\n".join(f"- stop {i} of the new line to the old harbour" for i in range(items))
    text = (
        f"{'word ' * 100}\n\nThe stops of the new tram line from the market to the harbour are:\n\n{stops}\n\nThe end."
    )
    check(text, split(text))
    first = next(t for t in texts(text) if any(s.startswith("stop 0 ") for s in t))
    assert first[[s.startswith("stop 0 ") for s in first].index(True) - 1].endswith(" are:")
    lists = [t for t in texts(text) if any(s.startswith("stop ") for s in t)]
    assert len(lists) == 1 or weight(text[text.index("The stops") : text.index("The end")]) > MAX_WEIGHT


def test_a_list_that_no_passage_can_hold_is_cut_between_items() -> None:
    text = "\n".join(f"- {number} {'item ' * 30}" for number in range(12))
    check(text, split(text))
    cut = texts(text)
    assert len(cut) > 1
    assert [s.split()[0] for t in cut for s in t] == [str(i) for i in range(12)]


@pytest.mark.parametrize(
    ("text", "at", "begins"),
    [("- cod", 2, True), ("Fish:\n  1) cod", 11, True), ("- cod. Ling", 7, False), ("cod", 0, False)],
)
def test_the_beginning_of_an_item_is_told(text: str, at: int, begins: bool) -> None:
    assert begins_item(text, at) is begins


def test_a_heavy_introduction_does_not_make_a_passage_too_heavy() -> None:
    text = f"Short.\n\n{'word ' * 100}:\n\n- {'item ' * 150}"
    check(text, split(text))


def test_a_sentence_longer_than_a_passage_is_cut_at_spaces() -> None:
    text = "word " * 500
    assert {w for t in texts(text) for s in t for w in s.split()} == {"word"}
    assert len(split(text)) == 3


def test_a_text_of_headings_alone_has_no_passages() -> None:
    assert split("# One\n\n## Two\n") == []


def test_a_million_characters_are_cut_quickly() -> None:
    assert len(split("One short line\n" * 60_000)) > 100
    assert split("x" * 300_000)
    assert split("|" * 50_000 + "\n" + "- " * 50_000) is not None


def test_a_block_of_code_ends_with_the_marks_that_it_began_with() -> None:
    text = "# One\n\n~~~\n```\n# no heading\n~~~\n\n# Two\n\nProse. More."
    assert [p.headings for p in split(text)][-1] == ("Two",)
    assert ["no heading" in h for p in split(text) for h in p.headings] == [False] * len(split(text))
