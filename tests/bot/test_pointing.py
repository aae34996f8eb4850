"""Which of several figures of a sentence is taken: invented sentences, and logits that lean to the wrong one."""

import re

import pytest

from bot.pointing import pointed_at
from bot.question import read_question
from bot.reader import ReadSentence
from bot.short import short_answer
from bot.spans import typed_spans


def liking(sentence: str, liked: str, others: float = 0.8) -> ReadSentence:
    """Return what a reader says who likes one span best, and every other word by so many logits less."""
    start = sentence.index(liked)
    end = start + len(liked)
    starts = {m.start(): -others for m in re.finditer(r"\S+", sentence)} | {start: 0.0}
    ends = {m.end(): -others for m in re.finditer(r"[\w%]+", sentence)} | {end: 0.0}
    return ReadSentence(1.0, 1.0, start, end, starts, ends)


def pointed(question: str, sentence: str, liked: str, others: float = 0.8) -> str:
    spans = typed_spans(sentence)
    start, end = pointed_at(read_question(question), sentence, spans, liking(sentence, liked, others), 0)
    return sentence[start:end]


SURVEY = "In the Lumen survey 61% of farmers in Oslia, and 58% of those in Port Vell, kept bees."
SHARES = "Of the mill, Ardo Timber owns 40%, the pension fund 35% and the town of Selm 25%."


@pytest.mark.parametrize(
    ("question", "sentence", "liked", "answer"),
    [
        ("What share of farmers in Oslia kept bees?", SURVEY, "58%", "61%"),
        ("What share of farmers in Port Vell kept bees?", SURVEY, "61%", "58%"),
        ("What percentage of the mill does the pension fund own?", SHARES, "25%", "35%"),
        ("What percentage of the mill does Selm own?", SHARES, "40%", "25%"),
        # Before its name, behind its name, in brackets: each figure goes with the words of its own part.
        ("trust in the ferry", "Of those asked 72% trust the mill, 55% the ferry and 33% the app.", "33%", "55%"),
        ("How many ships did Dorvik build?", "Asken built 12 ships, Dorvik 19 and Hamn 7.", "12 ships", "19"),
        ("How many ships did Hamn build in 2031?", "Hamn built 12 ships in 2030 and 19 in 2031.", "12 ships", "19"),
        (
            "meters at the end of 2022",
            "Homes with a meter: 58% (end of 2022: 49%; target for 2025: 80%).",
            "58%",
            "49%",
        ),
        (
            "how many days did the second repair take",
            "The first took 23 days to repair, the second 9 and the third 31.",
            "31",
            "9",
        ),
        (
            "how many ships were built in dorvik",
            "Ships built in 2031 came to 12 in Asken, 7 in Hamn and 19 in Dorvik.",
            "12",
            "19",
        ),
        (
            "How many wings does the Hall of Selm have?",
            "Some 300 people built the Hall of Selm, which has eight wings and 35 rooms.",
            "300 people",
            "eight wings",
        ),
        (
            "number of pilots that Hamn wants on Zeta boats",
            "Hamn wants 15,000 pilots by 2031, 600 of whom on Zeta boats.",
            "600",
            "600",
        ),
        ("How far is Selm from Oslia?", "Selm lies 300 km (186 miles) from Oslia.", "186 miles", "300 km"),
    ],
)
def test_the_figure_is_that_of_the_name_asked_for(question: str, sentence: str, liked: str, answer: str) -> None:
    assert pointed(question, sentence, liked) == answer


@pytest.mark.parametrize(
    ("question", "sentence", "liked"),
    [
        (
            "How much did Selm pay in total for the mill and the bridge?",
            "Selm paid $3 million for the mill and $4 million for the bridge, $7 million in total.",
            "$7 million",
        ),
        (
            "How many ships did Asken and Dorvik build together?",
            "Asken built 12 ships and Dorvik 19, together 31.",
            "31",
        ),
        ("How many ships came home?", "Of 40 ships Selm lost 7, and 33 came home.", "33"),
    ],
)
def test_a_sum_and_what_a_verb_follows_stay(question: str, sentence: str, liked: str) -> None:
    assert pointed(question, sentence, liked) == liked


def test_what_the_reader_is_sure_of_stays() -> None:
    assert pointed("What share of farmers in Oslia kept bees?", SURVEY, "58%", others=12.0) == "58%"


def test_a_sum_is_taken_where_money_is_asked_for() -> None:
    sentence = "The Selm bridge, 22% dearer than planned, cost EUR 31 million."
    assert pointed("How much did the Selm bridge cost?", sentence, "22%") == "EUR 31 million"


@pytest.mark.parametrize(
    ("question", "sentence", "liked"),
    [
        ("How many hours a week do the guards work?", "The guards work between 3 and 14 hours a week.", "between 3 and 14 hours"),
        ("What does a voucher give?", "A voucher of 20 crowns gives use of the boat for up to 5 hours.", "use of the boat for up to 5 hours"),
        ("Who leads?", "Asken leads with 12 ships before Dorvik with 9.", "Asken"),
    ],
)  # fmt: skip
def test_a_range_and_an_answer_in_words_stay_whole(question: str, sentence: str, liked: str) -> None:
    assert pointed(question, sentence, liked) == liked


def test_a_bare_figure_is_of_the_kind_of_those_beside_it() -> None:
    sentence = "A guard gets 140 crowns in the first year, 190 in the second and 260 in the third."
    assert pointed("How much is a guard paid in the second year?", sentence, "190 in the second and 260") == "190"


def test_what_only_repeats_the_question_is_no_short_answer() -> None:
    sentence = "Selm had over 400 inns but only two palaces in 2031."
    assert (
        short_answer(read_question("Which two inns of Selm are palaces?"), sentence, typed_spans(sentence), "Selm")
        is None
    )


def test_the_seat_of_a_thing_is_no_definition() -> None:
    sentence = "The House of Scribes in Dorvik is the main court of the league."
    short = short_answer(
        read_question("What is the main court of the league?"), sentence, typed_spans(sentence), "House of Scribes"
    )
    assert short == "The House of Scribes"


def test_the_word_that_opens_a_sentence_is_no_part_of_a_name() -> None:
    assert [s.text for s in typed_spans("After Jarda was raided, people moved.") if s.kind == "name"] == ["Jarda"]
