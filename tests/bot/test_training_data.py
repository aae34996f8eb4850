"""What the reader is trained on stays apart from what it is measured on."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.training.data import LEFT_OUT, OWN, Asked, Example, epoch, load
from corpus.documents import Document

QUESTIONS = Path(__file__).parents[1] / "questions"
RUN = 8


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9à-ỹ]+", text.lower())
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def texts(area: Path) -> Iterator[str]:
    for line in area.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row["text"]
        yield from (q["question"] for q in row["questions"])


@pytest.fixture(scope="module")
def trained() -> set[tuple[str, ...]]:
    return {r for path in OWN.glob("*.jsonl") if path.stem not in LEFT_OUT for t in texts(path) for r in runs(t)}


def test_nothing_of_the_shipped_corpus_is_trained_on(
    trained: set[tuple[str, ...]], shipped: dict[str, Document]
) -> None:
    assert trained
    assert [d.id for d in shipped.values() if runs(d.text) & trained] == []


def test_no_question_on_the_shipped_corpus_is_trained_on(trained: set[tuple[str, ...]]) -> None:
    asked = [json.loads(line) for file in QUESTIONS.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    assert len(asked) >= 300
    assert [q["id"] for q in asked if runs(q["question"]) & trained] == []


@pytest.mark.parametrize("area", [a for a in LEFT_OUT if (OWN / f"{a}.jsonl").is_file()])
def test_an_area_that_is_measured_on_is_not_trained_on(area: str, trained: set[tuple[str, ...]]) -> None:
    shared = {r for t in texts(OWN / f"{area}.jsonl") for r in runs(t)} & trained
    # Two forms of address and the like are common property; a copied sentence would share dozens of runs.
    assert len(shared) <= 2


def test_every_example_points_at_its_own_text() -> None:
    examples = load(None)
    assert len(examples) > 5_000
    for e in examples:
        assert all(0 <= a < b <= len(e.text) for a, b in e.evidence)
        assert e.answer is None or e.text[slice(*e.answer)].strip()


def test_what_an_epoch_makes_unanswerable_has_no_evidence() -> None:
    asked = Example("a", "When did Orlan open in 1987?", "Orlan", "Orlan opened in 1987. It is long. It is red.",
                    (16, 20), ((0, 21),))  # fmt: skip
    other = Example("a", "Who built the Tessin quay?", "Quay", "Tessin built it.", (0, 6), ((0, 16),))
    made = [e for seed in range(40) for e in epoch([Asked(asked), Asked(other)], seed)]
    unanswerable = [e for e in made if not e.evidence]
    assert unanswerable
    assert all(e.answer is None for e in unanswerable)
    without = [e for e in unanswerable if "1987" not in e.text and e.title == "Orlan"]
    assert without
    assert all("1987" in e.text for e in made if e.evidence and e.title == "Orlan")
