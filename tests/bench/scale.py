"""How gapbot grows with its corpus: `python -m tests.bench.scale --home FOLDER [--sizes 1000 10000 100000] [--figure FILE.png]`.

For each size, in processes of their own: indexing a made corpus of plain text files of 500 words (seconds, peak memory, size
on disk), and then questions: opening, retrieval and whole answers (p50, p95), memory, and recall@10 of each vector leg
beside exact search over all vectors. Texts, files, BM25, Chroma, catalogue and questions are real. The vectors are not, unless
`--real`: encoding 100,000 passages takes most of an hour. They are made by rule from those of 200 documents that are encoded, each a
mixture of two with some noise. Prints one JSON line.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bot.config import settings
from corpus.documents import Document
from corpus.passages import split_document
from index import build
from index.encoder import Encoder, PassageText, PassageVectors, Vectors, ensure_exported
from index.ingest import passage_text
from index.retriever import _PASSAGES, _SENTENCES, Index
from tests.bench.made import question_about, text_of, write_documents

PASSAGES_A_DOCUMENT = 6.43
_POOL, _FIRST_OF_POOL = 200, 50_000_000
_REALLY = 64
"""Passages that are encoded in any case, so that memory is what encoding takes."""


class RuledEncoder(Encoder):
    """The encoder, but for vectors of passages: those are made of a pool of real ones, the same for the same text."""

    pool: tuple[Vectors, Vectors]

    def encode_passages(
        self, passages: Sequence[PassageText], progress: Callable[[int], None] | None = None
    ) -> list[PassageVectors]:
        super().encode_passages(passages[:_REALLY])
        result = []
        for p in passages:
            sentences = [self._ruled(p.text[a:b], 1) for a, b in p.sentences]
            result.append(PassageVectors(self._ruled(p.text, 0), np.stack(sentences)))
        if progress:
            progress(len(passages))
        return result

    def _ruled(self, text: str, level: int) -> Vectors:
        chance = np.random.default_rng(zlib.crc32(text.encode()))
        one, other = chance.choice(self.pool[level], 2)
        share = chance.uniform(0.5, 1)
        noise = chance.normal(scale=0.3 / len(one) ** 0.5, size=len(one))
        mixed = share * one + (1 - share) * other + noise
        return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="where the encoder and the pool of vectors are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000], help="passages")
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--real", action="store_true", help="encode every passage")
    parser.add_argument("--figure", type=Path, help="draw the figures")
    parser.add_argument("--part", choices=("index", "ask"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part = indexed if options.part == "index" else asked
        print(json.dumps(part(options.folder, options)))
        return
    encoder = Encoder(ensure_exported(settings(options.home).encoders, settings(None).encoder))
    if not options.real and not _pool_file(options.home).exists():
        _make_pool(encoder, _pool_file(options.home))
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_documents(folder / "corpus", range(round(size / PASSAGES_A_DOCUMENT)))
            row: dict[str, Any] = {}
            for name in ("index", "ask"):
                print(f"{time.strftime('%H:%M:%S')} {size} passages: {name}…", file=sys.stderr, flush=True)
                command = [
                    sys.executable,
                    "-m",
                    "tests.bench.scale",
                    *sys.argv[1:],
                    "--part",
                    name,
                    "--folder",
                    temporary,
                ]
                row |= json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row)
    grown = {name: round(rows[-1][name] / rows[0][name], 2) for name in rows[0] if "p50" in name}
    print(json.dumps({"vectors": "real" if options.real else "by rule", "sizes": rows, "largest / smallest": grown}))
    if options.figure:
        draw(rows, options.figure)


def indexed(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Index the corpus in `folder` and return what that took."""
    started = time.perf_counter()
    with patch.object(build, "Encoder", Encoder if options.real else _ruled(options.home)):
        encoders = settings(options.home).encoders
        summary = build.sync(folder / "index", folder / "corpus", encoders, settings(None).encoder)
    generation = summary.generation
    return {
        "documents": generation.documents, "passages": generation.passages, "sentences": generation.sentences,
        "index s": round(time.perf_counter() - started, 1), "index peak MB": _peak(),
        "size MB": round(sum(f.stat().st_size for f in (folder / "index").rglob("*") if f.is_file()) / 1e6),
    }  # fmt: skip


def asked(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Ask the index in `folder` and return how long that took and what was found."""
    from bot.answer import Question
    from bot.chain import Chain
    from bot.reader import Reader

    encoder = Encoder(ensure_exported(settings(options.home).encoders, settings(None).encoder))
    row: dict[str, Any] = {}
    started = time.perf_counter()
    index = Index(folder / "index", encoder)
    row["open s"] = round(time.perf_counter() - started, 2)
    numbers = np.random.default_rng(1).integers(0, index.generation.documents, options.questions + 5)
    questions = [question_about(int(n)) for n in numbers]
    started = time.perf_counter()
    index.retrieve(questions[0], 20)
    row["first question s"] = round(time.perf_counter() - started, 2)
    chain = Chain(index, reader=Reader())
    for text in questions[:5]:
        chain.ask(Question(text))
    ways: dict[str, Callable[[str], object]] = {
        "retrieval": lambda text: index.retrieve(text, 20),
        "answer": lambda text: chain.ask(Question(text)),
    }
    for name, ask in ways.items():
        times, processor = (sorted(t) for t in zip(*(_timed(ask, text) for text in questions[5:]), strict=True))
        row[f"{name} p50 ms"] = round(1000 * times[len(times) // 2], 1)
        row[f"{name} p95 ms"] = round(1000 * times[int(0.95 * (len(times) - 1))], 1)
        row[f"{name} p50 processor ms"] = round(1000 * processor[len(times) // 2], 1)
    row["asking peak MB"] = _peak()
    vectors = np.stack([encoder.encode_query(q) for q in questions])
    for level, k in (("passages", _PASSAGES), ("sentences", _SENTENCES)):
        row[f"recall@10 {level}"] = _recall(index, level, vectors, k)
    return row


def _recall(index: Index, level: str, queries: Vectors, k: int) -> float:
    """Return the share of the ten nearest units that a search for k of them brings among its first ten."""
    ids = [i for page in _ids(index, level) for i in page]
    best: list[list[tuple[float, str]]] = [[] for _ in queries]
    for start in range(0, len(ids), 10_000):
        found = index.store.vectors(level, ids[start : start + 10_000])
        names, matrix = list(found), np.stack(list(found.values()))
        for n, scores in enumerate(queries @ matrix.T):
            top = np.argsort(-scores)[:10]
            best[n] = sorted(best[n] + [(float(scores[i]), names[i]) for i in top], reverse=True)[:10]
    # Of two equal vectors either may be found.
    found_near = [
        sum(cosine >= near[-1][0] - 1e-5 for _, cosine in index.store.query(level, query, k)[:10])
        for query, near in zip(queries, best, strict=True)
    ]
    return round(sum(found_near) / sum(len(near) for near in best), 4)


def _ids(index: Index, level: str) -> Any:
    for row in index.catalogue.all_rows():
        sentences = range(len(row.passage.sentences))
        yield [str(row.number)] if level == "passages" else [f"{row.number}.{k}" for k in sentences]


def _ruled(home: Path) -> type[RuledEncoder]:
    with np.load(_pool_file(home)) as pool:
        RuledEncoder.pool = pool["passages"], pool["sentences"]
    return RuledEncoder


def _pool_file(home: Path) -> Path:
    return home / "scale-pool.npz"


def _make_pool(encoder: Encoder, file: Path) -> None:
    """Encode the documents of the pool, which are not in any corpus."""
    texts = []
    for number in range(_FIRST_OF_POOL, _FIRST_OF_POOL + _POOL):
        document = Document(f"report-{number}", text_of(number), f"report-{number}")
        texts += [passage_text(document, p) for p in split_document(document)]
    made = encoder.encode_passages(texts)
    np.savez(file, passages=np.stack([v.passage for v in made]), sentences=np.concatenate([v.sentences for v in made]))


def draw(rows: list[dict[str, Any]], file: Path) -> None:
    """Draw latency, memory and disk over the number of passages."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    at = [row["passages"] for row in rows]
    panels = (
        (
            "A question, milliseconds",
            ["answer p50 ms", "answer p50 processor ms", "retrieval p50 ms", "retrieval p50 processor ms"],
        ),
        ("Peak memory, MB", ["index peak MB", "asking peak MB"]),
        ("Index", ["size MB", "index s"]),
    )
    for axis, (title, names) in zip(axes, panels, strict=True):
        for name in names:
            axis.plot(at, [row[name] for row in rows], marker="o", label=name.replace(" ms", ""))
        axis.set(title=title, xlabel="passages", xscale="log", yscale="linear" if "memory" in title else "log")
        axis.set_ylim(bottom=0 if "memory" in title else None)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=110)


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _timed(ask: Callable[[str], object], text: str) -> tuple[float, float]:
    """Return the seconds that a question takes, and those of the processor, which others on the machine do not change."""
    started, processor = time.perf_counter(), time.process_time()
    ask(text)
    return time.perf_counter() - started, time.process_time() - processor


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
