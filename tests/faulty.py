"""Index while one write, fsync or rename fails, whichever library makes it: `python -m tests.faulty FOLDER ENCODER STEP`.

Run with the library of faulty.c before the C library: see `run`.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from index.encoder import Encoder
from tests import writing

_SOURCE = Path(__file__).with_suffix(".c")
_SECONDS = 1800


def run(folder: Path, encoder_folder: Path, step: int) -> dict[str, Any]:
    """Let every `step`-th write fail, one a run; returns how it went. Skips the test where there is no C compiler.

    `trials` is how many runs there were, and of these `failed` ended with an error of gapbot's own, `raw` with another,
    `published` in spite of the fault, and `ended` with the whole process. Raises AssertionError unless the index is each
    time wholly the former version or wholly the new one.
    """
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("this system has no C compiler, or is not Linux")
    library = folder / "faulty.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True, timeout=60)
    command = [sys.executable, "-m", "tests.faulty", str(folder), str(encoder_folder), str(step)]
    faulty = {**os.environ, "LD_PRELOAD": str(library)}
    done = subprocess.run(command, capture_output=True, text=True, env=faulty, check=False, timeout=_SECONDS)
    assert done.returncode == 0, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def _write(at: int, index: Path, corpus: Path, encoders: Path, told: Connection, ready: Connection | None) -> None:
    """Index as `writing.write` does while call number `at` fails; tells last how many calls there were, and how it went."""
    faulty = ctypes.CDLL(None)
    faulty.faulty_arm(os.fsencode(index), ctypes.c_long(at))
    try:
        writing.write(index, corpus, encoders, told, ready)
    except Exception as error:
        told.send(f"raw: {error!r}")
    told.send(f"calls {faulty.faulty_count()}")


def _synced(index: Path, corpus: Path, encoders: Path, at: int) -> tuple[str, int]:
    """Index in a process of its own while call number `at` fails; return how it went and how many calls it made."""
    with writing.writer(index, corpus, encoders, write=partial(_write, at)) as (_, told):
        said = writing.heard(told)
    return (said[-2], int(said[-1].partition(" ")[2])) if said and said[-1].startswith("calls ") else ("ended", 0)


def tried(folder: Path, encoder_folder: Path, step: int) -> dict[str, int]:
    """Index version after version, the first with a fault at call 1, then at 1 + `step`, until none is left to fail."""
    index, corpus, encoders, encoder = (
        folder / "index",
        folder / "corpus",
        encoder_folder.parent,
        Encoder(encoder_folder),
    )
    for version in (0, 1):
        writing.write_corpus(corpus, version)
        said, calls = _synced(index, corpus, encoders, 0)
        assert said.startswith("published"), said
    now, counts = (
        writing.expected(corpus),
        {"calls": calls, "trials": 0, "failed": 0, "published": 0, "ended": 0, "raw": 0},
    )
    for version, at in enumerate(range(1, calls + 1, step), start=2):
        writing.write_corpus(corpus, version)
        new = writing.expected(corpus)
        said, _ = _synced(index, corpus, encoders, at)
        outcome = said.partition(" ")[0].strip(":")
        if outcome == "raw":
            print(f"call {at}: {said}", file=sys.stderr)
        counts["trials"] += 1
        counts[outcome] += 1
        found = writing.held(index, encoder)
        assert found in (now, new), f"call {at}: neither the former version nor the new one ({said})"
        assert found == new or outcome != "published", f"call {at}: published, but not there"
        now = found
    writing.write_corpus(corpus, version + 1)
    said, _ = _synced(index, corpus, encoders, 0)
    assert said.startswith("published"), said
    assert writing.held(index, encoder) == writing.expected(corpus)
    return counts


if __name__ == "__main__":
    print(json.dumps(tried(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
