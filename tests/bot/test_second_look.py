"""What a second look of the shipped reader sees, on sentences made for it."""

import pytest

from bot.answerability import both
from bot.question import read_question
from bot.reader import Reader
from bot.second_look import LOOK_NAMES, MOST_WORDS, neighbours, second_look, without_each_word
from corpus.sentences import sentence_spans
from index.encoder import PassageText

TEXT = (
    "The Harrow ferry was bought from a yard in Stavanger. It carries 85 cars. "
    "Crossing takes 25 minutes in calm water. Tickets are sold on board."
)
FERRY = PassageText("The Harrow ferry", TEXT, tuple(sentence_spans(TEXT)))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def look(reader: Reader, question: str, place: int) -> dict[str, float]:
    return dict(zip(LOOK_NAMES, second_look(read_question(question), FERRY, place, reader), strict=True))


def test_a_sentence_is_read_again_between_its_neighbours() -> None:
    near, own = neighbours(FERRY, 2)
    assert [near.text[a:b].split()[0] for a, b in near.sentences] == ["It", "Crossing", "Tickets"]
    a, b = near.sentences[own]
    assert near.text[a:b] == "Crossing takes 25 minutes in calm water."
    assert near.context == FERRY.context


@pytest.mark.parametrize(("place", "count", "own"), [(0, 2, 0), (3, 2, 1)])
def test_the_first_and_the_last_sentence_have_one_neighbour(place: int, count: int, own: int) -> None:
    near, where = neighbours(FERRY, place)
    assert (len(near.sentences), where) == (count, own)


def test_each_telling_word_is_left_out_in_turn_and_a_name_as_one() -> None:
    asked = without_each_word(read_question("How many cars did the Harrow Queen carry in 2019?"))
    assert "How many did the Harrow Queen carry in 2019?" in asked
    assert "How many cars did the carry in 2019?" in asked
    assert "How many cars did the Harrow Queen carry in ?" in asked
    assert len(asked) == 4


def test_a_long_question_costs_no_more_readings_than_the_limit() -> None:
    words = "oak elm ash pine larch cedar yew birch hazel maple"
    assert len(without_each_word(read_question(f"Which of {words} grows fastest?"))) == MOST_WORDS


def test_a_question_without_telling_words_changes_nothing(reader: Reader) -> None:
    seen = look(reader, "What is it?", 1)
    assert [seen[n] for n in LOOK_NAMES[3:]] == [0.0] * 5


def test_what_the_passage_does_not_say_holds_an_answer_back_until_it_is_left_out(reader: Reader) -> None:
    said = look(reader, "How many cars does the ferry carry?", 1)
    unsaid = look(reader, "How many diplomats does the ferry carry?", 1)
    assert said["look_answerable"] > unsaid["look_answerable"]
    assert unsaid["rise_answerable"] > max(0.0, said["rise_answerable"])


def test_an_answer_needs_both_its_subject_and_the_fact() -> None:
    assert both(4.0, 4.0, 0.0) > 0.9
    assert both(4.0, -4.0, 0.0) < 0.1
    assert both(-4.0, 4.0, 0.0) < 0.1
    assert both(4.0, 4.0, 1.5) < both(4.0, 4.0, 0.0)
    assert both(0.0, 0.0, 0.0) == pytest.approx(0.25)
