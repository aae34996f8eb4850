"""Damaged files, many of every format: `python -m tests.bench.mutated [--each 1000] [--formats pdf,docx]`; one line of JSON.

The files are made by rule (tests/mutating.py): bytes flipped, cut, repeated, swapped. A process reads them as the product
reads a corpus folder, a hundred at a time, with the product's own process apart and its limits in force. For each format:
how many were read and refused, how many were ended by a limit, crashes of the reading process, tracebacks, files that were
neither read nor refused, refusals without a reason, the slowest hundred and the memory of both processes.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests import mutating

_AT_A_TIME = 100
_LIMIT = re.compile(r"takes longer|ends the reading|needs more than")


def tried(suffix: str, each: int, show: bool) -> dict[str, Any]:
    """Read `each` damaged files of a format; return the counts."""
    found: Counter[str] = Counter(
        dict.fromkeys(("read", "refused", "limits", "crashes", "tracebacks", "missing", "no_reason"), 0)
    )
    slowest = own = apart = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folders = mutating.written(Path(temporary), suffix, each)
        if suffix in mutating.TOGETHER:
            folders = _parted(folders[0])
        for start in range(0, len(folders), 1 if suffix in mutating.TOGETHER else _AT_A_TIME):
            part = folders[start : start + (1 if suffix in mutating.TOGETHER else _AT_A_TIME)]
            status, said, rows = mutating.read(part)
            found["crashes"] += status != 0
            found["tracebacks"] += said.count("Traceback")
            found["refused"] += sum(row["files"] - row["read"] for row in rows)
            found["read"] += sum(row["read"] for row in rows)
            found["missing"] += sum(len(row["missing"]) for row in rows)
            found["no_reason"] += sum(len(row["no reason"]) for row in rows)
            reasons = [reason for row in rows for reason in row["reasons"]]
            found["limits"] += sum(bool(_LIMIT.search(reason)) for reason in reasons)
            slowest = max(slowest, sum(row["seconds"] for row in rows))
            own = max([own, *(row["megabytes"] for row in rows)])
            apart = max([apart, *(row["megabytes_apart"] for row in rows)])
            if show or said:
                print(said, *Counter(reasons).most_common(12), sep="\n", file=sys.stderr)
    figures = {"slowest_100_s": round(slowest, 1), "peak_mb": round(own), "peak_mb_apart": round(apart)}
    return dict(found) | figures


def _parted(folder: Path) -> list[Path]:
    """Move the files of a folder into folders of a hundred, which keep its name."""
    parts: dict[Path, None] = {}
    for number, file in enumerate(sorted(folder.iterdir())):
        part = folder.parent / str(number // _AT_A_TIME) / folder.name
        part.mkdir(parents=True, exist_ok=True)
        file.rename(part / file.name)
        parts[part] = None
    return list(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=1000, help="files of each format (default 1000)")
    parser.add_argument("--formats", default=",".join(mutating.FORMATS))
    parser.add_argument("--reasons", action="store_true", help="show why files were refused")
    options = parser.parse_args()
    row: dict[str, Any] = {"each": options.each}
    for suffix in options.formats.split(","):
        print(f"{suffix}…", file=sys.stderr, flush=True)
        row[suffix] = tried(suffix, options.each, options.reasons)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
