"""Short answers and the choice of sentences, on a corpus made for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answer import Question
from bot.chain import Chain
from bot.question import read_question
from bot.short import short_answer
from bot.spans import typed_spans
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index

TEXTS = {
    "harbour": "Marta Oduya, the harbour master of Lindvik, said in 2021 that the port handled 4.2 million tonnes of grain. "
    "The new quay cost EUR 31 million and is 420 metres long. Nearly 18% of the ships are Norwegian.",
    "library": "The Tessin library opened on 3 May 1998 in Karlova. It lends 52,000 books and 900 films a year. "
    "It ranked 4th of 61 libraries in a survey by the reading society.",
    "tram": "# Tram 7 reaches Ulverton harbour\n\nThe line has been longer since May.\n\nThe four new stops of the tram are these:\n\n"
    "- Cooper Street\n- Rope Walk\n- Fish Hall\n- Old Harbour\n\n## Prices\n\nA single ticket costs 2.40 euros. Prices by ticket:\n\n"
    "- day ticket: 6 euros\n- week ticket: 19 euros",
    "caves": "# Brindle caves\n\nVisitors of the Brindle caves must keep these rules:\n\n- No lamps. They scare the bats.\n- No food.\n\n"
    "## Animals\n\n- Fish that live in the Brindle caves:\n  - blind char\n  - cave loach\n- Insects that live there:\n  - white cricket",
    "school": "The school in Brackwater has three rules: arrive on time, bring a pen, and help your neighbour. "
    "The school closed its pool because the pumps were worn out.",
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, encoder: Encoder) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("made")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / f"{name}.md").write_text(text, encoding="utf-8")
    sync(folder / "index", folder / "corpus", encoder_folder.parent, BUNDLED)
    index = Index(folder / "index", encoder)
    yield Chain(index)
    index.close()


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Who is the harbour master of Lindvik?", "Marta Oduya"),
        ("How many tonnes of grain did the port handle?", "4.2 million tonnes"),
        ("How much did the new quay cost?", "EUR 31 million"),
        ("How long is the new quay?", "420 metres"),
        ("What share of the ships are Norwegian?", "Nearly 18%"),
        ("When did the Tessin library open?", "3 May 1998"),
        ("How many books does the Tessin library lend?", "52,000 books"),
        ("How many films does the Tessin library lend?", "900 films"),
        ("Where did the Tessin library rank in the survey?", "4th of 61 libraries"),
    ],
)
def test_the_short_answer_is_the_span_that_was_asked_for(chain: Chain, question: str, short: str) -> None:
    assert chain.ask(Question(question)).short == short


def test_a_list_is_answered_by_the_sentence_that_holds_it(chain: Chain) -> None:
    answer = chain.ask(Question("What are the three rules of the school in Brackwater?"))
    assert "bring a pen" in answer.text
    assert answer.short is None


def test_a_list_that_a_sentence_introduces_is_given_whole(chain: Chain) -> None:
    answer = chain.ask(Question("What are the new stops of the tram in Ulverton?"))
    quotes = [c.quote for c in answer.citations]
    assert quotes[quotes.index("The four new stops of the tram are these:") + 1 :][:4] == [
        *("Cooper Street", "Rope Walk", "Fish Hall", "Old Harbour"),
    ]
    assert answer.short is None


def test_items_of_several_sentences_and_of_lists_within_lists_are_told_apart(chain: Chain) -> None:
    kept = chain.ask(Question("Which rules must visitors of the Brindle caves keep?"))
    quotes = [c.quote for c in kept.citations]
    assert quotes[:4] == [
        "Visitors of the Brindle caves must keep these rules:",
        "No lamps.",
        "They scare the bats.",
        "No food.",
    ]
    seen = [c.quote for c in chain.ask(Question("Which fish live in the Brindle caves?")).citations]
    assert seen[:3] == ["Fish that live in the Brindle caves:", "blind char", "cave loach"]
    assert "white cricket" not in seen


def test_of_a_list_of_figures_one_is_given(chain: Chain) -> None:
    answer = chain.ask(Question("How much does a week ticket cost?"))
    assert answer.short == "19 euros"
    assert "day ticket" not in answer.text


def test_a_passage_speaks_of_what_its_document_begins_with(chain: Chain) -> None:
    found = chain._find.invoke(Question("How much is a single ticket on the Ulverton tram?"))
    best = found.ranked[0]
    assert best.sentence.text == "A single ticket costs 2.40 euros."
    assert best.signals["context_names"] == 1
    assert best.signals["weakest_name"] == 1


def test_a_sentence_that_points_back_is_quoted_with_the_one_before(chain: Chain) -> None:
    answer = chain.ask(Question("How many films does the Tessin library lend?"))
    assert [c.quote.split()[:2] for c in answer.citations] == [["The", "Tessin"], ["It", "lends"]]
    assert answer.short == "900 films"


def test_no_sentence_is_said_twice(chain: Chain) -> None:
    for question in (
        "Tell me about the library",
        "Why did the school close its pool?",
        "What are the rules of the school?",
    ):
        quotes = [c.quote for c in chain.ask(Question(question)).citations]
        assert len(quotes) == len(set(quotes))


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("How many models has China released?", "35"),
        ("How many models has Singapore released?", "one"),
        ("How many models has Norway released?", None),
    ],
)
def test_of_a_list_of_figures_the_one_beside_the_name_is_taken(question: str, short: str | None) -> None:
    sentence = "In 2031 Peru released 59 models, China 35, South Korea eight, Singapore one and Chad two."
    answer = short_answer(read_question(question), sentence, typed_spans(sentence), "59 models, China 35")
    assert answer == short or (short is None and answer == "59 models, China 35")


@pytest.mark.parametrize(
    ("question", "sentence", "pointed", "short"),
    [
        ("How much did Korea raise?", "Korea raised USD 1.78 billion and Japan USD 1.11 billion.", "USD 1.11 billion", "USD 1.78 billion"),
        ("What did the bridge cost?", "The bridge cost the town dearly.", "the town dearly", None),
        ("What did the bridge cost?", "The bridge took 3 years and USD 5 million.", "3 years", None),
        ("What did the bridge cost?", "The bridge cost USD 5 million in 2024.", "USD 5 million in 2024", "USD 5 million in 2024"),
        ("What share of the levy goes to schools?", "At most 5% of the levy goes to schools.", "5%", "At most 5%"),
        ("What is a tug?", "A tug is a boat which pulls other boats into a harbour, out of it, past its narrow gates and along the quay.", "a boat", None),
    ],
)  # fmt: skip
def test_a_headline_is_of_the_kind_and_the_name_that_is_asked_for(
    question: str, sentence: str, pointed: str, short: str | None
) -> None:
    assert short_answer(read_question(question), sentence, typed_spans(sentence), pointed) == short
