"""Documents come out of a spool as they went in, whatever order their files were read in."""

from pathlib import Path

import pytest

from corpus.documents import Document, Statement
from corpus.loaders import load_corpus, read_corpus
from corpus.spool import Quotation, Spool


def test_facts_get_their_ids_first_then_rows_then_files() -> None:
    with Spool() as spool:
        spool.add_file(Document("a/tide.txt", "of a file", "t"), "tide")
        spool.add_row(Document("tide", "of a row", "t"), "rows.jsonl, line 1")
        spool.add_fact(Document("tide", "of a fact", "t", kind="fact"), "facts.yaml")
        left_out = list(spool.settle())
        assert {d.id: d.text for d in spool.documents()} == {"tide": "of a fact", "a/tide.txt": "of a file"}
    assert left_out == [("rows.jsonl, line 1", "the id 'tide' is taken by an earlier document")]


def test_a_document_tells_which_added_file_it_came_from() -> None:
    with Spool() as spool:
        spool.add_file(Document("tide.txt", "of the corpus", "t"), "tide")
        spool.end_of_corpus()
        spool.add_file(Document("tide.txt", "of an added file", "t"), "tide")
        spool.add_row(Document("ebb", "of an added row", "t"), "a, line 1.jsonl, line 12")
        spool.add_fact(Document("flow", "of an added fact", "t", kind="fact"), "facts.yaml")
        assert list(spool.settle()) == []
        assert {d.id: d.added for d in spool.documents()} == {
            "tide": None, "added/tide.txt": "tide.txt", "ebb": "a, line 1.jsonl", "flow": "facts.yaml",
        }  # fmt: skip


def test_a_quotation_finds_a_document_that_is_read_after_it() -> None:
    with Spool() as spool:
        spool.add_quotation(Quotation("f.yaml", "q1", "tide", "ebbs", Statement("q1", 0, 4, value="1")))
        spool.add_quotation(Quotation("f.yaml", "q2", "tide", "stands", Statement("q2", 0, 6)))
        spool.add_quotation(Quotation("f.yaml", "q1", "tide", "flows", Statement("q1", 0, 5)))
        spool.add_file(Document("deep/tide.md", "It ebbs and flows.", "t"), "tide")
        reasons = [reason for _, reason in spool.settle()]
        document = spool.document("tide")
        assert spool.document("deep/tide.md") is None
    assert document is not None
    assert document.statements == (Statement("q1", 3, 7, value="1"),)
    assert [r.partition(" ")[0] for r in reasons] == ["the", "the"]
    assert "does not stand" in reasons[0]
    assert "taken by an earlier fact" in reasons[1]


def test_reading_tells_how_many_files_are_done(tmp_path: Path) -> None:
    for name in ("one.txt", "two.md", "three.zip"):
        (tmp_path / name).write_text("Some text.", encoding="utf-8")
    told: list[int] = []
    with Spool() as spool:
        refused = read_corpus(spool, tmp_path, progress=told.append)
        assert list(spool.documents()) == load_corpus(tmp_path)[0]
    # What is of no known format is refused unread.
    assert (told, len(refused)) == ([1, 2], 1)


@pytest.mark.parametrize(
    "line", ['{"id": "\\ud800", "text": "a"}', '{"id": "b", "text": "\\ud800 b", "title": "\\ud800"}']
)
def test_a_lone_surrogate_is_replaced_wherever_it_stands(tmp_path: Path, line: str) -> None:
    (tmp_path / "rows.jsonl").write_text(line, encoding="utf-8")
    (document,), refused = load_corpus(tmp_path)
    assert refused == []
    document.to_json().encode("utf-8")
