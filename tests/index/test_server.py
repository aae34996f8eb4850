"""An index on a Chroma server: a real one, `chroma run`."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings, settings
from corpus.errors import IndexBusy, IndexError_, IndexMissing, IndexUnreachable, UsageError
from index import lease, pieces, server
from index.build import sync
from index.chroma import connect
from index.doctor import examine
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index
from index.server import Server
from tests import writing
from tests.chroma_server import ChromaServer, chroma_server


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "data") as running:
        yield running


class Shared:
    """One index of its own on a Chroma server, with a corpus in versions and any number of machines."""

    def __init__(self, url: str, name: str, folder: Path, encoder_folder: Path) -> None:
        self.url, self.name, self._folder = url, name, folder
        self._encoder_folder, self._encoder = encoder_folder, Encoder(encoder_folder)
        self.client: Any = connect(url)

    def machine(self, name: str) -> tuple[Server, Path]:
        return Server(self.url, self.name), self._folder / name

    def publish(self, version: int, machine: str = "writer") -> str:
        place, folder = self.machine(machine)
        writing.write_corpus(self._folder / "corpus", version)
        return sync(folder, self._folder / "corpus", self._encoder_folder.parent, BUNDLED, place=place).generation.name

    def read(self, machine: str = "reader") -> Index:
        place, folder = self.machine(machine)
        place.bring(folder)
        return Index(folder, self._encoder)

    def collections(self) -> list[str]:
        prefix = f"gapbot.{self.name}"
        return sorted(c.name.removeprefix(prefix) for c in self.client.list_collections() if c.name.startswith(prefix))


@pytest.fixture
def shared(chroma: ChromaServer, request: pytest.FixtureRequest, tmp_path: Path, encoder_folder: Path) -> Shared:
    name = re.sub("[^a-z0-9]+", "-", request.node.name)[:60].strip("-")
    return Shared(chroma.url, name, tmp_path, encoder_folder)


def says(index: Index, version: int) -> bool:
    return index.retrieve(writing.QUESTION)[0].text == f"The code word of the tide is {writing.code_word(version)}."


def test_every_machine_finds_what_one_has_indexed(shared: Shared, tmp_path: Path, encoder_folder: Path) -> None:
    shared.publish(0)
    shared.publish(1)
    own = tmp_path / "own"
    sync(own, tmp_path / "corpus", encoder_folder.parent, BUNDLED)
    alone = Index(own, Encoder(encoder_folder))
    for machine in ("one", "two"):
        index = shared.read(machine)
        assert says(index, 1)
        assert index.catalogue.document_ids() == alone.catalogue.document_ids()
        for question in (writing.QUESTION, "buoy at pier 140"):
            found, expected = index.retrieve(question, 10), alone.retrieve(question, 10)
            assert [(e.text, round(e.score, 3)) for e in found] == [(e.text, round(e.score, 3)) for e in expected]


def test_only_what_changed_is_encoded_also_by_another_machine(shared: Shared, tmp_path: Path) -> None:
    shared.publish(0)
    place, folder = shared.machine("another")
    writing.write_corpus(tmp_path / "corpus", 1)
    encoders = shared._encoder_folder.parent
    summary = sync(folder, tmp_path / "corpus", encoders, BUNDLED, place=place)
    assert summary.unchanged > 10
    assert 0 < summary.encoded < 10
    assert says(shared.read(), 1)


def test_a_second_writer_is_told_so_whatever_machine_it_runs_on(shared: Shared, tmp_path: Path) -> None:
    one, two = shared.machine("one"), shared.machine("two")
    with (
        one[0].writer_lock(one[1]),
        pytest.raises(IndexBusy, match="another gapbot is writing"),
        two[0].writer_lock(two[1]),
    ):
        pass
    with two[0].writer_lock(two[1]):
        pass
    assert shared.collections() == []


def overtaken(shared: Shared) -> str:
    """Build a generation, and publish it after another machine has published one; return the name of that."""
    place, folder = shared.machine("stalled")
    with place.writer_lock(folder):
        path, generation = place.live_generation(folder)
        building = place.start(folder, path)
        shared.publish(1)
        place.publish(building, replace(generation, name=building.name.removeprefix("building-")))
    raise AssertionError("it could publish")


@pytest.mark.slow
def test_a_writer_that_was_taken_for_dead_publishes_nothing(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", -1)
    shared.publish(0)
    with pytest.raises(IndexBusy, match="took this index over"):
        overtaken(shared)
    assert says(shared.read(), 1)
    assert ".writer" not in shared.collections()


@pytest.mark.slow
def test_of_two_that_publish_the_newer_number_stands_whoever_is_last(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.publish(0)
    # It stands still after its last look at the lock, until that is over.
    monkeypatch.setattr(lease, "LEASE_SECONDS", -1)
    monkeypatch.setattr(lease.Lease, "holds", lambda self: True)
    monkeypatch.setattr(Server, "clean", lambda *_: None)
    with pytest.raises(IndexBusy, match="newer index"):
        overtaken(shared)
    assert says(shared.read(), 1)


def test_an_interrupted_run_leaves_the_old_index_and_its_remains_go_with_the_next(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = shared.publish(0)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pieces, "put", fail)
        with pytest.raises(KeyboardInterrupt):
            shared.publish(1)
    assert says(shared.read(), 0)
    assert len([c for c in shared.collections() if c.startswith(".g000002")]) == 3
    assert shared.publish(2).startswith("g000003")
    assert says(shared.read(), 2)
    assert not [c for c in shared.collections() if c.startswith(".g000002") or c == ".writer"]
    assert [c for c in shared.collections() if c.startswith(f".{first}")]


@pytest.mark.slow
def test_a_replaced_generation_stays_for_its_time_of_grace(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [shared.publish(0)]
    slow = shared.read("slow")
    names += [shared.publish(v) for v in (1, 2)]
    assert says(slow, 0)
    assert {c.split(".")[1] for c in shared.collections() if c.startswith(".g")} == set(names)
    monkeypatch.setattr(server, "GRACE_SECONDS", 0)
    names.append(shared.publish(3))
    assert {c.split(".")[1] for c in shared.collections() if c.startswith(".g")} == set(names[2:])
    assert says(shared.read("slow"), 3)
    with pytest.raises(IndexError_):
        slow.retrieve(writing.QUESTION)


def test_what_is_damaged_on_the_server_gives_way_to_the_former(shared: Shared) -> None:
    shared.publish(0)
    name = shared.publish(1)
    files = shared.client.get_collection(f"gapbot.{shared.name}.{name}.files", embedding_function=None)
    assert says(shared.read("whole"), 1)
    files.update(ids=["words/vocabulary.json/0"], metadatas=[{"v0": "eJwDAAAAAAE="}])
    assert says(shared.read("a piece is another"), 0)
    files.delete(ids=["words/vocabulary.json/0"])
    assert says(shared.read("a piece is gone"), 0)
    shared.client.delete_collection(files.name)
    assert says(shared.read("all is gone"), 0)
    shared.publish(2)
    assert says(shared.read("mended"), 2)


def unsound(shared: Shared, encoder_folder: Path) -> dict[str, str]:
    """Return what the doctor finds wrong, by check; a machine of its own looks."""
    place, folder = shared.machine("doctor")
    place.bring(folder)
    return {f.check: f.says for f in examine(folder, encoder_folder.parent, BUNDLED) if not f.sound}


def test_the_doctor_tells_vectors_on_the_server_that_are_not_those_of_their_text(
    shared: Shared, encoder_folder: Path
) -> None:
    name = shared.publish(0)
    assert unsound(shared, encoder_folder) == {}
    collection = shared.client.get_collection(f"gapbot.{shared.name}.{name}.sentences", embedding_function=None)
    held = collection.get(include=["embeddings"])
    # Every vector is there, and finds itself, but stands for another sentence.
    collection.update(ids=held["ids"], embeddings=[*held["embeddings"][1:], held["embeddings"][0]])
    found = unsound(shared, encoder_folder)
    assert found.keys() == {"vectors"}
    assert "are not those of their text (cosine down to" in found["vectors"]
    assert "gapbot index --rebuild" in found["vectors"]
    collection.update(ids=held["ids"], embeddings=held["embeddings"])
    assert unsound(shared, encoder_folder) == {}
    collection.delete(ids=held["ids"][:3])
    assert "3 are missing" in unsound(shared, encoder_folder)["vectors"]


def test_the_doctor_tells_vectors_on_the_server_of_another_dimension(shared: Shared, encoder_folder: Path) -> None:
    full = shared.client.get_collection(f"gapbot.{shared.name}.{shared.publish(0)}.passages", embedding_function=None)
    held = full.get(include=["embeddings"])
    shared.client.delete_collection(full.name)
    short = shared.client.create_collection(full.name, embedding_function=None, metadata=full.metadata)
    short.add(ids=held["ids"], embeddings=[vector[:8] for vector in held["embeddings"]])
    found = unsound(shared, encoder_folder)
    assert found.keys() == {"vectors"}
    assert "some have 8 dimensions instead of 384" in found["vectors"]


def test_a_file_that_would_be_written_elsewhere_is_refused(shared: Shared, tmp_path: Path) -> None:
    collection = shared.client.create_collection(f"gapbot.{shared.name}", embedding_function=None)
    (tmp_path / "file").write_bytes(b"text")
    file = pieces.put(collection, "../out", tmp_path / "file")
    with pytest.raises(IndexError_, match="does not write"):
        pieces.fetch(collection, "../out", file, tmp_path / "in")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [0, 1, 49_152, 3_000_000])
def test_files_come_back_as_they_were(shared: Shared, tmp_path: Path, size: int) -> None:
    collection = shared.client.create_collection(f"gapbot.{shared.name}", embedding_function=None)
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    file = pieces.put(collection, "words/file", tmp_path / "file")
    pieces.fetch(collection, "words/file", file, tmp_path / "in")
    assert (tmp_path / "in" / "words" / "file").read_bytes() == data


def test_chroma_cloud_is_asked_as_its_own_settings_say(
    chroma: ChromaServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder_folder: Path
) -> None:
    # A server of one's own plays the cloud: the client, its key and its limits of rows are the real ones.
    port = int(chroma.url.rpartition(":")[2])
    for name, value in {"HOST": "127.0.0.1", "PORT": port, "SSL": False}.items():
        monkeypatch.setattr(f"index.chroma._CLOUD_{name}", value)
    monkeypatch.setenv("CHROMA_API_KEY", "secret")
    monkeypatch.setenv("CHROMA_TENANT", "default_tenant")
    monkeypatch.setenv("CHROMA_DATABASE", "default_database")
    shared = Shared("cloud", "cloud", tmp_path, encoder_folder)
    shared.publish(0)
    shared.publish(1)
    assert says(shared.read(), 1)
    assert "secret" not in "".join(p.read_text("utf-8", "replace") for p in tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://chroma.example", "https://chroma.example"),
        ("off", None),
    ],
)
def test_the_address_of_a_server_is_a_setting(monkeypatch: pytest.MonkeyPatch, value: str, read: str | None) -> None:
    monkeypatch.setenv("GAPBOT_CHROMA", value)
    assert settings().chroma == read


@pytest.mark.parametrize(
    "value", ["localhost", "localhost:8000", "http://", "http://a:b@host", "http://host/path", "cloud"]
)
def test_what_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GAPBOT_CHROMA", value)
    monkeypatch.delenv("CHROMA_API_KEY", raising=False)
    with pytest.raises(UsageError, match="GAPBOT_CHROMA"):
        settings()


def test_a_corpus_has_one_name_on_every_machine(tmp_path: Path) -> None:
    names = [Settings(tmp_path, tmp_path / place / "team notes").shared_name for place in ("a", "b")]
    assert names[0] == names[1]
    assert Settings(tmp_path, tmp_path / "docs").shared_name == "docs"
    assert Settings(tmp_path, tmp_path / "shipped").shared_name != settings().shared_name == "shipped"


def test_nothing_on_the_server_says_what_to_do(shared: Shared) -> None:
    with pytest.raises(IndexMissing, match="gapbot index"):
        shared.read()


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(IndexUnreachable, match="no Chroma server answers"):
        Server("http://127.0.0.1:1", "any").bring(tmp_path)
    for command in (["ask", "What is it?"], ["index"]):
        environment = {**os.environ, "GAPBOT_CHROMA": "http://127.0.0.1:1"}
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", "--home", str(tmp_path), *command],
            env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("gapbot: no Chroma server answers at http://127.0.0.1:1: start")
        assert "Traceback" not in done.stderr
        assert time.monotonic() - started < 30


@pytest.mark.slow
def test_servers_answer_through_swaps_and_a_restart_of_chroma(tmp_path: Path, encoder_folder: Path) -> None:
    from tests import sharing

    seen = sharing.shared(tmp_path, encoder_folder, swaps=2)
    assert seen["answers"] > 20
    assert seen["seen_after_s"] <= 5
    assert seen["back_after_s"] <= 10
