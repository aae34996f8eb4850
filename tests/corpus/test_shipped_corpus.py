"""The shipped corpus holds to its own rules."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpus import SHIPPED_CORPUS
from corpus.documents import Document, Statement
from corpus.loaders import load_corpus
from corpus.plain_yaml import parsed_yaml
from corpus.sentences import sentence_spans

ARTICLE = "the-ai-investment-gap"
ORIGINAL = SHIPPED_CORPUS.parent.parent / "shared" / "article.txt"
TOPICS = {
    "adoption", "compute-infrastructure", "enterprises", "forecasts", "global-landscape", "glossary", "investment",
    "people-and-events", "policy-and-law", "rankings", "regional-peers", "talent", "vietnam-position",
}  # fmt: skip
NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
MONTHS = "january february march april may june july august september october november december".split()
SHARED_RUN = 8
# A name is as long as it is.
NAMES = ["the Worldwide Independent Network of Market Research (WIN)"]
# What these say in words: that China holds more patents than any other country is its first place.
IN_WORDS = {"art-china-most-patents"}


def facts(documents: dict[str, Document]) -> list[Document]:
    return [d for d in documents.values() if d.kind == "fact"]


def statements(documents: dict[str, Document]) -> dict[str, tuple[Document, Statement]]:
    return {s.id: (d, s) for d in documents.values() for s in d.statements}


def test_the_article_and_the_facts_are_all_there(shipped: dict[str, Document]) -> None:
    kinds = Counter(d.kind for d in shipped.values())
    assert kinds.keys() == {"article", "fact"}
    assert kinds["article"] == 1
    assert kinds["fact"] > 350
    assert shipped[ARTICLE].title == "The AI Investment Gap: Vietnam’s Challenge and Opportunity"


def test_loading_it_again_gives_the_same(shipped: dict[str, Document]) -> None:
    documents, _ = load_corpus(SHIPPED_CORPUS)
    assert documents == list(shipped.values())
    assert [d.id for d in documents] == sorted(shipped)


def test_every_document_names_its_publisher_title_and_address(shipped: dict[str, Document]) -> None:
    for d in shipped.values():
        assert d.publisher, d.id
        assert d.title, d.id
        assert re.fullmatch(r"https?://[^\s/]+\.[^\s/]+(/\S*)?", d.url or ""), d.id
        assert d.date is None or re.fullmatch(r"\d{4}(-\d\d){0,2}", d.date), (d.id, d.date)


def test_topics_are_known_and_none_is_empty(shipped: dict[str, Document]) -> None:
    assert {d.topic for d in facts(shipped)} == TOPICS


def test_ids_are_plain_and_unique(shipped: dict[str, Document]) -> None:
    entries = [e for p in sorted((SHIPPED_CORPUS / "facts").glob("*.yaml")) for e in read(p)]
    assert [i for i, n in Counter(e["id"] for e in entries).items() if n > 1] == []
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", str(e["id"])) for e in entries)
    assert {e["id"] for e in entries} == statements(shipped).keys()


def test_claims_are_one_to_three_sentences_and_said_once(shipped: dict[str, Document]) -> None:
    for d in facts(shipped):
        assert 1 <= len(sentence_spans(d.text)) <= 3, d.id
        assert d.text == " ".join(d.text.split()), d.id
        assert d.text[-1] in ".!?", d.id
    claims = Counter(re.sub(r"\W+", " ", d.text).casefold() for d in facts(shipped))
    assert [c for c, n in claims.items() if n > 1] == []


def test_a_value_stands_in_its_claim(shipped: dict[str, Document]) -> None:
    known = statements(shipped)
    missing = {i for i, (d, s) in known.items() if s.value and not has(d.text[s.start : s.end], s.value)}
    assert missing == IN_WORDS


def test_disagreements_go_both_ways(shipped: dict[str, Document]) -> None:
    known = statements(shipped)
    for i, (_, s) in known.items():
        assert len(set(s.disagrees_with)) == len(s.disagrees_with)
        assert i not in s.disagrees_with
        for other in s.disagrees_with:
            assert other in known, (i, other)
            assert i in known[other][1].disagrees_with, (i, other)


def test_what_the_article_says_is_recorded_on_its_own_sentences(shipped: dict[str, Document]) -> None:
    article = shipped[ARTICLE]
    for entry in read(SHIPPED_CORPUS / "facts" / "the-article.yaml"):
        assert entry["document"] == ARTICLE
        assert entry["claim"] in article.text
        assert entry["id"] not in shipped
    assert len(article.statements) > 50


def test_the_article_is_told_in_our_own_words(shipped: dict[str, Document]) -> None:
    if not ORIGINAL.is_file():
        pytest.skip(f"the original article is not at {ORIGINAL}")
    original = runs(ORIGINAL.read_text(encoding="utf-8"))
    assert [" ".join(run) for run in runs(shipped[ARTICLE].text) & original] == []


def read(path: Path) -> list[dict[str, Any]]:
    entries = parsed_yaml(path.read_text(encoding="utf-8"))
    assert isinstance(entries, list)
    return entries


def runs(text: str) -> set[tuple[str, ...]]:
    """Return every run of eight words, without case and punctuation; a name counts as one word."""
    for number, name in enumerate(NAMES):
        text = re.sub(re.escape(name), f"name{number}", text, flags=re.IGNORECASE)
    words = re.findall(r"[^\W_]+", text.casefold())
    return {tuple(words[k : k + SHARED_RUN]) for k in range(len(words) - SHARED_RUN + 1)}


def plain(text: str) -> str:
    """Write figures in one way: no thousands separators, trailing zeros and ordinal endings, words as digits.

    >>> plain("1,500 firms were 3rd; seven of 10.50")
    '1500 firms were 3 7 of 10.5'
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.casefold())
    text = re.sub(r"(\d)(?:st|nd|rd|th)\b", r"\1", text)
    for words in (NUMBERS, ORDINALS):
        for digit, word in enumerate(words, 1):
            text = re.sub(rf"\b{word}\b", str(digit), text)
    text = re.sub(r"(\d{4}) to (\d{4})", r"\1 \2", text)
    text = re.sub(r"(\d+\.\d*?)0+(?!\d)", r"\1", text)
    return re.sub(r"(?<=\d)\.(?!\d)|[^\w.]+", " ", text).strip()


def has(claim: str, value: str) -> bool:
    """Tell whether a value stands in a claim, however it is written; a date stands there in full."""
    date = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", value)
    if date:
        year, month, day = date.groups()
        value = f"{int(day) if day else ''} {MONTHS[int(month) - 1]} {year}"
    wanted = plain(value.removeprefix("top "))
    return re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w|\.\d)", plain(claim)) is not None
