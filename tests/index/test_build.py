import json
import multiprocessing
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from corpus.documents import Document
from corpus.errors import IndexBusy, IndexError_, IndexMismatch, IndexMissing
from index import generations, ingest, store
from index.build import Summary, sync
from index.encoder import Encoder
from index.export import BUNDLED
from index.generations import live_generation, writer_lock
from index.retriever import Index, Retriever, fuse

ONE = "Viettel operates 15 data centers. Its plans are larger."
TWO = "# Rivers\n\nThe Mekong is 4,350 km long."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "one.txt").write_text(ONE, encoding="utf-8")
    (folder / "two.md").write_text(TWO, encoding="utf-8")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def build(index: Path, corpus: Path, encoder_folder: Path, *, rebuild: bool = False) -> Summary:
    return sync(index, corpus, encoder_folder.parent, BUNDLED, rebuild=rebuild)


def best(index: Path, encoder: Encoder, query: str) -> str:
    opened = Index(index, encoder)
    try:
        return opened.retrieve(query)[0].document.id
    finally:
        opened.close()


def test_a_first_run_adds_everything_and_a_second_encodes_nothing(
    index: Path, corpus: Path, encoder_folder: Path
) -> None:
    first = build(index, corpus, encoder_folder)
    second = build(index, corpus, encoder_folder)
    assert (len(first.added), first.encoded) == (2, 2)
    assert (second.added, second.changed, second.removed, second.unchanged, second.encoded) == ((), (), (), 2, 0)
    assert second.generation == first.generation


def test_an_index_in_several_collections_is_changed_and_searched_like_one(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(numbers: Iterable[int], word: str) -> None:
        rows = ({"id": f"d{n}", "title": "", "text": f"Buoy {n} drifts to {word}. It rings."} for n in numbers)
        (corpus / "many.jsonl").write_text("\n".join(json.dumps(r) for r in rows), "utf-8")

    monkeypatch.setattr(store, "SHARD", 10)
    monkeypatch.setattr(ingest, "_CHUNK", 4)
    write(range(30), "north")
    build(index, corpus, encoder_folder)
    write([*range(0, 20, 2), *range(20, 40)], "north")
    (corpus / "one.txt").write_text(ONE.replace("15", "16"), encoding="utf-8")
    changed = build(index, corpus, encoder_folder)
    assert (len(changed.added), changed.changed, len(changed.removed), changed.encoded) == (10, ("one",), 10, 11)
    assert build(index, corpus, encoder_folder).encoded == 0
    monkeypatch.undo()
    once = tmp_path / "once"
    build(once, corpus, encoder_folder)
    found = []
    for folder in (index, once):
        opened = Index(folder, encoder)
        found.append([[(e.text, round(e.score, 4)) for e in opened.retrieve(q, 10)] for q in ("buoy 24", "Viettel")])
        found[-1] = [sorted(f, key=lambda pair: (-pair[1], pair[0])) for f in found[-1]]
        opened.close()
    assert found[0] == found[1]


def test_documents_are_taken_as_they_are_needed(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "_CHUNK", 4)
    taken, ahead = 0, []

    def documents() -> Iterator[Document]:
        nonlocal taken
        for n in range(20):
            taken += 1
            yield Document(f"d{n}", f"Buoy {n} drifts.", "t")

    encoded = ingest.write_changes(
        tmp_path, encoder, documents(), [], 20, lambda stage, done, total: ahead.append(taken - done)
    )
    assert (encoded, taken) == (20, 20)
    assert max(ahead) <= 4


def test_only_changed_text_is_encoded(index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder) -> None:
    long = "\n\n".join(f"Paragraph {n} speaks of subject {n}. " + "It goes on for a while. " * 20 for n in range(6))
    (corpus / "long.txt").write_text(long, encoding="utf-8")
    build(index, corpus, encoder_folder)
    (corpus / "long.txt").write_text(long + "\n\n" + "A new last paragraph about kelp. " * 12, encoding="utf-8")
    changed = build(index, corpus, encoder_folder)
    assert changed.changed == ("long",)
    assert 1 <= changed.encoded <= 2
    assert best(index, encoder, "kelp") == "long"


def test_a_removed_or_replaced_document_is_never_found_again(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    build(index, corpus, encoder_folder)
    (corpus / "one.txt").write_text("Penguins live in the south.", encoding="utf-8")
    (corpus / "two.md").unlink()
    summary = build(index, corpus, encoder_folder)
    assert (summary.changed, summary.removed) == (("one",), ("two",))
    opened = Index(index, encoder)
    texts = [e.text for q in ("Viettel data centers", "Mekong", "penguins") for e in opened.retrieve(q)]
    assert set(texts) == {"Penguins live in the south."}
    assert opened.catalogue.document("two") is None
    opened.close()


def test_the_former_generation_is_kept_and_older_ones_go(index: Path, corpus: Path, encoder_folder: Path) -> None:
    for n in range(4):
        (corpus / "one.txt").write_text(f"Version {n}.", encoding="utf-8")
        build(index, corpus, encoder_folder)
    assert sorted(p.name for p in index.glob("g*")) == ["g000003", "g000004"]
    assert live_generation(index)[1].name == "g000004"


def test_an_index_that_is_often_changed_does_not_grow(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Chroma's graph begins with room for a hundred vectors, and is saved after some five hundred.
    monkeypatch.setattr(store, "_HNSW", {**store._HNSW, "sync_threshold": 20, "batch_size": 10})

    def size(at: Path) -> int:
        return sum(p.stat().st_size for p in live_generation(at)[0].rglob("*") if p.is_file())

    for version in range(15):
        rows = [{"id": f"buoy-{n}", "title": "", "text": f"Buoy {n}: state {version}."} for n in range(40)]
        (corpus / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        build(index, corpus, encoder_folder)
    build(index.with_name("alone"), corpus, encoder_folder)
    assert size(index) < 2 * size(index.with_name("alone"))
    opened = Index(index, encoder)
    assert opened.retrieve("state of buoy 7")[0].text == "Buoy 7: state 14."
    opened.close()


def test_an_interrupted_run_leaves_the_old_index_answering(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    build(index, corpus, encoder_folder)
    (corpus / "three.txt").write_text("Kelp grows fast.", encoding="utf-8")

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "Building the word index":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(index, corpus, encoder_folder.parent, BUNDLED, progress=interrupt)
    assert best(index, encoder, "Mekong length") == "two"
    assert not list(index.glob("building-*"))
    assert build(index, corpus, encoder_folder).added == ("three",)


def test_an_index_of_another_encoder_is_refused_and_rebuilt(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    build(index, corpus, encoder_folder)
    path, _ = live_generation(index)
    row = json.loads((path / "generation.json").read_text())
    (path / "generation.json").write_text(json.dumps({**row, "encoder": "another"}))
    with pytest.raises(IndexMismatch, match="gapbot index --rebuild"):
        Index(index, encoder)
    assert build(index, corpus, encoder_folder).encoded == 2


def test_a_missing_index_says_what_to_do(index: Path, encoder: Encoder) -> None:
    with pytest.raises(IndexMissing, match="gapbot index"):
        Index(index, encoder)


def _hold(index: Path, ready: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with writer_lock(index):
        ready.set()
        done.wait(30)


def test_a_second_writer_is_told_so(index: Path, corpus: Path, encoder_folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(index, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(IndexBusy, match="another gapbot"):
            build(index, corpus, encoder_folder)
    finally:
        done.set()
        other.join(30)


def test_an_empty_corpus_makes_an_index_that_finds_nothing(
    index: Path, tmp_path: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    (tmp_path / "empty").mkdir()
    build(index, tmp_path / "empty", encoder_folder)
    opened = Index(index, encoder)
    assert opened.retrieve("anything") == []
    opened.close()


def test_the_langchain_retriever_returns_exact_slices(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    build(index, corpus, encoder_folder)
    opened = Index(index, encoder)
    found = Retriever(index=opened, k=2).invoke("How many data centers does Viettel have?")
    assert found[0].page_content == ONE
    meta = found[0].metadata
    assert ONE[meta["start"] : meta["end"]] == found[0].page_content
    assert meta["sentences"][0]["text"] == "Viettel operates 15 data centers."
    opened.close()


def test_a_damaged_generation_is_noticed_and_built_anew(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    build(index, corpus, encoder_folder)
    path, _ = live_generation(index)
    shutil.rmtree(path / "chroma")
    with pytest.raises(IndexError_, match="gapbot index"):
        Index(index, encoder)
    assert build(index, corpus, encoder_folder).encoded == 2
    assert best(index, encoder, "Mekong") == "two"


def test_a_search_brings_as_many_passages_as_are_asked_for(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    (corpus / "many.jsonl").write_text(
        "\n".join(json.dumps({"id": f"d{n}", "title": "", "text": f"Text number {n}."}) for n in range(150)), "utf-8"
    )
    build(index, corpus, encoder_folder)
    opened = Index(index, encoder)
    assert len(opened.retrieve("text", 140)) == 140
    opened.close()


def test_fusion_scales_each_leg_and_adds_them_up() -> None:
    legs = {"passages": {"x": 0.9, "y": 0.5, "z": 0.1}, "bm25_passages": {"y": 10.0}}
    fused = fuse(legs, {"passages": 0.5, "bm25_passages": 0.5})
    assert [k for k, _ in fused] == ["y", "x", "z"]
    assert fused[0][1] == pytest.approx(0.75)


def test_chroma_s_own_downloading_model_is_never_used(
    index: Path, corpus: Path, encoder_folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    def refuse(self: object) -> None:
        raise AssertionError("a model download was attempted")

    monkeypatch.setattr(ONNXMiniLM_L6_V2, "_download_model_if_not_exists", refuse)
    build(index, corpus, encoder_folder)
    assert best(index, encoder, "Mekong") == "two"


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "Input/output error"),
        sqlite3.OperationalError("Input/output error"),
        shutil.Error([("a", "b", "Input/output error"), ("c", "d", "another")]),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line_whoever_says_so(
    index: Path, corpus: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> Path:
        raise error

    monkeypatch.setattr(generations, "start", fail)
    with pytest.raises(IndexError_, match=r"cannot be written \(Input/output error\): see that its disk is sound"):
        build(index, corpus, encoder_folder)
