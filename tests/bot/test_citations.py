"""The checker of citations: what counts as support, how running text is cut, and the labelled pairs as a floor."""

import json
import re
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Question
from bot.chain import Chain
from bot.citations import checked, complete_sentences, leans, verified
from bot.support import Passage, supported
from tests.bench.checker import PAIRS, changed_by_rule, flaw

FIRMS = Passage(
    (
        "Northgate Foods bought Arden Mills for GBP 412 million in March 2019.",
        "The mill at Ludlow stayed open, but 130 jobs were lost at Stroud.",
        "Prices of wheat did not rise in that year.",
    ),
    "The takeover of Arden Mills",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Arden Mills was bought by Northgate Foods in March 2019.",
        "Northgate Foods paid £412 million for Arden Mills.",
        "Northgate Foods bought Arden Mills for about 410 million pounds.",
        "At Stroud 130 jobs were lost.",
        "In 2019 the prices of wheat did not rise.",
    ],
)
def test_what_a_source_says_in_other_words_is_supported(sentence: str) -> None:
    assert supported(sentence, [FIRMS])


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Northgate Foods bought Arden Mills for GBP 421 million.", "figure"),
        ("Northgate Foods bought Arden Mills for USD 412 million.", "figure"),
        ("Northgate Foods bought Arden Mills for GBP 412 billion.", "figure"),
        ("Northgate Foods bought Arden Mills for more than GBP 420 million.", "figure"),
        ("Northgate Foods bought Arden Mills in March 2018.", "date"),
        ("Northgate Foods bought Arden Mills in April 2019.", "date"),
        ("Southgate Foods bought Arden Mills for GBP 412 million.", "southgat"),
        ("Arden Mills bought Northgate Foods for GBP 412 million.", "other way round"),
        ("Northgate Foods did not buy Arden Mills.", "denies"),
        ("Prices of wheat rose in that year.", "denies"),
        ("Prices of wheat did not fall in that year.", "opposite"),
        ("Bread is baked in Oslo.", ""),
        ("Yes.", "too little"),
        ("Prices. wheat.", "too little"),
    ],
)
def test_what_a_source_does_not_say_is_not_supported(sentence: str, reason: str) -> None:
    support = supported(sentence, [FIRMS])
    assert not support
    assert reason in support.reason


HOMES = Passage(
    (
        "Two thirds of the homes, 61% of them old, were rebuilt; attendance rose from 61% to 88%.",
        "Farms were left out of the scheme, and a fifth of the food is thrown away.",
        "The toll is not charged at night.",
        "One in five drivers pays on rainy nights in March.",
        "The board proposed no dividend, because it wants to pay back a loan.",
        "Small firms lag behind large ones, but the rule was approved in Japan.",
    ),
    "Homes and farms",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Attendance increased from 61 to 88 percent.",
        "67% of the homes were rebuilt.",
        "Farms are exempt from the scheme.",
        "The scheme did not include farms.",
        "20% of the food is discarded.",
        "At night drivers are free of the toll.",
        "On rainy March nights 20% of drivers pay.",
        "Large firms are ahead of small ones.",
        "Japan approved the rule.",
    ],
)
def test_shares_denials_and_ranges_may_be_said_in_other_forms(sentence: str) -> None:
    assert supported(sentence, [HOMES])


@pytest.mark.parametrize(
    "sentence",
    [
        "Attendance increased from 16 to 88 percent.",
        "76% of the homes were rebuilt.",
        "A quarter of the homes were rebuilt.",
        "Farms were included in the scheme.",
        "25% of the food is discarded.",
        "On rainy May nights 20% of drivers pay.",
        "The board proposed a dividend, because it wants to pay back a loan.",
        "Small firms are ahead of large ones.",
    ],
)
def test_other_shares_and_what_is_denied_are_not_supported_in_any_form(sentence: str) -> None:
    assert not supported(sentence, [HOMES])


def test_a_sentence_made_of_two_names_both_as_its_support() -> None:
    support = supported("Northgate Foods bought Arden Mills in March 2019, and 130 jobs were lost at Stroud.", [FIRMS])
    assert support.places == ((0, 0), (0, 1))


def test_only_the_cited_passage_counts() -> None:
    other = Passage(("The Mekong is 4,350 km long.",))
    assert checked("The Mekong is 4,350 km long [2].", [FIRMS, other]).support.places == ((1, 0),)
    assert not checked("The Mekong is 4,350 km long [1].", [FIRMS, other]).support
    assert not checked("The Mekong is 4,350 km long.", [FIRMS, other]).support
    assert not checked("The Mekong is 4,350 km long [3].", [FIRMS, other]).support


@pytest.mark.parametrize("mark", ["[1]", "[1, 2]", "[1][2]", "[1–2]", "【1】", "[passage 1]", "[1][99]", "[0][1]"])
def test_markers_are_read_in_every_common_form(mark: str) -> None:
    assert checked(f"130 jobs were lost at Stroud {mark}.", [FIRMS, FIRMS]).support


@given(
    st.lists(
        st.sampled_from(
            ["Dr. Le agreed", "It cost USD 1.5 billion", "Is it so", "[1]", " [2]", ".", "?", " ", "\n", "- "]
        ),
        max_size=30,
    )
)
def test_text_that_comes_in_pieces_gives_the_same_sentences_as_the_whole(pieces: list[str]) -> None:
    rest, found = "", []
    for piece in pieces:
        sentences, rest = complete_sentences(rest + piece)
        found += sentences
    found += complete_sentences(rest, ended=True)[0]
    whole = complete_sentences("".join(pieces), ended=True)[0]
    assert re.sub(r"\W", "", "".join(found)) == re.sub(r"\W", "", "".join(whole))


def test_a_sentence_that_leans_on_another_is_told() -> None:
    assert leans("It also runs 15 data centers.")
    assert leans("However, Vietnam trails.")
    assert not leans("Italy leads.")


def test_extractive_answers_pass_the_same_check_unchanged(shipped_chain: Chain) -> None:
    for question in (
        "How many GPU hours did training the Llama 3 model take Meta?",
        "What are the weaknesses of Vietnam in AI?",
        "What are the four pillars of the roadmap?",
        "Compare private AI investment in Singapore and South Korea in 2025",
    ):
        answer = shipped_chain.ask(Question(question))
        assert answer.status == "answered"
        assert verified(answer) == answer


@pytest.mark.slow
def test_the_labelled_pairs_are_judged_as_well_as_they_were_measured() -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in PAIRS.read_text("utf-8").splitlines():
        row = json.loads(line)
        wrong = bool(flaw(row))
        for kind in (row["kind"], f"{row['half']}: {row['kind']}"):
            counts[kind][0] += wrong
            counts[kind][1] += 1
    shares = {kind: flagged / total for kind, (flagged, total) in counts.items()}
    assert shares["supported"] <= 0.05
    assert shares["held out: supported"] <= 0.12
    for kind, least in {
        "wrong number": 0.99,
        "wrong name": 0.99,
        "elsewhere": 0.98,
        "uncited": 1.0,
        "negated": 0.95,
    }.items():
        assert shares[kind] >= least, kind


@pytest.mark.slow
def test_changed_figures_and_names_of_the_shipped_corpus_are_caught_and_its_own_sentences_are_not() -> None:
    counts = changed_by_rule()
    assert counts["as it stands"][0] == 0
    for kind in ("figure changed", "name changed"):
        flagged, total = counts[kind]
        assert total > 500
        assert flagged / total >= 0.99
