"""An index where there is too little room, or where nothing can be written: `python -m tests.confined WAY FOLDER ENCODER TIMES`.

Run under `unshare -rm`, which lends an ordinary user a view of the file system in which it may mount.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import GapbotError
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from tests import writing

_NAMESPACE = ["unshare", "--map-root-user", "--mount"]
_LARGE = "200m"


def run(way: str, folder: Path, encoder_folder: Path, times: int = 1) -> dict[str, Any]:
    """Run one of the ways below in a namespace of its own. Skips the test where the system has none."""
    if not shutil.which("unshare") or subprocess.run([*_NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("this system lends no namespace to mount in")
    command = [*_NAMESPACE, sys.executable, "-m", "tests.confined", way, str(folder), str(encoder_folder), str(times)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def full(folder: Path, encoder_folder: Path, times: int) -> dict[str, Any]:
    """Index on a disk that has room for a part of the new generation, `times` parts.

    Raises AssertionError unless the disk is named, the former version answers, and indexing goes on once there is room.
    """
    whole, corpus, encoder = folder / "whole", folder / "corpus", Encoder(encoder_folder)
    writing.write_corpus(corpus, 0)
    sync(whole, corpus, encoder_folder.parent, BUNDLED)
    before, used = writing.expected(corpus), _used(whole)
    writing.write_corpus(corpus, 1)
    after = writing.expected(corpus)
    said: dict[str, int] = {}
    for n in range(times):
        disk = folder / f"disk-{n}"
        disk.mkdir()
        # A generation is copied, then written to: what fails lies anywhere between.
        room = used + int(used * (n + 0.5) / times)
        _mount("-t", "tmpfs", "-o", f"size={room}", "none", str(disk))
        index = Path(shutil.copytree(whole, disk / "index"))
        told = _told(index, corpus, encoder_folder)
        said["full" if told else "enough"] = said.get("full" if told else "enough", 0) + 1
        if told:
            assert f"the disk of {index} is full" in told
            assert not list(index.glob("building-*"))
            assert writing.held(index, encoder) == before
        _mount("-o", f"remount,size={_LARGE}", str(disk))
        sync(index, corpus, encoder_folder.parent, BUNDLED)
        assert writing.held(index, encoder) == after
        subprocess.run(["umount", "-l", str(disk)], check=True)
    return said


def read_only(folder: Path, encoder_folder: Path, times: int) -> dict[str, Any]:
    """Ask and index where nothing can be written. Raises AssertionError unless questions are answered."""
    index, corpus, encoder = folder / "index", folder / "corpus", Encoder(encoder_folder)
    writing.write_corpus(corpus, 0)
    sync(index, corpus, encoder_folder.parent, BUNDLED)
    _mount("--bind", str(index), str(index))
    _mount("-o", "remount,ro,bind", str(index))
    assert writing.held(index, encoder) == writing.expected(corpus)
    writing.write_corpus(corpus, 1)
    started = time.monotonic()
    return {"said": _told(index, corpus, encoder_folder), "seconds": time.monotonic() - started}


def _told(index: Path, corpus: Path, encoder_folder: Path) -> str | None:
    """Index, and return why it could not be done."""
    try:
        sync(index, corpus, encoder_folder.parent, BUNDLED)
    except GapbotError as error:
        return str(error)
    return None


def _used(folder: Path) -> int:
    # A disk hands out whole blocks.
    return sum(-(-p.stat().st_size // 4096) * 4096 + 4096 for p in folder.rglob("*"))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    chosen = {"full": full, "read-only": read_only}[sys.argv[1]]
    print(json.dumps(chosen(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))
