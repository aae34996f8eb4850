"""The chain on corpora of other people: odd names, odd texts, and changes while it runs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer import Question
from bot.chain import Chain
from bot.config import Settings
from bot.evaluation import citations_hold
from bot.loading import load_chain
from index.build import sync

Make = Callable[..., Chain]


@pytest.fixture
def make(tmp_path: Path, encoders: Path, encoder_folder: Path) -> Make:
    def build(files: dict[str, str], name: str = "corpus") -> Chain:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for path, text in files.items():
            (folder / path).write_text(text, encoding="utf-8")
        settings = Settings(tmp_path / "home", folder)
        settings.home.mkdir(exist_ok=True)
        if not settings.encoders.exists():
            settings.encoders.symlink_to(encoders, target_is_directory=True)
        sync(settings.index, settings.corpus, settings.encoders, settings.encoder)
        return load_chain(settings)

    return build


def test_a_corpus_whose_title_asks_nothing_still_greets(make: Make) -> None:
    chain = make({"about.txt": "We are a small club that meets on Mondays."})
    assert chain.ask(Question("hello")).status == "chat"
    assert chain.ask(Question("what about it?")).status == "ambiguous"


def test_marks_in_a_source_do_not_pass_for_citations(make: Make) -> None:
    chain = make({"tower.txt": "The Eiffel tower[3] is 330 metres tall [12] and stands in Paris [1]."})
    answer = chain.ask(Question("How tall is the Eiffel tower?"))
    assert answer.status == "answered"
    assert re.findall(r"\[(\d+)\]", answer.text) == ["1"]
    assert "tower[3]" in answer.citations[0].quote
    assert citations_hold(chain, answer)


@pytest.mark.parametrize("name", ["C#", "what?", "100%25", "tài liệu", "x" * 200, "a b"])
def test_any_folder_name_will_do(make: Make, name: str) -> None:
    chain = make({"tower.txt": "The Eiffel tower is 330 metres tall."}, name)
    assert chain.ask(Question("How tall is the Eiffel tower?")).short == "330 metres"


def test_a_newer_generation_is_used_as_soon_as_it_is_published(make: Make) -> None:
    chain = make({"a.txt": "The Eiffel tower is 330 metres tall."})
    for height in (331, 332, 333):
        make({"a.txt": f"The Eiffel tower is {height} metres tall."})
    answer = chain.ask(Question("How tall is the Eiffel tower?"))
    assert answer.short == "333 metres"
    assert answer.generation == "g000004"


def test_a_fact_of_two_sentences_does_not_disagree_with_itself(shipped_chain: Chain) -> None:
    answer = shipped_chain.ask(Question("What share of working-age people in Vietnam used generative AI in late 2025?"))
    assert answer.status == "answered"
    assert len({c.document for c in answer.citations}) == len(answer.citations)


@pytest.mark.parametrize(
    "text", ["which " + "more " * 1500, "what " + "a" * 7990, "why " * 2000, "is " + "x or " * 1500]
)
def test_a_question_made_to_be_slow_is_answered_in_time(shipped_chain: Chain, text: str) -> None:
    assert shipped_chain.ask(Question(text[:8000])).milliseconds < 5_000


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("What was the turnover of the Brask mill in 2019?", "EUR 2 million"),
        ("What was the turnover of the Brask mill in 2021?", "EUR 5 million"),
        ("How many points does the harbour index give Denmark?", "68.7"),
    ],
)
def test_of_several_figures_the_one_of_the_year_or_name_asked_for_is_short(
    make: Make, question: str, short: str
) -> None:
    chain = make(
        {
            "mill.txt": "The turnover of the Brask mill rose from EUR 2 million in 2019 to EUR 5 million in 2021.",
            "index.txt": "The harbour index gives Norway 59.9 points, behind Sweden (82.0), Denmark (68.7) and Iceland (63.0).",
        }
    )
    answer = chain.ask(Question(question))
    assert answer.status == "answered"
    assert answer.short
    assert short in answer.short
    assert not any(other in answer.short for other in ("2 million", "5 million", "82.0", "63.0") if other not in short)


@pytest.mark.parametrize(
    ("asked", "otherwise"),
    [
        ("cut its forecast of rice exports", True),
        ("raise its forecast of rice exports", False),
        ("cut its staff", False),
        ("cut its forecast of rice exports in 2029", False),
    ],
)
def test_a_refused_question_is_told_where_the_sources_say_otherwise(make: Make, asked: str, otherwise: bool) -> None:
    said = "In May 2031 the Sunda bank raised its forecast of rice exports."
    index = make({"rice.txt": said, "fish.txt": "The harbour of Moro lands 40 tonnes of fish a day."}).index
    answer = Chain(index, threshold=1.0).ask(Question(f"Why did the Sunda bank {asked}?"))
    assert answer.status == "near_miss"
    assert ("say otherwise" in answer.text) is otherwise
    assert answer.closest[0].quote == said
