"""What a terminal shows of answers and of indexing runs."""

import pytest

from bot.answer import Answer
from bot.render import print_answer, print_summary
from index.build import Summary
from index.generations import Generation
from tests.fake_chain import FUNDING, VIETTEL, cite


def test_a_source_is_named_once_for_all_its_citations(capsys: pytest.CaptureFixture[str]) -> None:
    more = cite(3, "art", "It builds more.")
    print_answer(Answer("q", "answered", "…", citations=(VIETTEL, FUNDING, more)))
    sources = capsys.readouterr().out.partition("Sources\n")[2]
    assert [line for line in sources.splitlines() if line.startswith("[")] == [
        "[1] [3] The gap · tbh.today",
        "[2] Vốn · VietTimes · 2025-10-09",
    ]


@pytest.mark.parametrize("documents", [0, 2])
def test_an_index_of_nothing_says_so(capsys: pytest.CaptureFixture[str], documents: int) -> None:
    generation = Generation("g000001", "", "/some/corpus", documents, 0, 0)
    print_summary(Summary((), (), (), 0, (), 0, generation))
    assert ("/some/corpus holds no document" in capsys.readouterr().out) is (not documents)
