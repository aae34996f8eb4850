"""Generations of the index on disk: built beside the live one, published by one atomic pointer."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from corpus.errors import IndexBusy, IndexError_, IndexMismatch, IndexMissing

FORMAT = 1
"""Raised whenever what a generation holds changes its meaning: older generations are then built anew."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation was built from and with, as its generation.json says."""

    name: str
    encoder: str
    corpus: str
    documents: int
    passages: int
    sentences: int
    format: int = FORMAT


def live_generation(folder: Path) -> tuple[Path, Generation]:
    """Return the folder and description of the published generation of the index in `folder`.

    Raises IndexMissing if there is none, IndexMismatch if it is of another format, IndexError_ if damaged.
    """
    name = live_name(folder)
    if not name:
        raise IndexMissing("there is no index yet: run `gapbot index` to build it")
    try:
        row = json.loads((folder / name / "generation.json").read_text(encoding="utf-8"))
        if row.get("format") != FORMAT:
            raise IndexMismatch("the index was built by another version of gapbot: run `gapbot index --rebuild`")
        return folder / name, Generation(**row)
    except (OSError, ValueError, TypeError) as error:
        raise IndexError_("the index is damaged: run `gapbot index --rebuild`") from error


def live_name(folder: Path) -> str | None:
    """Return the name of the published generation, or None if there is none."""
    try:
        return (folder / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise IndexError_(f"{folder} cannot be read: {error}") from error


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the one writer's lock of an index. Raises IndexBusy if another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise IndexBusy("another gapbot is writing this index: wait until it is done, then try again") from None
    try:
        yield
    finally:
        lock.release()


def start(folder: Path, copy_of: Path | None) -> Path:
    """Make the folder of a new generation, empty or as a copy of an earlier one, and return it."""
    for left_over in folder.glob("building-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    numbers = [int(p.name[1:]) for p in folder.glob("g[0-9]*") if p.name[1:].isdigit()]
    target = folder / f"building-g{max(numbers, default=0) + 1:06d}"
    if copy_of:
        shutil.copytree(copy_of, target)
    else:
        target.mkdir()
    return target


def publish(building: Path, generation: Generation) -> Path:
    """Make a finished generation the live one, durably and atomically; keep the former, remove older ones."""
    folder = building.parent
    former = live_name(folder)
    (building / "generation.json").write_text(json.dumps(asdict(generation), indent=1), encoding="utf-8")
    for path in [p for p in building.rglob("*") if p.is_file()] + [p for p in building.rglob("*") if p.is_dir()]:
        _fsync(path)
    _fsync(building)
    final = folder / generation.name
    os.rename(building, final)
    pointer = folder / "current.new"
    pointer.write_text(generation.name, encoding="utf-8")
    _fsync(pointer)
    os.replace(pointer, folder / "current")
    _fsync(folder)
    for old in folder.glob("g[0-9]*"):
        if old.name not in (generation.name, former):
            shutil.rmtree(old, ignore_errors=True)
    return final


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
