"""Generations of the index on disk: built beside the live one, published by one atomic pointer."""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from corpus.errors import IndexBusy, IndexError_, IndexMismatch, IndexMissing, IndexReadOnly
from index import seal

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)

_DESCRIPTION = "generation.json"
_BUILDING = "building-"
FORMAT = 3
"""Raised whenever what a generation holds changes its meaning: older generations are then built anew."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a generation was built from and with, as its generation.json says.

    `outdated` is how many passages were taken out since its vectors were last stored whole: Chroma keeps their room.
    """

    name: str
    encoder: str
    corpus: str
    documents: int
    passages: int
    sentences: int
    outdated: int = 0
    format: int = FORMAT


def live_generation(folder: Path) -> tuple[Path, Generation]:
    """Return the folder and description of the generation to answer from: the published one, or where that is damaged,
    the former one.

    Raises IndexMissing if there is none, IndexMismatch if it is of another format, IndexError_ if none is sound.
    """
    name = live_name(folder)
    try:
        path, generation = pointed(folder)
        damage = seal.broken(path)
        if not damage:
            return path, generation
    except (IndexMissing, IndexMismatch):
        raise
    except IndexError_ as error:
        damage = str(error)
    if live_name(folder) != name:
        # Others were published meanwhile, and this one removed.
        return live_generation(folder)
    for former in sound_generations(folder):
        _tell(folder, damage, former.name)
        return former, described(former)
    raise IndexError_(f"the index is damaged ({damage}): run `gapbot index --rebuild`")


@cache
def _tell(folder: Path, damage: str, former: str) -> None:
    """Say it once in a process, however often the index is opened."""
    _log.warning("the index is damaged (%s): %s answers instead until `gapbot index` mends it", damage, former)


def held_generation(folder: Path) -> tuple[Path, Generation, IO[bytes] | None]:
    """Return what `live_generation` does, and a file: until that is closed, nothing removes the generation.

    Where the file system has no locks there is no such file.
    """
    while True:
        path, generation = live_generation(folder)
        try:
            held = (path / _DESCRIPTION).open("rb")
        except FileNotFoundError:
            continue  # two others were published meanwhile
        try:
            _lock(held, exclusive=False)
            if os.fstat(held.fileno()).st_nlink:
                return path, generation, held
        except BlockingIOError:
            pass  # it is being removed
        except OSError:
            held.close()
            return path, generation, None
        held.close()


def _lock(opened: IO[bytes], *, exclusive: bool) -> None:
    """Lock an open file for as long as it is open. Raises OSError where another has it, or nothing can be locked."""
    if fcntl is None:
        raise OSError("this system has no flock")
    fcntl.flock(opened, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)


def _remove(path: Path) -> None:
    """Remove a generation that no process holds."""
    try:
        with (path / _DESCRIPTION).open("rb") as opened:
            _lock(opened, exclusive=True)
            shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        return
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def sound_generations(folder: Path) -> list[Path]:
    """Return the generations that are whole and of this format, newest first."""
    found = []
    for path in sorted(folder.glob("g[0-9]*"), reverse=True):
        try:
            described(path)
        except IndexError_:
            continue
        if not seal.broken(path):
            found.append(path)
    return found


def pointed(folder: Path) -> tuple[Path, Generation]:
    """Return the folder and description of the published generation, sound or not; raises as `live_generation` does."""
    name = published_name(folder)
    return folder / name, described(folder / name)


def described(path: Path) -> Generation:
    """Return the description of a generation. Raises IndexMismatch if it is of another format, IndexError_ if damaged."""
    try:
        row = json.loads((path / _DESCRIPTION).read_text(encoding="utf-8"))
        if row.get("format") != FORMAT:
            raise IndexMismatch("the index was built by another version of gapbot: run `gapbot index --rebuild`")
        return Generation(**row)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise IndexError_("its description cannot be read") from error


def published_name(folder: Path) -> str:
    """Return the name of the published generation. Raises IndexMissing if there is none."""
    name = live_name(folder)
    if not name:
        raise IndexMissing("there is no index yet: run `gapbot index` to build it")
    return name


def live_name(folder: Path) -> str | None:
    """Return the name of the published generation, or None if there is none."""
    try:
        return (folder / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise IndexError_(f"{folder} cannot be read: {error}") from error


@contextmanager
def writer_lock(folder: Path, wait: float = 0) -> Iterator[None]:
    """Hold the one writer's lock of an index. Raises IndexBusy if another process has it for longer than `wait` seconds."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=wait)
    except Timeout:
        raise IndexBusy("another gapbot is writing this index: wait until it is done, then try again") from None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise IndexReadOnly(f"{folder} cannot be written: make it writable or name another with --home DIR") from error
    try:
        yield
    finally:
        lock.release()


def start(folder: Path, copy_of: Path | None) -> Path:
    """Make the folder of a new generation, empty or as a copy of an earlier one, and return it."""
    numbers = [int(p.name[1:]) for p in folder.glob("g[0-9]*") if p.name[1:].isdigit()]
    target = folder / f"{_BUILDING}g{max(numbers, default=0) + 1:06d}"
    if copy_of:
        try:
            shutil.copytree(copy_of, target)
        except BaseException:
            # What a copy has filled, the live generation may need.
            shutil.rmtree(target, ignore_errors=True)
            raise
    else:
        target.mkdir()
    return target


def publish(building: Path, generation: Generation) -> Path:
    """Make a finished generation the live one, durably and atomically; keep the former, remove older ones."""
    finish(building, generation)
    return adopt(building)


def finish(building: Path, generation: Generation) -> None:
    """Describe and seal a generation whose files nobody has open, and see that all of it is on the disk."""
    (building / _DESCRIPTION).write_text(json.dumps(asdict(generation), indent=1), encoding="utf-8")
    seal.seal(building)
    for path in [p for p in building.rglob("*") if p.is_file()] + [p for p in building.rglob("*") if p.is_dir()]:
        _fsync(path)
    _fsync(building)


def adopt(building: Path) -> Path:
    """Point to a generation that is finished."""
    folder = building.parent
    former = live_name(folder)
    final = folder / building.name.removeprefix(_BUILDING)
    os.rename(building, final)
    point(folder, final.name)
    clean(folder, former)
    return final


def clean(folder: Path, former: str | None = None) -> None:
    """Remove what an interrupted run has left, and generations older than the live and the former one.

    `former` is the one that was live before; without it, the newest that stands below the live one. What a process
    reads stays until a later run. Only whoever holds the writer's lock may do so.
    """
    live = live_name(folder)
    found = sorted(p.name for p in folder.glob("g[0-9]*"))
    former = former or max((n for n in found if live and n < live), default=None)
    for name in [p.name for p in folder.glob(f"{_BUILDING}*")] + [n for n in found if live and n not in (live, former)]:
        _remove(folder / name)


def take_over(folder: Path, generation: Path) -> None:
    """Publish a generation that comes from elsewhere, under the next free name. Its folder is moved."""
    description = described(generation)
    building = start(folder, None)
    building.rmdir()
    generation.rename(building)
    publish(building, replace(description, name=building.name.removeprefix(_BUILDING)))


def fall_back(folder: Path) -> Path | None:
    """Publish the newest sound generation in place of a damaged one, and return it; None where there is none."""
    for path in sound_generations(folder):
        point(folder, path.name)
        return path
    return None


def point(folder: Path, name: str) -> None:
    """Make a generation the live one, atomically."""
    pointer = folder / "current.new"
    pointer.write_text(name, encoding="utf-8")
    _fsync(pointer)
    os.replace(pointer, folder / "current")
    _fsync(folder)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
