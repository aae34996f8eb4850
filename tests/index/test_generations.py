"""An index is always wholly one version, whatever happens while the next one is made."""

import itertools
from pathlib import Path

import pytest

from index import generations
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index
from tests import confined, faulty, swapping, writing


@pytest.mark.slow
def test_a_killed_writer_leaves_the_former_or_the_new_version(tmp_path: Path, encoder_folder: Path) -> None:
    counts = writing.killed(tmp_path, encoder_folder, times=20)
    assert counts["building"] >= 5
    assert 1 <= counts["published"] <= 19


def test_whatever_write_fails_the_former_or_the_new_version_answers(
    tmp_path: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    index, generation = writing.prepared(tmp_path, encoder_folder)
    faults = 0
    for at in itertools.count(1):
        if not writing.failing(tmp_path, index, generation, encoder, at):
            break
        faults += 1
    assert faults > 20


@pytest.mark.slow
def test_whatever_write_of_any_library_fails_the_former_or_the_new_version_answers(
    tmp_path: Path, encoder_folder: Path
) -> None:
    counts = faulty.run(tmp_path, encoder_folder, step=97)
    assert counts["calls"] > 500
    assert counts["raw"] == 0  # every library's errors are told as gapbot's own
    assert counts["failed"] > 0
    assert counts["failed"] + counts["published"] + counts["ended"] == counts["trials"] > 5


@pytest.mark.slow
def test_of_two_writers_exactly_one_runs(tmp_path: Path, encoder_folder: Path) -> None:
    assert writing.set_against_each_other(tmp_path, encoder_folder, times=3) <= 2


def test_a_generation_that_is_read_stays_until_it_is_given_up(
    tmp_path: Path, encoder_folder: Path, encoder: Encoder
) -> None:
    index, corpus = tmp_path / "index", tmp_path / "corpus"

    def publish(version: int) -> None:
        writing.write_corpus(corpus, version)
        sync(index, corpus, encoder_folder.parent, BUNDLED)

    publish(0)
    reader = Index(index, encoder)
    for version in (1, 2, 3):
        publish(version)
    assert sorted(p.name for p in index.glob("g*")) == ["g000001", "g000003", "g000004"]
    assert writing.code_word(0) in reader.retrieve(writing.QUESTION)[0].text
    del reader
    publish(4)
    assert sorted(p.name for p in index.glob("g*")) == ["g000004", "g000005"]


def test_what_an_interrupted_run_has_left_goes_with_the_next_one(tmp_path: Path, encoder_folder: Path) -> None:
    index, corpus = tmp_path / "index", tmp_path / "corpus"
    writing.write_corpus(corpus, 0)
    sync(index, corpus, encoder_folder.parent, BUNDLED)
    (index / "building-g000002" / "chroma").mkdir(parents=True)
    (index / "g000003").mkdir()
    sync(index, corpus, encoder_folder.parent, BUNDLED)
    assert [p.name for p in sorted(index.glob("*g0*"))] == ["g000001"]
    assert generations.live_name(index) == "g000001"


def test_a_full_disk_is_named_and_the_former_version_answers(tmp_path: Path, encoder_folder: Path) -> None:
    assert confined.run("full", tmp_path, encoder_folder, times=2).get("full", 0) >= 1


def test_where_nothing_can_be_written_questions_are_answered_and_indexing_is_refused_at_once(
    tmp_path: Path, encoder_folder: Path
) -> None:
    told = confined.run("read-only", tmp_path, encoder_folder)
    assert "cannot be written" in told["said"]
    assert told["seconds"] <= 2


@pytest.mark.slow
def test_a_server_answers_through_swaps_each_time_from_one_generation(tmp_path: Path, encoder_folder: Path) -> None:
    seen = swapping.swapped(tmp_path, encoder_folder, times=2)
    assert seen["generations"] == 3
    assert seen["answers"] > 20
    assert seen["seen_after_s"] <= 5
