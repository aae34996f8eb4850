"""The log of what could not be answered."""

from pathlib import Path

import pytest

from bot.answer import Answer
from bot.gaps import GapLog


def refused(question: str) -> Answer:
    return Answer(question, "near_miss", "The sources I hold say nothing about this.")


def test_unanswered_questions_are_counted_most_frequent_first(tmp_path: Path) -> None:
    log = GapLog(tmp_path / "gaps" / "one.jsonl")
    for question in ("What about Laos?", "Who is the mayor?", "what about  laos"):
        log(refused(question))
    assert [(g.count, g.question) for g in log.gaps()] == [(2, "what about  laos"), (1, "Who is the mayor?")]


def test_answered_questions_and_small_talk_are_no_gaps(tmp_path: Path) -> None:
    log = GapLog(tmp_path / "one.jsonl")
    log(Answer("How many?", "answered", "Three. [1]"))
    log(Answer("hello", "chat", "Hello!"))
    assert log.gaps() == []


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    log = GapLog(tmp_path / "one.jsonl")
    log(refused("Who is the mayor?"))
    log.clear()
    assert log.gaps() == []
    log.clear()


def test_a_folder_that_cannot_be_written_does_not_stop_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    log = GapLog(tmp_path / "file" / "gaps.jsonl")
    log(refused("Who is the mayor?"))
    assert "was not logged" in caplog.text
    assert log.gaps() == []
