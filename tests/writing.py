"""Indexing in processes of their own, which trials of durability kill, starve of room and set against each other.

A corpus has versions: from one to the next a document goes, one comes, one is replaced and most stay, so that an index
that is neither of the two shows itself.
"""

import json
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from corpus.errors import GapbotError, IndexBusy
from corpus.loaders import load_corpus
from index import generations, seal, store
from index.build import sync
from index.catalogue import sentence_id
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index

BULK = 24
"""Documents that stay from version to version, apart from every tenth."""
_STANDS_STILL = 120
"""Seconds without a word, or at its end, after which a writer is taken to hang."""
QUESTION = "What is the code word of the tide?"
WORDS = "amber basalt cedar dune ember fjord garnet harbour indigo juniper kelp lagoon".split()
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.writing"])


def code_word(version: int) -> str:
    return f"{WORDS[version % len(WORDS)]}{version}"


def write_corpus(folder: Path, version: int) -> None:
    """Make the corpus of a version."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("only-*.txt"):
        old.unlink()
    (folder / "tide.txt").write_text(f"The code word of the tide is {code_word(version)}.", encoding="utf-8")
    (folder / f"only-{version}.txt").write_text(f"Lighthouse {version} was lit once, in winter.", encoding="utf-8")
    rows = [(n, version if n % 10 == version % 10 else 0) for n in range(BULK)]
    text = "".join(
        json.dumps({"id": f"row-{n}", "title": "", "text": f"Buoy number {n} drifts to pier {n * 7}, state {v}."})
        + "\n"
        for n, v in rows
    )
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")


def expected(folder: Path) -> dict[str, str]:
    """Return what a corpus holds: the text of every document by its id."""
    documents, refused = load_corpus(folder)
    assert refused == []
    return {d.id: d.text for d in documents}


def held(index: Path, encoder: Encoder) -> dict[str, str]:
    """Open an index and return what it holds, once every part of it is found to hold the same."""
    opened = Index(index, encoder)
    try:
        path = index / opened.generation.name
        assert seal.broken(path, thorough=True) is None
        rows = list(opened.catalogue.all_rows())
        documents = {i: opened.catalogue.document(i) for i in opened.catalogue.document_ids()}
        ids = {"passages": [str(r.number) for r in rows]}
        ids["sentences"] = [sentence_id(r.number, k) for r in rows for k in range(len(r.passage.sentences))]
        for level, wanted in ids.items():
            vectors = opened.store.vectors(level, wanted)
            assert opened.store.count(level) == len(vectors) == len(wanted)
            for number in wanted[::4]:
                assert opened.store.query(level, vectors[number], 1)[0][1] > 0.999, number
        texts = {i: d.text for i, d in documents.items() if d}
        for asked in (QUESTION, "Which lighthouse was lit?"):
            assert {e.text for e in opened.retrieve(asked, 20)} <= set(texts.values())
        assert opened.retrieve(QUESTION)[0].document.id == "tide"
        return texts
    finally:
        opened.close()


def saves_often() -> None:
    """Let Chroma save its graphs every few vectors instead of every few hundred: that is where a fault could hurt."""
    store._HNSW |= {"sync_threshold": 20, "batch_size": 10}


def write(index: Path, corpus: Path, encoders: Path, told: Connection, ready: Connection | None) -> None:
    """Index, and tell each stage and last how it went: "published NAME", "busy" or "failed: REASON"."""
    saves_often()
    if ready:
        ready.recv()
    try:
        summary = sync(index, corpus, encoders, BUNDLED, progress=lambda stage, done, total: told.send(stage))
        told.send(f"published {summary.generation.name}")
    except IndexBusy:
        told.send("busy")
    except GapbotError as error:
        told.send(f"failed: {error}")


Write = Callable[[Path, Path, Path, Connection, Connection | None], None]


@contextmanager
def writer(
    index: Path, corpus: Path, encoders: Path, ready: Connection | None = None, write: Write = write
) -> Iterator[tuple[BaseProcess, Connection]]:
    """Start a process that indexes; what comes from the connection are its stages, and last how it went."""
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=write, args=(index, corpus, encoders, send, ready))
    process.start()
    send.close()
    try:
        yield process, receive
        process.join(_STANDS_STILL)
    finally:
        process.kill()
        process.join()
        receive.close()


def hear(told: Connection) -> str:
    """Return the next thing that a writer tells. Raises EOFError at its end, AssertionError where it stands still."""
    assert told.poll(_STANDS_STILL), f"the writer has told nothing for {_STANDS_STILL} seconds"
    said: str = told.recv()
    return said


def heard(told: Connection) -> list[str]:
    """Wait for the end of a writer and return all that it told."""
    said = []
    try:
        while True:
            said.append(hear(told))
    except EOFError:
        return said


def outcome(told: Connection) -> str:
    """Wait for the end of a writer and return the last thing that it told."""
    return (heard(told) or ["nothing"])[-1]


def killed(folder: Path, encoder_folder: Path, times: int, seed: int = 1) -> dict[str, float]:
    """Kill a writer `times` times, half of them while it saves vectors or publishes, and look at the index each time.

    Raises AssertionError unless the index is wholly the former version or wholly the new one, and in the end answers
    like one that was built in one go and is no larger than three times that. Returns how many kills fell while a
    generation was being built, how many after it was published, and how large the index is beside the other one.
    """
    chance, encoder = random.Random(seed), Encoder(encoder_folder)
    index, corpus, encoders = folder / "index", folder / "corpus", encoder_folder.parent
    for version in (0, 1):
        write_corpus(corpus, version)
        with writer(index, corpus, encoders) as (_, told):
            took, publishing = _durations(told)
    now, counts = expected(corpus), {"building": 0.0, "published": 0.0}
    for n in range(2, times + 2):
        write_corpus(corpus, n)
        new = expected(corpus)
        aim = ("anywhere", "Encoding passages", "anywhere", "Publishing")[n % 4]
        with writer(index, corpus, encoders) as (process, told):
            first = hear(told)
            if aim == "anywhere":
                time.sleep(chance.uniform(0, took))
            else:
                # One kill in eight falls right after publishing, however slow the machine is at that moment.
                aim = "published" if n % 8 == 7 else aim
                while not first.startswith(aim):
                    first = hear(told)
                time.sleep(chance.uniform(0, 0.15 if aim == "Encoding passages" else 1.2 * publishing))
            process.kill()
        counts["building"] += any(index.glob("building-*"))
        found = held(index, encoder)
        assert found in (now, new), f"kill {n}: neither the former version nor the new one"
        counts["published"] += found == new
        now = found
    write_corpus(corpus, times + 2)
    with writer(index, corpus, encoders) as (_, told):
        assert outcome(told).startswith("published")
    assert held(index, encoder) == expected(corpus)
    alone = folder / "uninterrupted"
    assert ranked(index, encoder) == rebuilt(alone, corpus, encoder_folder)
    counts["grown"] = round(_live_size(index) / _live_size(alone), 2)
    assert counts["grown"] <= 3
    assert not list(index.glob("building-*"))
    assert len(list(index.glob("g[0-9]*"))) <= 2
    return counts


def _live_size(index: Path) -> int:
    """Return the bytes of the live generation of an index."""
    return sum(p.stat().st_size for p in generations.pointed(index)[0].rglob("*") if p.is_file())


def _durations(told: Connection) -> tuple[float, float]:
    """Return how long an undisturbed writer takes from its first stage on, and to publish, in seconds."""
    at = {hear(told): time.monotonic()}
    first = time.monotonic()
    while "Publishing" not in at:
        at.setdefault(hear(told), time.monotonic())
    assert outcome(told).startswith("published")
    return time.monotonic() - first, time.monotonic() - at["Publishing"]


def ranked(index: Path, encoder: Encoder) -> list[list[tuple[str, float]]]:
    """Return what an index finds for some questions, best first."""
    opened = Index(index, encoder)
    try:
        asked = (QUESTION, "buoy at pier 140", "lighthouse in winter")
        return [[(e.text, round(e.score, 3)) for e in opened.retrieve(q, 10)] for q in asked]
    finally:
        opened.close()


def rebuilt(index: Path, corpus: Path, encoder_folder: Path) -> list[list[tuple[str, float]]]:
    """Return what an index finds that was built in one go."""
    sync(index, corpus, encoder_folder.parent, BUNDLED)
    return ranked(index, Encoder(encoder_folder))


def set_against_each_other(folder: Path, encoder_folder: Path, times: int) -> float:
    """Let two processes index at once, `times` times; returns the longest that one waited to be told so, in seconds.

    Raises AssertionError unless exactly one of them runs.
    """
    index, corpus = folder / "index", folder / "corpus"
    longest = 0.0
    for n in range(times):
        write_corpus(corpus, n)
        gates = [context.Pipe(duplex=False) for _ in range(2)]
        with (
            writer(index, corpus, encoder_folder.parent, gates[0][0]) as (_, one),
            writer(index, corpus, encoder_folder.parent, gates[1][0]) as (_, two),
        ):
            time.sleep(0.3)
            started = time.monotonic()
            for _, gate in gates:
                gate.send("go")
            # Whoever holds the lock tells of its stages, the other one thing alone.
            firsts = [hear(one), hear(two)]
            assert "busy" in firsts, firsts
            longest = max(longest, time.monotonic() - started)
            lasts = [outcome(t) if f != "busy" else f for t, f in zip((one, two), firsts, strict=True)]
            assert sorted(last.partition(" ")[0] for last in lasts) == ["busy", "published"], lasts
    assert held(index, Encoder(encoder_folder)) == expected(corpus)
    return longest


def prepared(folder: Path, encoder_folder: Path) -> tuple[Path, generations.Generation]:
    """Return an index with one generation published and the next one finished but for its publishing."""
    index, corpus = folder / "index", folder / "corpus"
    for version in (0, 1):
        write_corpus(corpus, version)
        sync(index, corpus, encoder_folder.parent, BUNDLED)
    live, generation = generations.live_generation(index)
    os.rename(live, index / f"building-{live.name}")
    assert generations.fall_back(index) is not None
    return index, generation


def failing(folder: Path, index: Path, generation: generations.Generation, encoder: Encoder, at: int) -> bool:
    """Publish a finished generation while the write, fsync or rename number `at`, from 1, fails; tell whether one did.

    Raises AssertionError unless the index is afterwards one of the two versions, and publishing again (tried of every third) makes it the new.
    """
    from unittest.mock import patch

    copy = folder / f"fault-{at}"
    shutil.copytree(index, copy)
    count = 0

    def broken(real: object) -> object:
        def call(*arguments: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == at:
                raise OSError(5, "Input/output error")
            return real(*arguments, **named)  # type: ignore[operator]

        return call

    building = copy / f"building-{generation.name}"
    seams = [(os, "fsync"), (os, "rename"), (os, "replace"), (Path, "write_text")]
    patches = [patch.object(owner, name, broken(getattr(owner, name))) for owner, name in seams]
    for one in patches:
        one.start()
    try:
        generations.publish(building, generation)
        failed = False
    except OSError:
        failed = True
    finally:
        for one in patches:
            one.stop()
    word = held(copy, encoder)["tide"]
    assert word in [f"The code word of the tide is {code_word(v)}." for v in (0, 1)]
    assert failed or code_word(1) in word
    if building.exists() and at % 3 == 1:
        generations.publish(building, generation)
        assert code_word(1) in held(copy, encoder)["tide"]
    shutil.rmtree(copy)
    return failed
