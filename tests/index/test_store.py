"""A level that lies in several collections is searched, read and changed like one."""

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import IndexError_
from index import store
from index.store import Store, Unit


def units(numbers: range, dimension: int = 16) -> list[Unit]:
    vectors = np.random.default_rng(numbers.start).normal(size=(len(numbers), dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [Unit(f"{n}.0", f"text {n}", v, "d", 0, 6) for n, v in zip(numbers, vectors, strict=True)]


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Unit]]:
    monkeypatch.setattr(store, "SHARD", 100)
    opened = Store(tmp_path, "print", writable=True)
    added: list[Unit] = []
    for start in range(1, 351, 50):
        chunk = units(range(start, start + 50))
        opened.add("sentences", chunk)
        added += chunk
    opened.close()
    return tmp_path, added


def test_a_full_collection_is_followed_by_another(filled: tuple[Path, list[Unit]]) -> None:
    folder, added = filled
    opened = Store(folder, "print")
    assert [first for first, _ in opened._shards["sentences"]] == [0, 101, 201, 301]
    assert [first for first, _ in opened._shards["passages"]] == [0]
    assert opened.count("sentences") == len(added)
    opened.close()


def test_the_nearest_are_found_wherever_they_lie(filled: tuple[Path, list[Unit]]) -> None:
    folder, added = filled
    opened = Store(folder, "print")
    matrix = np.stack([u.vector for u in added])
    for vector in (added[7].vector, added[160].vector, added[340].vector):
        order = np.argsort(-(matrix @ vector))[:20]
        found = opened.query("sentences", vector, 20)
        assert [i for i, _ in found] == [added[n].id for n in order]
        assert [c for _, c in found] == pytest.approx(list(matrix[order] @ vector), abs=1e-5)
    opened.close()


def test_units_are_read_and_taken_out_wherever_they_lie(filled: tuple[Path, list[Unit]]) -> None:
    folder, added = filled
    opened = Store(folder, "print", writable=True)
    wanted = [added[n] for n in (340, 3, 150, 250, 4)]
    found = opened.vectors("sentences", [u.id for u in wanted])
    assert all(np.allclose(found[u.id], u.vector, atol=1e-6) for u in wanted)
    opened.remove("sentences", [u.id for u in wanted])
    assert opened.vectors("sentences", [u.id for u in wanted]) == {}
    assert opened.count("sentences") == len(added) - 5
    # Whoever writes has one collection of each level in memory, or two of one.
    assert len(opened._in_use) <= 2
    opened.close()


def test_what_is_counted_sparingly_is_never_all_in_memory(filled: tuple[Path, list[Unit]]) -> None:
    folder, added = filled
    opened = Store(folder, "print", sparing=True)
    assert (opened.count("passages"), opened.count("sentences")) == (0, len(added))
    # Of the five collections the last are still open.
    assert opened._in_use == {("sentences", 3)}
    opened.close()


def test_a_folder_that_could_not_be_opened_can_be_once_it_is_mended(tmp_path: Path) -> None:
    # A disk that was full, say: a server that goes on to run must not have to be started anew.
    (tmp_path / "chroma").write_text("no folder")
    with pytest.raises(IndexError_):
        Store(tmp_path / "chroma", "print", writable=True)
    (tmp_path / "chroma").unlink()
    opened = Store(tmp_path / "chroma", "print", writable=True)
    opened.add("sentences", units(range(1, 4)))
    assert opened.count("sentences") == 3
    opened.close()
