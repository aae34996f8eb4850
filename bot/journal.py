"""A file of JSON rows that only grows at its end, up to a bound: what people asked in vain, and what they said of answers."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MOST_BYTES = 4_000_000


class Journal:
    """A JSONL file that several processes may append to. At some megabytes it is set aside, and the one before it dropped."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def append(self, row: dict[str, Any]) -> None:
        """Add a row under the time of now, "time" in ISO 8601, UTC. Raises OSError where it cannot be written."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": now, **row}, ensure_ascii=True) + "\n"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._file.is_file() and self._file.stat().st_size > _MOST_BYTES:
            self._file.replace(self._file.with_suffix(".old"))
        # One write to a file opened to append: lines of several processes do not mix.
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows, oldest first; a line that is none, cut off by a full disk, is passed over."""
        for file in (self._file.with_suffix(".old"), self._file):
            if not file.is_file():
                continue
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(row, dict) and isinstance(row.get("time"), str):
                    yield row

    def clear(self) -> None:
        """Forget all rows."""
        for file in (self._file, self._file.with_suffix(".old")):
            file.unlink(missing_ok=True)
