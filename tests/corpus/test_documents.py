from dataclasses import replace

import pytest

from corpus.documents import Document, Statement

STATEMENT = Statement("s1", 0, 5, "Viettel", "15", "data centers", "2025", "A note.", ("s2", "s3"))
DOCUMENT = Document(
    "d1", "Xin chào 🎉\r\n", "Tiêu đề", "Báo", "https://e.org", "2025-09", "article", "talent", (STATEMENT,)
)


def test_a_document_survives_json() -> None:
    for document in (DOCUMENT, replace(DOCUMENT, added="d1.txt")):
        assert Document.from_json(document.to_json()) == document


def test_the_hash_of_a_document_of_the_corpus_stays_what_it_was_in_indexes_built_before() -> None:
    assert DOCUMENT.content_hash() == "3d587b42c214a05efdb076f44223e9a7caac413dde310fb4ceb2a9d074e88fb2"


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Xin chào 🎉\n"},
        {"title": "Another"},
        {"publisher": None},
        {"url": "https://e.org/2"},
        {"date": "2026"},
        {"kind": "document"},
        {"added": "d1.txt"},
        {"statements": ()},
        {"statements": (replace(STATEMENT, note="Another note."),)},
        {"statements": (replace(STATEMENT, disagrees_with=("s2",)),)},
    ],
)
def test_the_hash_covers_everything_an_answer_shows(change: dict[str, object]) -> None:
    assert replace(DOCUMENT, **change).content_hash() != DOCUMENT.content_hash()  # type: ignore[arg-type]


def test_the_same_document_has_the_same_hash() -> None:
    assert Document.from_json(DOCUMENT.to_json()).content_hash() == DOCUMENT.content_hash()


def test_a_lone_surrogate_does_not_stop_the_hash() -> None:
    assert len(Document("d", "\ud800", "t").content_hash()) == 64
