"""An index on a Chroma server, from which any number of machines answer.

For an index called NAME the server holds these collections:

    gapbot.NAME                              a record for each published generation: the highest is the live one
    gapbot.NAME.g000007-1b2c3d4e.passages    the vectors of a generation, and likewise `.sentences`
    gapbot.NAME.g000007-1b2c3d4e.files       the rest of it, catalogue and words, in pieces
    gapbot.NAME.writer                       there while someone writes

A generation is published by adding its record, which is one write; what is published never changes. Its number is
reserved by creating its collections, which succeeds for one writer only. So even a writer that was taken for dead, and
then goes on, cannot put an older index in the place of a newer one.

Each machine keeps the files in a folder, as generations of an ordinary index whose vectors lie elsewhere. The methods
are the functions of `generations`, so that an index is built and read in the same way with a server and without.
"""

import itertools
import json
import logging
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.errors import GapbotError, IndexBusy, IndexError_, IndexMissing, IndexUnreachable
from index import generations, pieces, seal
from index.chroma import Client, NotFoundError, connect, point_elsewhere, translated
from index.generations import Generation
from index.ingest import store_anew
from index.lease import Lease, created, leased

GRACE_SECONDS = 120
"""How long a generation stays once another has taken its place: readers go over to that within seconds."""
_NAME = re.compile(r"g\d{6,}-[0-9a-f]{8}")
_RESERVED, _WRITER = "reserved-", "writer"
_SECOND = 1_000_000_000
_WAIT, _LOOK_SECONDS = 60, 2.0
_PAGE = 300
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Published:
    """A published generation: its name, the server's time at which it was published (ns), and its files."""

    name: str
    time: int
    files: dict[str, pieces.File]


class Server:
    """One index on a Chroma server. Safe for several threads."""

    def __init__(self, address: str, name: str) -> None:
        """Name an index on the server at an address, or on Chroma Cloud; nothing is asked yet."""
        self._address = address
        self._prefix = f"gapbot.{name}"
        self._lock = threading.Lock()
        self._connected: Client | None = None
        self._lease: Lease | None = None

    @property
    def _client(self) -> Client:
        with self._lock:
            if self._connected is None:
                self._connected = connect(self._address)
            return self._connected

    def live_generation(self, folder: Path) -> tuple[Path, Generation]:
        """Return what `generations.live_generation` does, once `folder` is up to date; for who holds the writer's lock.

        Raises IndexMissing if nothing is published, IndexError_ if nothing published is whole, IndexUnreachable.
        """
        self._update(folder, self._published())
        return generations.live_generation(folder)

    def bring(self, folder: Path) -> None:
        """Make `folder` hold the files of the live generation and point to it; one that is damaged is passed over.

        Where another process of this machine is about to do so, what is there stays. Raises as `live_generation` does.
        """
        published, current = self._published(), generations.live_name(folder)
        if current and published and current == published[0].name and not seal.broken(folder / current):
            return
        try:
            with generations.writer_lock(folder, wait=0 if current else _WAIT):
                self._update(folder, published)
        except IndexBusy:
            if not current:
                raise

    def follow(self, folder: Path, reader: Callable[[], object]) -> None:
        """Bring what is published to `folder` within seconds, in the background, until `reader` returns None."""

        def look() -> None:
            seen, told = generations.live_name(folder), ""
            while reader() is not None:
                time.sleep(_LOOK_SECONDS)
                try:
                    published = self._published()
                    if published and published[0].name != seen:
                        self.bring(folder)
                        seen = published[0].name
                    told = ""
                except GapbotError as error:
                    if str(error) != told:
                        told = str(error)
                        _log.error("%s", told)

        threading.Thread(target=look, daemon=True).start()

    def _update(self, folder: Path, published: list[_Published]) -> None:
        if not published:
            raise IndexMissing("there is no index on the Chroma server yet: run `gapbot index` to build it")
        damage = ""
        for one in published:
            if (folder / one.name).is_dir() and not seal.broken(folder / one.name):
                if generations.live_name(folder) != one.name:
                    generations.point(folder, one.name)
                return
            building = folder / f"building-{one.name}"
            try:
                self._fetch(one, building)
                broken = seal.broken(building)
            except IndexUnreachable:
                raise
            except IndexError_ as error:
                broken = str(error)
            if not broken:
                shutil.rmtree(folder / one.name, ignore_errors=True)
                generations.adopt(building)
                return
            shutil.rmtree(building, ignore_errors=True)
            damage = damage or broken
            _log.warning("the index on the Chroma server is damaged (%s): the one before it is tried", broken)
        raise IndexError_(f"the index on the Chroma server is damaged ({damage}): run `gapbot index --rebuild`")

    def _fetch(self, one: _Published, building: Path) -> None:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        prefix = f"{self._prefix}.{one.name}."
        with translated():
            collection = self._client.get_collection(f"{prefix}files", embedding_function=None)
        for name, file in one.files.items():
            pieces.fetch(collection, name, file, building)
        point_elsewhere(building / "chroma", self._address, prefix)

    @contextmanager
    def writer_lock(self, folder: Path) -> Iterator[None]:
        """Hold the one writer's lock of the index. Raises IndexBusy if another process, on any machine, has it."""
        with generations.writer_lock(folder), leased(self._client, f"{self._prefix}.{_WRITER}") as self._lease:
            yield

    def start(self, folder: Path, copy_of: Path | None) -> Path:
        """Reserve the next generation, empty or as a copy of an earlier one, and return the folder of its files."""
        number = 1 + max((_number(n) for n in self._parts()), default=0)
        if not created(self._client, f"{self._prefix}.{_RESERVED}{number:06d}"):
            raise IndexBusy("another gapbot is writing this index: wait until it is done, then try again")
        name = f"g{number:06d}-{uuid.uuid4().hex[:8]}"
        prefix = f"{self._prefix}.{name}."
        building = folder / f"building-{name}"
        try:
            if not copy_of:
                building.mkdir()
                point_elsewhere(building / "chroma", self._address, prefix)
                return building
            shutil.copytree(copy_of, building)
            point_elsewhere(building / "chroma", self._address, prefix)
            store_anew(copy_of / "chroma", building, generations.described(copy_of).encoder)
            return building
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def publish(self, building: Path, generation: Generation) -> Path:
        """Make a finished generation the live one, atomically, for every machine; then clean up."""
        generations.finish(building, generation)
        prefix = f"{self._prefix}.{generation.name}"
        with translated():
            collection = self._client.create_collection(f"{prefix}.files", embedding_function=None)
        local = (building / "chroma").with_suffix(".json")
        files = {
            p.relative_to(building).as_posix(): p for p in sorted(building.rglob("*")) if p.is_file() and p != local
        }
        put = {name: pieces.put(collection, name, path) for name, path in files.items()}
        if not (self._lease and self._lease.holds()):
            raise IndexBusy("another gapbot took this index over while this one stood still: run `gapbot index` again")
        with translated():
            now = self._client.heartbeat()
            row: Any = {"published": now, "files": json.dumps({n: asdict(f) for n, f in put.items()})}
            records = self._client.get_or_create_collection(self._prefix, embedding_function=None)
            records.upsert(ids=[generation.name], embeddings=[pieces.POINT], metadatas=[row])
        live = self._published()[0].name
        if live != generation.name:
            raise IndexBusy(f"another gapbot published a newer index meanwhile, {live}: run `gapbot index` again")
        final = generations.adopt(building)
        self.clean(building.parent)
        return final

    def clean(self, folder: Path) -> None:
        """Remove what an interrupted run has left, and generations that have been replaced for `GRACE_SECONDS`.

        The live one and the one before it always stay. Only whoever holds the writer's lock may do so.
        """
        generations.clean(folder)
        published = self._published()
        with translated():
            now = self._client.heartbeat()
        old = {
            one.name for newer, one in itertools.pairwise(published[1:]) if newer.time + GRACE_SECONDS * _SECOND < now
        }
        if old:
            with translated():
                self._client.get_collection(self._prefix, embedding_function=None).delete(ids=sorted(old))
        kept = {one.name for one in published} - old
        live = _number(published[0].name) if published else 0
        for name, collections in self._parts().items():
            if name == _WRITER:
                # Locks that were over and being deleted.
                gone = [c for c in collections if c != f"{self._prefix}.{_WRITER}"]
            elif name.startswith(_RESERVED):
                # One that cannot be the highest any more is of no use.
                gone = collections if _number(name) < live else []
            else:
                gone = [] if name in kept or not _NAME.fullmatch(name) else collections
            for collection in gone:
                with translated(), suppress(NotFoundError):
                    self._client.delete_collection(collection)

    def _parts(self) -> dict[str, list[str]]:
        """Return the names of the index's collections by what they belong to: a generation, a reservation, a lock."""
        found: dict[str, list[str]] = {}
        begin = f"{self._prefix}."
        for offset in itertools.count(0, _PAGE):
            with translated():
                page = [c.name for c in self._client.list_collections(limit=_PAGE, offset=offset)]
            for name in page:
                if name.startswith(begin):
                    found.setdefault(name.removeprefix(begin).partition(".")[0], []).append(name)
            if len(page) < _PAGE:
                return found
        return found

    def _published(self) -> list[_Published]:
        """Return the published generations, newest first."""
        with translated():
            try:
                records = self._client.get_collection(self._prefix, embedding_function=None)
            except NotFoundError:
                return []
            found = records.get(include=["metadatas"])
        try:
            rows: list[tuple[str, Any]] = list(zip(found["ids"], found["metadatas"] or [], strict=True))
            published = [
                _Published(
                    name, int(row["published"]), {n: pieces.File(**f) for n, f in json.loads(row["files"]).items()}
                )
                for name, row in rows
                if _NAME.fullmatch(name)
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexError_("the list of generations on the Chroma server cannot be read") from error
        return sorted(published, key=lambda one: _number(one.name), reverse=True)


def _number(name: str) -> int:
    """Return the number in the name of a generation or reservation, 0 where there is none.

    >>> _number("g000007-1b2c3d4e"), _number("reserved-000008"), _number("writer")
    (7, 8, 0)
    """
    found = re.match(r"(?:g|reserved-)(\d+)", name)
    return int(found[1]) if found else 0
