"""Index while one write, fsync or rename fails, whichever library makes it: `python -m tests.faulty FOLDER ENCODER STEP`.

Run with the library of faulty.c before the C library: see `run`.
"""

import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import GapbotError
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from tests import writing

_SOURCE = Path(__file__).with_suffix(".c")


def run(folder: Path, encoder_folder: Path, step: int) -> dict[str, Any]:
    """Let every `step`-th write fail, one a run; returns how it went. Skips the test where there is no C compiler.

    Raises AssertionError unless the index is each time wholly the former version or wholly the new one.
    """
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("this system has no C compiler, or is not Linux")
    library = folder / "faulty.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    command = [sys.executable, "-m", "tests.faulty", str(folder), str(encoder_folder), str(step)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(library)}, check=False
    )
    assert done.returncode == 0, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def _write(index: Path, corpus: Path, encoders: Path, at: int, told: Connection) -> None:
    writing.saves_often()
    faulty = ctypes.CDLL(None)
    faulty.faulty_arm(os.fsencode(index), ctypes.c_long(at))
    try:
        said = f"published {sync(index, corpus, encoders, BUNDLED).generation.name}"
    except (GapbotError, OSError, sqlite3.Error) as error:
        said = f"failed: {error}"
    told.send((said, faulty.faulty_count()))


def _synced(index: Path, corpus: Path, encoders: Path, at: int) -> tuple[str, int]:
    """Index in a process of its own while call number `at` fails; return what it told and how many calls it made."""
    receive, send = writing.context.Pipe(duplex=False)
    process = writing.context.Process(target=_write, args=(index, corpus, encoders, at, send))
    process.start()
    send.close()
    try:
        said, count = receive.recv()
    except EOFError:
        said, count = "ended", 0
    process.join(60)
    return said, count


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
    now, counts = writing.expected(corpus), {"calls": calls, "failed": 0, "published": 0, "ended": 0}
    for version, at in enumerate(range(1, calls + 1, step), start=2):
        writing.write_corpus(corpus, version)
        new = writing.expected(corpus)
        said, _ = _synced(index, corpus, encoders, at)
        outcome = said.partition(" ")[0].strip(":")
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
