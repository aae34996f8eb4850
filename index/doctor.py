"""Is the index sound? Checked in a process apart, since a damaged one can crash or hang whoever opens it.

Run as a module, `python -m index.doctor FOLDER ENCODERS MODEL`, it is that process: it prints what it finds as JSON.
"""

import json
import math
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import GapbotError
from index import generations, seal

if TYPE_CHECKING:
    from index.catalogue import Catalogue, Row
    from index.encoder import Encoder, Vectors
    from index.store import Store

_SECONDS = 300
_SAMPLE = 2000
_ENCODED = 64
"""Passages that are encoded again: whoever changes vectors on a server also changes what finds itself there."""
_SAME = 0.999
_MOST_GROWTH = 3.0
# Bytes that a unit takes: its vector twice (graph and log), its text and place, and the words; measured on 10,000 passages.
_UNIT = 12_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is sound, and in plain words what is so."""

    check: str
    sound: bool
    says: str


def examine(folder: Path, encoders: Path, model: str) -> list[Finding]:
    """Examine the index in `folder` in a process of its own, and return what was found, damage included."""
    command = [sys.executable, "-m", "index.doctor", str(folder), str(encoders), model]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [Finding("opening", False, f"opening it takes more than {_SECONDS} seconds: it is damaged")]
    found: list[Finding] = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        try:
            found.append(Finding(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    if done.returncode:
        found.append(Finding("opening", False, "opening it ends the process that does so: it is damaged"))
    return found


def _findings(folder: Path, encoders: Path, model: str) -> Iterator[Finding]:
    from index.catalogue import Catalogue, sentence_id
    from index.chroma import elsewhere
    from index.encoder import Encoder, encoder_folder, fingerprint, read_facts
    from index.store import Store

    path, generation = generations.pointed(folder)
    yield Finding("pointer", True, f"{generation.name} is published")
    damage = seal.broken(path, thorough=True)
    yield Finding("files", damage is None, damage or "every file is as it was published")
    databases = ["catalogue.sqlite"] if elsewhere(path / "chroma") else ["catalogue.sqlite", seal.DATABASE]
    for name in databases:
        said = _integrity(path / name)
        yield Finding(name, said == "ok", "the database is sound" if said == "ok" else f"SQLite says: {said}")
    prints = fingerprint(read_facts(encoder_folder(encoders, model)))
    same = prints == generation.encoder
    yield Finding(
        "encoder", same, "made with this encoder" if same else "made with another encoder: run `gapbot index`"
    )
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    most = _MOST_GROWTH * (5_000_000 + _UNIT * (generation.passages + generation.sentences))
    yield Finding("size", size <= most, f"{size / 1e6:.1f} MB, at most {most / 1e6:.1f} MB expected")
    catalogue, store = Catalogue(path / "catalogue.sqlite"), Store(path / "chroma", generation.encoder)
    with closing(catalogue), closing(store):
        told = (generation.documents, generation.passages, generation.sentences)
        wanted = set(random.Random(1).sample(range(told[1]), min(_SAMPLE, told[1])))
        picked, passages, inside = [], 0, 0
        for row in catalogue.all_rows():
            picked += [row] if passages in wanted else []
            passages, inside = passages + 1, inside + len(row.passage.sentences)
        held = (catalogue.count(), passages, inside)
        stored = (store.count("passages"), store.count("sentences"))
        whole = told == held and told[1:] == stored
        yield Finding("counts", whole, f"{told} documents, passages, sentences told; {held} listed; {stored} stored")
        sentences = [sentence_id(r.number, k) for r in picked for k in range(len(r.passage.sentences))][:_SAMPLE]
        for level, ids in (("passages", [str(r.number) for r in picked]), ("sentences", sentences)):
            vectors = store.vectors(level, ids)
            lost = [i for i in ids if i not in vectors or not _finds_itself(store, level, i, vectors[i])]
            yield Finding(level, not lost, f"{len(ids) - len(lost)} of {len(ids)} find themselves among the vectors")
        if same:
            again = random.Random(2).sample(picked, min(_ENCODED, len(picked)))
            yield _encoded_again(Encoder(encoder_folder(encoders, model)), catalogue, store, again)


def _encoded_again(encoder: "Encoder", catalogue: "Catalogue", store: "Store", rows: "list[Row]") -> Finding:
    """Encode passages, and their sentences, from their text and compare that with the vectors that are stored of them."""
    from index.catalogue import sentence_id
    from index.ingest import passage_text

    documents = [catalogue.document(row.passage.document) for row in rows]
    texts = [passage_text(d, row.passage) for d, row in zip(documents, rows, strict=True) if d]
    if len(texts) < len(rows):
        return Finding("vectors", False, "a passage has no document: run `gapbot index --rebuild`")
    wanted: dict[str, dict[str, Vectors]] = {"passages": {}, "sentences": {}}
    for row, encoded in zip(rows, encoder.encode_passages(texts), strict=True):
        wanted["passages"][str(row.number)] = encoded.passage
        wanted["sentences"] |= {sentence_id(row.number, k): v for k, v in enumerate(encoded.sentences)}
    missing, sizes, cosines = 0, set(), []
    for level, made in wanted.items():
        stored = store.vectors(level, list(made))
        missing += len(made) - len(stored)
        sizes |= {len(vector) for vector in stored.values()} - {encoder.dimension}
        cosines += [_cosine(vector, made[i]) for i, vector in stored.items() if len(vector) == encoder.dimension]
    # A vector of which a part is no number has a cosine that is none either, and that is neither below nor above.
    differ = sum(not cosine >= _SAME for cosine in cosines)
    wrong = [f"{missing} are missing"] if missing else []
    wrong += [f"some have {min(sizes)} dimensions instead of {encoder.dimension}"] if sizes else []
    wrong += [f"{differ} are not those of their text (cosine down to {_least(cosines)})"] if differ else []
    count = sum(map(len, wanted.values()))
    said = "; ".join(wrong) + ": run `gapbot index --rebuild`" if wrong else "all are those of their text"
    return Finding("vectors", not wrong, f"of {count} that were encoded again {said}")


def _least(cosines: list[float]) -> str:
    """Return the least cosine that is a number, for display."""
    return f"{min(numbers):.2f}" if (numbers := [c for c in cosines if not math.isnan(c)]) else "none"


def _cosine(one: "Vectors", other: "Vectors") -> float:
    lengths = float((one @ one) * (other @ other)) ** 0.5
    return float(one @ other) / lengths if lengths else 0.0


def _finds_itself(store: "Store", level: str, number: str, vector: "Vectors") -> bool:
    found = store.query(level, vector, 1)
    # Two of one text are as near as the one itself.
    return bool(found) and (found[0][0] == number or found[0][1] >= _SAME)


def _integrity(database: Path) -> str:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as opened:
            return str(opened.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)


def main(folder: str, encoders: str, model: str) -> None:
    """Print each finding as a line of JSON."""
    try:
        for finding in _findings(Path(folder), Path(encoders), model):
            print(json.dumps(asdict(finding)), flush=True)
    except GapbotError as error:
        print(json.dumps(asdict(Finding("opening", False, str(error)))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
