"""Damage to a generation is known before it answers, and the former generation answers instead."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexError_
from index import generations, seal, store
from index.build import sync
from index.doctor import examine
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index

OLD, NEW = "The ferry leaves at six.", "The ferry leaves at seven."


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Path:
    """An index of two generations: the former says six, the live one seven."""
    home = tmp_path_factory.mktemp("sealed")
    (home / "corpus").mkdir()
    for text in (OLD, NEW):
        (home / "corpus" / "ferry.txt").write_text(text, encoding="utf-8")
        (home / "corpus" / "other.txt").write_text("Rain fell in the hills. " * 40, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            # So that both graphs are saved, small as they are.
            patch.setitem(store._HNSW, "sync_threshold", 2)
            patch.setitem(store._HNSW, "batch_size", 2)
            sync(home / "index", home / "corpus", encoder_folder.parent, BUNDLED)
    return home / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "index"))


def live(index: Path) -> Path:
    return index / (generations.live_name(index) or "")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 3, len(data) // 3 + 40):
        data[at] ^= 255
    path.write_bytes(data)


def segment(folder: Path, name: str) -> Path:
    return next(p for p in sorted((folder / "chroma").glob(f"*/{name}")) if p.stat().st_size)


def statement(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "chroma" / "chroma.sqlite3")) as opened:
        opened.execute(sql)
        opened.commit()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "catalogue gone": lambda g: (g / "catalogue.sqlite").unlink(),
    "catalogue cut": lambda g: cut(g / "catalogue.sqlite"),
    "catalogue flipped": lambda g: flip(g / "catalogue.sqlite"),
    "catalogue empty": lambda g: (g / "catalogue.sqlite").write_bytes(b""),
    "vectors gone": lambda g: (g / "chroma" / "chroma.sqlite3").unlink(),
    "vectors cut": lambda g: cut(g / "chroma" / "chroma.sqlite3"),
    "vectors zeroed": lambda g: statement(g, "UPDATE embeddings_queue SET vector = zeroblob(1536)"),
    "rows deleted": lambda g: statement(g, "DELETE FROM embeddings WHERE id = (SELECT max(id) FROM embeddings)"),
    "graph flipped": lambda g: flip(segment(g, "data_level0.bin")),
    "graph cut": lambda g: cut(segment(g, "data_level0.bin")),
    "graph's header flipped": lambda g: flip(segment(g, "header.bin")),
    "graph's ids flipped": lambda g: flip(segment(g, "index_metadata.pickle")),
    "graph's ids gone": lambda g: segment(g, "index_metadata.pickle").unlink(),
    "graph gone": lambda g: shutil.rmtree(segment(g, "data_level0.bin").parent),
    "words gone": lambda g: shutil.rmtree(g / "words"),
    "words cut": lambda g: cut(g / "words" / "passages" / "scores.npy"),
    "words flipped": lambda g: flip(g / "words" / "sentences" / "terms.json"),
    "vocabulary flipped": lambda g: flip(g / "words" / "vocabulary.json"),
    "description gone": lambda g: (g / "generation.json").unlink(),
    "description garbled": lambda g: (g / "generation.json").write_text("[]"),
    "seal garbled": lambda g: (g / "seal.json").write_text("[1]"),
    "all gone": lambda g: shutil.rmtree(g),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_generation_gives_way_to_the_former(
    index: Path, encoder: Encoder, damage: Callable[[Path], object]
) -> None:
    damage(live(index))
    opened = Index(index, encoder)
    texts = {e.text for e in opened.retrieve("When does the ferry leave?")}
    opened.close()
    assert OLD in texts
    assert NEW not in texts


def test_where_none_is_whole_it_is_told(index: Path, encoder: Encoder) -> None:
    for path in index.glob("g[0-9]*"):
        cut(path / "catalogue.sqlite")
    with pytest.raises(IndexError_, match="gapbot index --rebuild"):
        Index(index, encoder)


def test_indexing_again_mends_a_damaged_generation(
    index: Path, encoder: Encoder, encoder_folder: Path, built: Path
) -> None:
    cut(live(index) / "catalogue.sqlite")
    sync(index, built.parent / "corpus", encoder_folder.parent, BUNDLED)
    opened = Index(index, encoder)
    assert NEW in {e.text for e in opened.retrieve("When does the ferry leave?")}
    opened.close()
    assert seal.broken(live(index), thorough=True) is None


def test_reading_breaks_no_seal(index: Path, encoder: Encoder) -> None:
    for _ in range(3):
        opened = Index(index, encoder)
        opened.retrieve("When does the ferry leave?")
        opened.close()
    assert seal.broken(live(index), thorough=True) is None


def test_the_doctor_finds_a_sound_index_sound_and_names_what_is_not(index: Path, encoder_folder: Path) -> None:
    found = examine(index, encoder_folder.parent, BUNDLED)
    assert {f.check for f in found} >= {"files", "encoder", "counts", "passages", "sentences", "catalogue.sqlite"}
    assert [f for f in found if not f.sound] == []
    (again,) = [f for f in found if f.check == "vectors"]
    assert again.says.endswith("all are those of their text")
    flip(live(index) / "words" / "vocabulary.json")
    (wrong,) = [f for f in examine(index, encoder_folder.parent, BUNDLED) if not f.sound]
    assert "vocabulary.json" in wrong.says


def test_a_graph_that_ends_the_process_is_a_finding(index: Path, encoder_folder: Path) -> None:
    shutil.rmtree(live(index) / "chroma")
    (live(index) / "chroma").mkdir()
    (live(index) / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all" * 100)
    assert [f for f in examine(index, encoder_folder.parent, BUNDLED) if not f.sound]


def test_a_vector_of_which_a_part_is_no_number_is_found(index: Path, encoder_folder: Path) -> None:
    path, generation = generations.pointed(index)
    with closing(store.Store(path / "chroma", generation.encoder)) as opened:
        ((number, _),) = opened.query("sentences", np.ones(384, np.float32), 1)
        vector = opened.vectors("sentences", [number])[number]
    found = 0
    # Chroma takes no such vector; a file that was damaged may hold one.
    for file in (path / "chroma").rglob("data_level0.bin"):
        data = file.read_bytes()
        found += (at := data.find(vector.tobytes())) >= 0
        if at >= 0:
            file.write_bytes(data[:at] + np.float32(np.nan).tobytes() + data[at + 4 :])
    assert found
    wrong = {f.check: f.says for f in examine(index, encoder_folder.parent, BUNDLED) if not f.sound}
    assert "not those of their text (cosine down to 1.00)" in wrong["vectors"]
