"""What the benches over question sets share: their options, temporary indexes and questions asked."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from bot.answer import Answer, Question
from bot.chain import Chain
from bot.config import Settings, settings
from bot.render import build_index
from index.encoder import Encoder, ensure_exported
from index.retriever import Evidence, Index

Row = dict[str, Any]
T = TypeVar("T")

WIDTH = 60
"""Passages that each leg of retrieval brings: up to so many, scores are those of a small k."""


def parser(about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every bench over a set."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, help="folder of the sets, for example ../shared/bench")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="so many of the set only, 0 for all")
    return made


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


def read_squad(path: Path, limit: int = 0) -> list[Row]:
    """Read paragraphs in SQuAD's format as {"id", "title", "text", "questions"}, with `limit` so many of them.

    A question has {"id", "question", "answerable", "answers": its texts, "spans": their places}.
    """
    rows: list[Row] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            questions = [
                {
                    "id": q["id"], "question": q["question"], "answerable": not q.get("is_impossible", False),
                    "answers": [a["text"] for a in q["answers"]],
                    "spans": [(a["answer_start"], a["answer_start"] + len(a["text"])) for a in q["answers"]],
                }
                for q in paragraph["qas"]
            ]  # fmt: skip
            title = article["title"].replace("_", " ")
            row = {"id": f"{article['title']}-{number}", "title": title, "text": paragraph["context"]}
            rows.append({**row, "questions": questions})
    return rows[: limit or None]


def progress(items: Sequence[T], label: str) -> Iterable[T]:
    """Pass items on and show on standard error how far they are."""
    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{label}…", file=sys.stderr, flush=True)
    return track(items, label, console=console, transient=True, disable=not console.is_terminal)


def write_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Write documents {"id", "title", "text"} as a corpus folder of one JSONL file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({key: row[key] for key in ("id", "title", "text")}) + "\n" for row in rows)
    (folder / "documents.jsonl").write_text("".join(lines), encoding="utf-8")


@contextmanager
def temporary_home(corpus: Path | None = None) -> Iterator[Settings]:
    """Build an index over a corpus (default: the shipped one) in a temporary home, with the user's exported encoder."""
    with tempfile.TemporaryDirectory() as temporary:
        home, own = Path(temporary) / "home", settings()
        home.mkdir()
        ensure_exported(own.encoders, own.encoder)
        (home / "encoders").symlink_to(own.encoders, target_is_directory=True)
        made = Settings(home, corpus or own.corpus, own.encoder, logs_gaps=False)
        refused = build_index(made).refused
        if refused:
            print(
                f"{len(refused)} documents refused, the first: {refused[0].path}: {refused[0].reason}", file=sys.stderr
            )
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

    def retrieve(self, query: str, k: int = 8) -> list[Evidence]:
        """Return the k best passages, of the named document alone."""
        if self.document is None:
            return super().retrieve(query, k)
        wanted = len(self.catalogue.rows_of(self.document))
        found: list[Evidence] = []
        for many in (WIDTH, self.generation.passages):
            found = [e for e in super().retrieve(query, many) if e.document.id == self.document]
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
        self.chain, self._bold = Chain(index), Chain(index, threshold=0.0)

    def __call__(self, text: str, history: Sequence[str] = ()) -> Asked:
        question = Question(text, tuple(history))
        answer = self.chain.ask(question)
        return Asked(answer, answer if answer.status == "answered" else self._bold.ask(question))


def reading(answer: Answer) -> str:
    """Return the text that was looked up for an answer's question."""
    return answer.read_as or " ".join(answer.question.split())


def documents(found: Iterable[Evidence]) -> list[str]:
    """Return the documents of retrieved passages, best first: a document counts as its best passage does."""
    return list(dict.fromkeys(e.document.id for e in found))
