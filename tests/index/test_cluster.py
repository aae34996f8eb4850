"""A real Ray cluster of two workers on this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import UsageError
from corpus.spool import Spool
from index.build import Summary, sync
from index.catalogue import sentence_id
from index.cluster import LOCAL, Cluster, connected
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index
from tests import writing

# Not by importing it: what it may do it reads from the environment then.
_needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason='Ray is not installed: pip install "gapbot[ray]"')


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with connected(LOCAL) as running:
        assert running._ray.util.get_node_ip_address() == "127.0.0.1"
        yield running


def write_corpus(folder: Path, texts: int) -> None:
    """Make a corpus of many formats, some files of which are refused."""
    writing.write_corpus(folder, 0)
    for n in range(texts):
        said = f"Harbour {n} has {n + 3} cranes. " + "".join(
            f"Its {word} speak of shoal {n * 7} in storm {n}. " for word in writing.WORDS
        )
        (folder / f"harbour-{n}.md").write_text(f"# Harbour {n}\n\n{said}\n\n## Depth\n\nIt is {n} m deep.", "utf-8")
    (folder / "page.html").write_text("<html><body><p>The lightship lies off the cape.</p></body></html>", "utf-8")
    (folder / "facts.yaml").write_text(
        json.dumps([{"id": "depth", "claim": "It is 1 m deep.", "document": "harbour-1"}]), "utf-8"
    )
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "empty.txt").write_text("", "utf-8")
    (folder / "what.xyz").write_text("unknown", "utf-8")


def held(folder: Path, encoder_folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, float]]]:
    """Return what an index holds: documents, the vectors of passages and sentences, and what it finds first."""
    index = Index(folder, Encoder(encoder_folder))
    try:
        documents = {i: index.catalogue.document(i) for i in index.catalogue.document_ids()}
        vectors: dict[str, Any] = {}
        for row in index.catalogue.all_rows():
            p = row.passage
            ids = [sentence_id(row.number, k) for k in range(len(p.sentences))]
            found = index.store.vectors("passages", [str(row.number)]) | index.store.vectors("sentences", ids)
            assert len(found) == 1 + len(ids)
            vectors[f"{p.document} {p.start}-{p.end} {p.headings}"] = [found[i] for i in (str(row.number), *ids)]
        questions = ("code word of the tide", "How many cranes has harbour 7?", "lightship", "How deep is harbour 1?")
        first = [index.retrieve(q, 1)[0] for q in questions]
        return documents, vectors, [(e.text, round(e.score, 2)) for e in first]
    finally:
        index.close()


def same(one: Path, other: Path, encoder_folder: Path) -> None:
    """Raise AssertionError unless two indexes hold the same; vectors may differ by what rounding does."""
    (documents, vectors, first), (others, other_vectors, other_first) = (
        held(folder, encoder_folder) for folder in (one, other)
    )
    assert documents == others
    assert vectors.keys() == other_vectors.keys()
    for key, rows in vectors.items():
        for a, b in zip(rows, other_vectors[key], strict=True):
            assert float(np.dot(a, b)) > 0.99999, key
    assert first == other_first


def built(folder: Path, corpus: Path, encoder_folder: Path, cluster: Cluster | None, **named: Any) -> Summary:
    return sync(folder, corpus, encoder_folder.parent, BUNDLED, cluster=cluster, **named)


@_needs_ray
@pytest.mark.slow
def test_a_cluster_makes_the_index_that_one_process_makes(
    cluster: Cluster, tmp_path: Path, encoder_folder: Path
) -> None:
    corpus = tmp_path / "corpus"
    write_corpus(corpus, 40)
    here = built(tmp_path / "here", corpus, encoder_folder, None)
    there = built(tmp_path / "there", corpus, encoder_folder, cluster)
    assert (there.added, set(there.refused), there.encoded) == (here.added, set(here.refused), here.encoded)
    assert len(here.refused) == 3
    same(tmp_path / "here", tmp_path / "there", encoder_folder)
    (corpus / "harbour-3.md").write_text("# Harbour 3\n\nIt is closed.", "utf-8")
    (corpus / "harbour-4.md").unlink()
    assert built(tmp_path / "there", corpus, encoder_folder, cluster).changed == ("harbour-3",)
    built(tmp_path / "here", corpus, encoder_folder, None)
    same(tmp_path / "here", tmp_path / "there", encoder_folder)


@_needs_ray
@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(cluster: Cluster, tmp_path: Path, encoder_folder: Path) -> None:
    corpus = tmp_path / "corpus"
    write_corpus(corpus, 100)
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not over.is_set() and not killed:
            for pid in workers("Encoding"):
                # Loaded, and at work.
                time.sleep(1)
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                break
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        there = built(tmp_path / "there", corpus, encoder_folder, cluster)
    finally:
        over.set()
        killer.join()
    assert killed
    here = built(tmp_path / "here", corpus, encoder_folder, None)
    assert (there.added, there.encoded) == (here.added, here.encoded)
    same(tmp_path / "here", tmp_path / "there", encoder_folder)


def workers(name: str) -> list[int]:
    """Return the processes of Ray that run a worker class now."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "ray::" in line and f"{name})" in line]


@_needs_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_told_in_one_line(address: str) -> None:
    with pytest.raises(UsageError, match="no Ray cluster answers at"), connected(address):
        pass


def test_without_ray_one_line_names_the_extra(tmp_path: Path) -> None:
    # A module of that name which cannot be imported stands for one that is not installed.
    (tmp_path / "ray.py").write_text("raise ImportError('no ray')", "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "--home", str(tmp_path), "index", "--ray", "local"],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        'gapbot: --ray needs Ray, which is not installed: pip install "gapbot[ray]"'
    )


def test_what_one_spool_holds_can_be_added_to_another(tmp_path: Path) -> None:
    from corpus.loaders import read_corpus

    write_corpus(tmp_path, 3)
    with Spool() as one, Spool() as other:
        read_corpus(one, tmp_path)
        other.add(one.rows())
        assert list(other.settle()) == []
        assert list(other.documents()) == list(one.documents())
