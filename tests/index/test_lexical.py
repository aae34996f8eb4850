import random
from pathlib import Path

import pytest

from corpus.errors import IndexError_
from index import lexical
from index.lexical import LexicalIndex, Vocabulary, build_lexical, build_vocabulary
from index.terms import terms

TEXTS = [
    "Viettel operates 15 data centers.",
    "Training took 30.84 million GPU hours.",
    "Vietnam ranks 6th of 40 countries.",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_lexical(tmp_path / "bm25", zip("abc", TEXTS, strict=True))
    build_vocabulary(tmp_path / "vocabulary.json", TEXTS)
    return tmp_path


@pytest.mark.parametrize(
    ("query", "best"), [("data centre Viettel", "a"), ("30.84", "b"), ("30,840,000 hours", "b"), ("sixth", "c")]
)
def test_exact_figures_and_names_find_their_text(folder: Path, query: str, best: str) -> None:
    assert LexicalIndex(folder / "bm25").query(terms(query), 3)[0][0] == best


def test_a_query_without_known_terms_finds_nothing(folder: Path) -> None:
    assert LexicalIndex(folder / "bm25").query(terms("zebra"), 3) == []


def test_a_damaged_index_says_what_to_do(folder: Path) -> None:
    (folder / "bm25" / "terms.json").write_text("[")
    with pytest.raises(IndexError_, match="gapbot index --rebuild"):
        LexicalIndex(folder / "bm25")


def test_misspelt_words_are_mended_and_real_words_left_alone(folder: Path) -> None:
    vocabulary = Vocabulary(folder / "vocabulary.json")
    ordinary = {"ghana", "raining"}.__contains__
    assert vocabulary.corrected("huors", ordinary) == "hours"
    assert vocabulary.corrected("vietel", ordinary) == "viettel"
    assert vocabulary.corrected("datacenters", ordinary) == "data centers"
    assert vocabulary.corrected("raining", ordinary) is None
    assert vocabulary.corrected("ghana", ordinary) is None
    assert vocabulary.corrected("hours", ordinary) is None


def test_rare_terms_weigh_more(folder: Path) -> None:
    vocabulary = Vocabulary(folder / "vocabulary.json")
    assert vocabulary.idf("unheard") > vocabulary.idf("viettel") > 0


def test_scores_are_those_of_the_library(folder: Path) -> None:
    import bm25s

    reference = bm25s.BM25(k1=1.2, b=0.6)
    reference.index([terms(t) for t in TEXTS], show_progress=False)
    query = terms("Viettel GPU hours in 40 countries")
    expected = reference.get_scores([t for t in query if t in reference.vocab_dict])
    own = dict(LexicalIndex(folder / "bm25").query(query, 3))
    assert [own.get(i, 0.0) for i in "abc"] == pytest.approx(list(expected), rel=1e-5)


@pytest.mark.parametrize("block", [7, 1_000_000])
def test_the_best_of_many_are_those_that_scoring_all_of_them_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    import bm25s

    monkeypatch.setattr(lexical, "_BLOCK", block)
    chance = random.Random(1)
    words = [f"w{n}x" for n in range(300)]
    texts = [
        " ".join(words[int(300 * chance.random() ** 3)] for _ in range(chance.randrange(3, 30))) for _ in range(400)
    ]
    count = build_lexical(tmp_path, ((f"{n}.1", text) for n, text in enumerate(texts)))
    assert count == len(texts)
    index = LexicalIndex(tmp_path)
    reference = bm25s.BM25(k1=1.2, b=0.6)
    reference.index([terms(t) for t in texts], show_progress=False)
    for _ in range(60):
        query = [words[int(300 * chance.random() ** 2)] for _ in range(chance.randrange(1, 7))]
        query = [t for t in query if t in reference.vocab_dict] or [next(iter(reference.vocab_dict))]
        expected = reference.get_scores(query)
        found = index.query(query, 10)
        wanted = sorted((s for s in expected if s > 0), reverse=True)[:10]
        assert [s for _, s in found] == pytest.approx(wanted, rel=1e-4)
        assert all(expected[int(i.partition(".")[0])] == pytest.approx(s, rel=1e-4) for i, s in found)
