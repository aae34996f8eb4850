"""Questions that several things answer, on a corpus made for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ambiguity import _is_plain
from bot.answer import Question
from bot.chain import Chain
from bot.reader import Reader
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index

TEXTS = {
    "lindvik": "Lindvik has 42 public libraries. The mayor of Lindvik is Oda Brandt.",
    "tessin": "Tessin has 17 public libraries. The mayor of Tessin is Pavel Horn.",
    "karlova": "Karlova has 9 public libraries. The mayor of Karlova is Ines Duarte.",
    "count": "The Lindvik count of 2031 gives Lindvik 44 public libraries.",
    "bread": "Rye bread keeps for a week in a wooden box. It is cut thin and eaten with butter.",
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, encoder: Encoder) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("towns")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / f"{name}.txt").write_text(text, encoding="utf-8")
    sync(folder / "index", folder / "corpus", encoder_folder.parent, BUNDLED)
    index = Index(folder / "index", encoder)
    yield Chain(index, reader=Reader())
    index.close()


@pytest.mark.parametrize("question", ["How many public libraries are there?", "Who is the mayor?"])
def test_a_question_that_names_nothing_is_asked_back_with_its_readings(chain: Chain, question: str) -> None:
    answer = chain.ask(Question(question))
    assert answer.status == "ambiguous"
    assert len(answer.choices) >= 2
    assert not answer.citations
    assert any("Tessin" in c for c in answer.choices)


def test_every_reading_that_is_offered_is_answered(chain: Chain) -> None:
    choices = chain.ask(Question("How many public libraries are there?")).choices
    assert len(choices) >= 2
    for choice in choices:
        assert chain.ask(Question(choice)).status == "answered"


@pytest.mark.parametrize(
    "question", ["How many public libraries does Tessin have?", "tessin public libraries how many"]
)
def test_a_question_that_names_its_subject_is_answered(chain: Chain, question: str) -> None:
    answer = chain.ask(Question(question))
    assert answer.status == "answered"
    assert "17" in answer.text


def test_documents_that_give_other_figures_for_one_thing_are_shown_side_by_side(chain: Chain) -> None:
    answer = chain.ask(Question("How many public libraries does Lindvik have?"))
    assert answer.status == "answered"
    (conflict,) = answer.conflicts
    assert {"42", "44"} <= {s.value.split()[0] for s in conflict.sides}
    assert all(f"[{s.marker}]" in answer.text for s in conflict.sides)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Saturday", True),
        ("Fees", True),
        ("May", True),
        ("Lindvik", False),
        ("Lindvik Hospital", False),
        ("Berlin", False),
    ],
)
def test_a_day_or_a_common_word_is_no_name(text: str, plain: bool) -> None:
    assert _is_plain(text) is plain
