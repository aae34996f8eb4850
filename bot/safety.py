"""Keeping an index safe: `gapbot doctor | export | import`."""

import argparse
import hashlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from bot.config import Settings
from bot.opening import print_json
from corpus.errors import CorpusError, GapbotError, IndexMissing, UsageError

_MANIFEST = "gapbot.json"
_VERSION = 1
_CHUNK = 1 << 20


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to the parser; each sets `run` to a function that returns its exit status."""
    doctor = commands.add_parser("doctor", help="examine the index; exits with 1 where it is not sound")
    doctor.add_argument("--repair", action="store_true", help="go back to a sound generation, or build the index anew")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)

    export = commands.add_parser("export", help="save index, added documents, feedback and gaps in one file")
    export.add_argument("file", metavar="FILE.tar.gz")
    export.set_defaults(run=_export)

    restore = commands.add_parser("import", help="take over what `gapbot export` has saved")
    restore.add_argument("file", metavar="FILE.tar.gz")
    restore.set_defaults(run=_import)


def _doctor(config: Settings, options: argparse.Namespace) -> int:
    from index.doctor import examine

    print("Examining…", file=sys.stderr, flush=True)
    if config.server:
        config.server.bring(config.index)
    found = examine(config.index, config.encoders, config.encoder)
    sound = bool(found) and all(f.sound for f in found)
    if options.json:
        print_json({"sound": sound, "findings": [asdict(f) for f in found]})
    else:
        for finding in found:
            print(f"{'ok     ' if finding.sound else 'DAMAGED'} {finding.check}: {finding.says}")
    if sound or not options.repair:
        if not sound and not options.json:
            print("Run `gapbot doctor --repair` to mend it.")
        return 0 if sound else 1
    return _repair(config, options)


def _repair(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import build_index, print_summary
    from index import generations
    from index.doctor import examine

    former = None
    if not config.chroma:
        with generations.writer_lock(config.index):
            former = generations.fall_back(config.index)
    if former:
        print(f"Went back to {former.name}, which is whole.", file=sys.stderr)
    # What the process apart finds of the former one decides whether anything of it is used.
    whole = former is not None and all(f.sound for f in examine(config.index, config.encoders, config.encoder))
    print_summary(build_index(config, rebuild=not whole), to_stderr=options.json)
    found = examine(config.index, config.encoders, config.encoder)
    sound = all(f.sound for f in found)
    if options.json:
        print_json({"sound": sound, "findings": [asdict(f) for f in found]})
    else:
        print("The index is sound." if sound else "The index could not be mended: remove its folder and index anew.")
    return 0 if sound else 1


def _places(config: Settings) -> dict[str, Path]:
    """Return what an archive holds, by its name there."""
    return {
        "added": config.added,
        "added.json": config.added.parent / f"{config.added.name}.added.json",
        "gaps.jsonl": config.gaps,
        "feedback.jsonl": config.feedback,
    }


def _files(config: Settings, spare: Path) -> Iterator[tuple[str, Path]]:
    """Yield what an archive holds, by its name there; a database that may be written meanwhile as a copy in `spare`."""
    if config.chroma:
        print("The index lies on the Chroma server and is left out.", file=sys.stderr)
    else:
        yield from _index_files(config, spare)
    for name, place in _places(config).items():
        if place.is_dir():
            yield from ((f"{name}/{p.name}", p) for p in sorted(place.iterdir()) if p.is_file())
        elif place.is_file():
            yield name, place


def _index_files(config: Settings, spare: Path) -> Iterator[tuple[str, Path]]:
    from index import generations, seal

    try:
        live, _, held = generations.held_generation(config.index)
    except IndexMissing:
        pass
    else:
        with held or nullcontext():
            for path in sorted(p for p in live.rglob("*") if p.is_file()):
                name = path.relative_to(live).as_posix()
                if name == seal.DATABASE:
                    path = _copied(path, spare / "copy.sqlite3")
                yield f"index/{name}", path


def _copied(database: Path, copy: Path) -> Path:
    with (
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def _export(config: Settings, options: argparse.Namespace) -> int:
    target = Path(options.file)
    new = target.with_name(f".{target.name}.new")
    hashes = {}
    try:
        with tempfile.TemporaryDirectory() as spare, tarfile.open(new, "w:gz", compresslevel=3) as archive:
            for name, path in _files(config, Path(spare)):
                with path.open("rb") as opened:
                    # A log may grow meanwhile: what is hashed is what is saved.
                    size = os.fstat(opened.fileno()).st_size
                    hashes[name] = _put(archive, name, size, opened)
            manifest = json.dumps({"version": _VERSION, "files": hashes}).encode()
            _put(archive, _MANIFEST, len(manifest), io.BytesIO(manifest))
        if not hashes:
            raise CorpusError("there is nothing to export yet: run `gapbot index` first")
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    print(f"Saved {len(hashes)} files in {target}.")
    return 0


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, opened: IO[bytes]) -> None:
        self._opened = opened
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._opened.read(size)
        self.digest.update(data)
        return data


def _put(archive: tarfile.TarFile, name: str, size: int, opened: IO[bytes]) -> str:
    """Put `size` bytes of a file into an archive; returns their SHA-256."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    hashed = _Hashed(opened)
    archive.addfile(entry, cast("IO[bytes]", hashed))
    return hashed.digest.hexdigest()


def _import(config: Settings, options: argparse.Namespace) -> int:
    from index import generations, seal

    config.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.home, prefix=".import-") as temporary:
        unpacked = Path(temporary)
        count = _unpack(Path(options.file), unpacked)
        index = unpacked / "index"
        damage = seal.broken(index, thorough=True) if index.is_dir() else None
        if damage:
            raise CorpusError(f"the index in {options.file} is damaged ({damage}): nothing was changed")
        with generations.writer_lock(config.index):
            for name, place in _places(config).items():
                source = unpacked / name
                if source.exists():
                    _replace(source, place)
            if index.is_dir() and not config.chroma:
                generations.take_over(config.index, index)
    print(f"Took over {count} files from {options.file}. Run `gapbot index` to bring the index up with this corpus.")
    return 0


def _unpack(file: Path, target: Path) -> int:
    """Unpack an archive and check every file by its hash before anything is used; returns how many there are."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            for entry in archive:
                parts = PurePosixPath(entry.name).parts
                if not entry.isreg() or not parts or entry.name.startswith("/") or ".." in parts or "\\" in entry.name:
                    raise CorpusError(f"{file} holds {entry.name!r}, which no export writes: nothing was changed")
                place = target.joinpath(*parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(entry)
                assert source
                with place.open("wb") as opened:
                    shutil.copyfileobj(source, opened, _CHUNK)
        manifest = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))
        version, files = manifest["version"], dict(manifest["files"])
    except GapbotError:
        raise
    except FileNotFoundError as error:
        if not file.exists():
            raise UsageError(f"there is no file {file}") from error
        raise CorpusError(f"{file} is no export of gapbot: nothing was changed") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, tarfile.TarError, zlib.error) as error:
        raise CorpusError(f"{file} is damaged or no export of gapbot: nothing was changed") from error
    if version != _VERSION:
        raise CorpusError(f"{file} was written by another version of gapbot: nothing was changed")
    there = {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()} - {_MANIFEST}
    if there != files.keys() or any(_sha256(target / name) != digest for name, digest in files.items()):
        raise CorpusError(f"{file} is damaged: a file in it is not what was saved; nothing was changed")
    return len(files)


def _sha256(path: Path) -> str:
    opened: IO[bytes]
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _replace(source: Path, place: Path) -> None:
    """Put a file or folder in the place of another of the same file system."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        old = place.with_name(f".{place.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        source.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        source.replace(place)
