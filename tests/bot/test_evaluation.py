"""Measuring answers: verdicts, the curve, and two runs side by side."""

import json
from pathlib import Path

import pytest

from bot.answer import Answer, Citation, Question
from bot.evaluation import Case, area_under_risk, changes, draw, read_questions, read_result, verdict
from corpus.errors import UsageError


def answer(status: str, text: str = "", quote: str = "") -> Answer:
    cited = (Citation(1, "d", "D", None, None, None, quote, 0, len(quote)),) if quote else ()
    return Answer("q", status, text, citations=cited)  # type: ignore[arg-type]


def case(kind: str = "fact", answerable: bool = True) -> Case:
    return Case(Question("q"), kind, (r"\b15\b",), ("Viettel",), answerable)


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        (case(), answer("answered", "Viettel has 15. [1]", "Viettel has 15."), "right"),
        (case(), answer("answered", "Viettel has 14. [1]", "Viettel has 14."), "wrong"),
        (case(), answer("answered", "It has 15. [1]", "It has 15."), "wrong"),
        (case(), answer("near_miss"), "refused"),
        (case("near-miss", False), answer("near_miss"), "right"),
        (case("near-miss", False), answer("answered", "15 [1]", "Viettel has 15."), "wrong"),
        (case("ambiguous"), answer("ambiguous"), "right"),
        (case("ambiguous"), answer("answered", "15 [1]", "Viettel has 15."), "wrong"),
    ],
)
def test_an_answer_is_right_wrong_or_refused(asked: Case, given: Answer, expected: str) -> None:
    assert verdict(asked, given) == expected


def row(identifier: str, confidence: float, right: bool, said: str = "right") -> dict[str, object]:
    return {"id": identifier, "kind": "fact", "question": identifier, "verdict": said, "status": "answered",
            "confidence": confidence, "right_if_answered": right, "text": said}  # fmt: skip


def test_confidence_that_tells_right_from_wrong_has_the_lesser_risk() -> None:
    good = [row("a", 0.9, True), row("b", 0.8, True), row("c", 0.2, False)]
    bad = [row("a", 0.2, True), row("b", 0.3, True), row("c", 0.9, False)]
    less, more = area_under_risk(good), area_under_risk(bad)
    assert less is not None
    assert more is not None
    assert less < more


def test_two_runs_are_told_apart_by_question() -> None:
    before = {"rows": [row("a", 0.9, True), row("b", 0.9, False, "wrong")], "right": 1, "p50_ms": 9.0}
    after = {"rows": [row("a", 0.9, True), row("b", 0.9, True)], "right": 2, "p50_ms": 9.0}
    lines = "\n".join(changes(before, after))
    assert "b" in lines
    assert "wrong" in lines


def test_the_curve_is_drawn_to_a_file(tmp_path: Path) -> None:
    draw({"rows": [row("a", 0.9, True), row("b", 0.4, False)], "aurc": 0.25}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_that_is_no_result_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"rows": []}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"x\.json"):
        read_result(str(tmp_path / "x.json"))
    with pytest.raises(UsageError):
        read_questions([(3, {"question": "q", "gold": ["("]})], "set.jsonl")
