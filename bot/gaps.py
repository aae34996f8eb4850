"""The questions that could not be answered, kept on this machine alone for the corpus's keeper."""

import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.answer import Answer
from bot.journal import Journal

_UNANSWERED = ("near_miss", "not_in_corpus", "ambiguous")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that found no answer `count` times; `first` and `last` are times in ISO 8601, UTC."""

    question: str
    status: str
    count: int
    first: str
    last: str


class GapLog:
    """A file of unanswered questions. It never grows beyond some megabytes, and never stops an answer."""

    def __init__(self, file: Path) -> None:
        self._journal = Journal(file)

    def __call__(self, answer: Answer) -> None:
        """Log an answer if it is none."""
        if answer.status not in _UNANSWERED:
            return
        try:
            self._journal.append({"status": answer.status, "question": answer.question, "read_as": answer.read_as})
        except OSError as error:
            _log.warning("the unanswered question was not logged: %s", error)

    def gaps(self) -> list[Gap]:
        """Return the questions without an answer, most frequent first; spelling of case and end marks aside."""
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self._journal.rows():
            if not {"status", "question"} <= row.keys():
                continue
            text = row.get("read_as") or row["question"]
            groups[" ".join(text.casefold().split()).strip(" ?!.")].append(row)
        found = [
            Gap(
                rows[-1].get("read_as") or rows[-1]["question"], rows[-1]["status"], len(rows),
                min(r["time"] for r in rows), max(r["time"] for r in rows),
            )
            for rows in groups.values()
        ]  # fmt: skip
        return sorted(sorted(found, key=lambda g: g.last, reverse=True), key=lambda g: -g.count)

    def clear(self) -> None:
        """Forget all questions."""
        self._journal.clear()
