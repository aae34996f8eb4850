"""Files of questions and queries, one JSON object a line."""

import json
import sys
from pathlib import Path

from bot.answer import Question, check_question
from corpus.errors import UsageError


def read_rows(path: str) -> list[tuple[int, dict[str, object]]]:
    """Read a JSONL file; blank lines are skipped. Raises UsageError that names the line of a malformed row."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"cannot read {path}: {reason}") from None
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise UsageError(f"{path}, line {number}: not JSON") from None
        if not isinstance(row, dict):
            raise UsageError(f"{path}, line {number}: not a JSON object")
        rows.append((number, row))
    return rows


def text_of(row: dict[str, object], key: str, number: int, path: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f'{path}, line {number}: "{key}" must be a text that is not empty')
    return value


def read_batch(path: str) -> list[Question]:
    """Read a batch of questions; unknown keys are ignored."""
    questions: list[Question] = []
    for number, row in read_rows(path):
        history = row.get("history") or []
        if not isinstance(history, list) or not all(isinstance(h, str) for h in history):
            raise UsageError(f'{path}, line {number}: "history" must be a list of earlier questions')
        identifier = row.get("id")
        identifier = identifier if isinstance(identifier, (str, int)) else None
        question = Question(text_of(row, "question", number, path), tuple(history), identifier)
        try:
            check_question(question)
        except UsageError as error:
            raise UsageError(f"{path}, line {number}: {error}") from None
        questions.append(question)
    return questions
