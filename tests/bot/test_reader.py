"""The shipped reader on passages made for it."""

import hashlib
from pathlib import Path

import pytest

from bot.reader import FILE, SHA256, Reader
from corpus.errors import EncoderError
from corpus.sentences import sentence_spans
from index.encoder import PassageText


def passage(text: str, context: str = "") -> PassageText:
    return PassageText(context, text, tuple(sentence_spans(text)))


BRIDGE = passage(
    "The Orlan bridge opened on 4 June 1987. It is 612 metres long and cost 31 million crowns. "
    "Its architect was Ilse Brandt.",
    "The Orlan bridge",
)
BREAD = passage("Sourdough needs flour, water and salt. Let it rest for eight hours before baking.")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def test_the_shipped_file_is_the_one_that_was_trained() -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert FILE.stat().st_size < 25_000_000


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When did the Orlan bridge open?", "4 June 1987"),
        ("How long is the Orlan bridge?", "612 metres"),
        ("Who was the architect of the Orlan bridge?", "Ilse Brandt"),
    ],
)
def test_it_points_at_the_words_that_answer(reader: Reader, question: str, answer: str) -> None:
    (read,) = reader.read(question, [BRIDGE])
    best = max(read.sentences, key=lambda s: s.span_score)
    assert BRIDGE.text[best.start : best.end].strip(" .") == answer


def test_a_passage_on_another_subject_scores_lower(reader: Reader) -> None:
    bridge, bread = reader.read("When did the Orlan bridge open?", [BRIDGE, BREAD])
    assert bridge.answerable > bread.answerable
    assert max(s.span_score for s in bridge.sentences) > max(s.span_score for s in bread.sentences)


def test_every_sentence_is_read_and_spans_lie_within_it(reader: Reader) -> None:
    (read,) = reader.read("What does it cost?", [BRIDGE])
    assert len(read.sentences) == len(BRIDGE.sentences)
    for (start, end), own in zip(BRIDGE.sentences, read.sentences, strict=True):
        assert start <= own.start < own.end <= end


def test_what_lies_beyond_the_readers_reach_is_no_evidence(reader: Reader) -> None:
    text = " ".join(f"Item {n} of the long list is a small grey stone." for n in range(120))
    (read,) = reader.read("Which item is red?", [passage(text)])
    assert len(read.sentences) == 120
    assert read.sentences[-1].evidence < 0


def test_passages_read_together_read_as_alone(reader: Reader) -> None:
    question = "How long is the Orlan bridge?"
    together = reader.read(question, [BREAD, BRIDGE])[1]
    (alone,) = reader.read(question, [BRIDGE])
    assert together == alone


def test_nothing_to_read_gives_nothing(reader: Reader) -> None:
    assert reader.read("Anything?", []) == []


def test_a_damaged_file_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "reader.onnx").write_bytes(b"no graph")
    with pytest.raises(EncoderError, match="missing or damaged"):
        Reader(tmp_path / "reader.onnx")
