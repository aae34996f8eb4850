"""The questions that could not be answered, kept on this machine alone for the corpus's keeper."""

import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.answer import Answer

_MOST_BYTES = 4_000_000
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
    """A JSONL file of unanswered questions. It never grows beyond some megabytes, and never stops an answer."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, answer: Answer) -> None:
        """Log an answer if it is none."""
        if answer.status not in _UNANSWERED:
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        row = {"time": now, "status": answer.status, "question": answer.question, "read_as": answer.read_as}
        line = json.dumps(row, ensure_ascii=True) + "\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.is_file() and self._file.stat().st_size > _MOST_BYTES:
                self._file.replace(self._file.with_suffix(".old"))
            # One write to a file opened to append: lines of several processes do not mix.
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            _log.warning("the unanswered question was not logged: %s", error)

    def gaps(self) -> list[Gap]:
        """Return the questions without an answer, most frequent first; spelling of case and end marks aside."""
        groups: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in self._rows():
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
        for file in (self._file, self._file.with_suffix(".old")):
            file.unlink(missing_ok=True)

    def _rows(self) -> Iterator[dict[str, str]]:
        for file in (self._file.with_suffix(".old"), self._file):
            if not file.is_file():
                continue
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue  # a line cut off by a full disk
                if isinstance(row, dict) and {"time", "status", "question"} <= row.keys():
                    yield row
