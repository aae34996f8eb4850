"""Damaged files of every format: each is read or refused with a reason, and none harms the process that reads the corpus.

`python -m tests.bench.mutated` tries a thousand of each.
"""

from pathlib import Path

from tests import mutating


def test_every_damaged_file_is_read_or_refused_with_a_reason(tmp_path: Path) -> None:
    folders = [f for suffix in mutating.FORMATS for f in mutating.written(tmp_path, suffix, 8)]
    status, said, rows = mutating.read(folders)
    assert (status, said) == (0, "")
    assert sum(row["files"] for row in rows) == 8 * len(mutating.FORMATS)
    assert [row["missing"] + row["no reason"] for row in rows if row["missing"] or row["no reason"]] == []
    read = sum(row["read"] for row in rows)
    assert 0 < read < 8 * len(mutating.FORMATS)
