"""What the benches over question sets share: their options, temporary indexes and questions asked."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from bot.answer import Answer, Question
from bot.chain import Chain
from bot.config import Settings, settings
from bot.reader import Reader
from bot.render import build_index
from index.encoder import Encoder, ensure_exported
from index.retriever import Evidence, Index

Row = dict[str, Any]
T = TypeVar("T")

WIDTH = 60
"""Passages that each leg of retrieval brings: up to so many, scores are those of a small k."""

_BOT = Path(__file__).parents[2] / "bot"
_STARTED = time.perf_counter()


def parser(about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every bench over a set."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, help="folder of the sets, for example ../shared/bench")
    made.add_argument(
        "--limit", type=int, default=0, metavar="N", help="so many of the set only, drawn by chance, 0 for all"
    )
    return made


def print_figures(name: str, options: argparse.Namespace, figures: Row) -> None:
    """Print the JSON line of a bench; `limit` tells a run over a part of the set from one over all of it."""
    seconds = round(time.perf_counter() - _STARTED)
    print(json.dumps({"set": name, "limit": options.limit, **figures, "seconds": seconds}))


def fitted_on() -> Row:
    """Return which sets the shipped models were fitted on: their figures on those are not of unseen questions."""
    # A run may go on from the weights of an earlier one.
    read = {name for run in read_jsonl(_BOT / "training" / "runs.jsonl") for name in run["questions"]}
    gate = json.loads((_BOT / "answerability.json").read_text(encoding="utf-8"))["data"]
    return {"reader": sorted(read) if settings().reads else [], "gate": gate}


def sample(rows: Sequence[T], limit: int) -> list[T]:
    """Draw `limit` of the rows by chance, the same in every run and in their order; all of them for 0.

    Files are sorted by topic and by kind: the first rows of one, or every n-th, would say little of the whole.
    """
    if not 0 < limit < len(rows):
        return list(rows)
    return [rows[i] for i in sorted(random.Random(1).sample(range(len(rows)), limit))]


def needed(data: Path | None, *names: str) -> list[Path]:
    """Return the paths of the named files; without them, say so and end the run as skipped."""
    paths = [(data or Path("DATA")) / name for name in names]
    for path in paths:
        if not path.exists():
            print(f"skipped: {path} is not there; give the folder that holds it with --data DIR", file=sys.stderr)
            sys.exit(0)
    return paths


def read_jsonl(path: Path) -> list[Row]:
    """Read the rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def progress(items: Sequence[T], label: str) -> Iterable[T]:
    """Pass items on and show on standard error how far they are."""
    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{label}…", file=sys.stderr, flush=True)
    return track(items, label, console=console, transient=True, disable=not console.is_terminal)


def write_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Write documents {"id", "title", "text"} as a corpus folder of one JSONL file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({key: row[key] for key in ("id", "title", "text")}) + "\n" for row in rows]
    (folder / "documents.jsonl").write_text("".join(lines), encoding="utf-8")


@contextmanager
def temporary_home(corpus: Path | None = None) -> Iterator[Settings]:
    """Build an index over a corpus (default: the shipped one) in a temporary home, with the user's exported encoder."""
    with tempfile.TemporaryDirectory() as temporary:
        home, own = Path(temporary) / "home", settings()
        home.mkdir()
        ensure_exported(own.encoders, own.encoder)
        (home / "encoders").symlink_to(own.encoders, target_is_directory=True)
        made = replace(own, home=home, corpus=corpus or own.corpus, logs_gaps=False)
        refused = build_index(made).refused
        if refused:
            # Without them the figures would be those of another set.
            sys.exit(f"{len(refused)} documents refused, the first: {refused[0].path}: {refused[0].reason}")
        yield made


@contextmanager
def indexed(rows: Iterable[Row]) -> Iterator["Within"]:
    """Index documents {"id", "title", "text"} in a temporary home through the product's loader and sync."""
    with tempfile.TemporaryDirectory() as temporary:
        write_rows(Path(temporary), rows)
        with temporary_home(Path(temporary)) as made, opened(made) as index:
            yield index


@contextmanager
def opened(made: Settings) -> Iterator["Within"]:
    """Open the index of a home."""
    index = Within(made.index, Encoder(ensure_exported(made.encoders, made.encoder)))
    try:
        yield index
    finally:
        index.close()


class Within(Index):
    """An index whose retrieval stays within `document`, where one is named, as if a reader had opened only that."""

    document: str | None = None

    def retrieve(self, query: str, k: int = 8, before: str = "", typed: str = "") -> list[Evidence]:
        """Return the k best passages, of the named document alone."""
        if self.document is None:
            return super().retrieve(query, k, before, typed)
        wanted = len(self.catalogue.rows_of(self.document))
        found: list[Evidence] = []
        for many in (WIDTH, self.generation.passages):
            found = [e for e in super().retrieve(query, many, before, typed) if e.document.id == self.document]
            if len(found) == wanted:
                break
        return found[:k]


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, and the one that a chain gives which never refuses: the same where the first is no refusal."""

    answer: Answer
    forced: Answer

    @property
    def answered(self) -> bool:
        return self.answer.status == "answered"

    @property
    def confidence(self) -> float:
        """The probability that the question is answered; 0 where even the forced chain gives no answer."""
        return self.forced.confidence if self.forced.status == "answered" else 0.0


class Asker:
    """Questions asked of the chain as users have it, and of the chain that answers whatever its doubts."""

    def __init__(self, index: Index) -> None:
        reader = Reader() if settings().reads else None
        self.chain = Chain(index, reader=reader)
        self._bold = self.chain.without_doubts()

    def __call__(self, text: str, history: Sequence[str] = ()) -> Asked:
        answer = self.chain.ask(Question(text, tuple(history)))
        # The same reading is forced: a chain without doubts would take other names from the earlier turns.
        forced = answer if answer.status == "answered" else self._bold.ask(Question(reading(answer)))
        return Asked(answer, forced)


def reading(answer: Answer) -> str:
    """Return the text that was looked up for an answer's question."""
    return answer.read_as or " ".join(answer.question.split())


def documents(found: Iterable[Evidence]) -> list[str]:
    """Return the documents of retrieved passages, best first: a document counts as its best passage does."""
    return list(dict.fromkeys(e.document.id for e in found))
