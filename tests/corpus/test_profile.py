"""What a corpus says of itself."""

from pathlib import Path

import pytest

from corpus import SHIPPED_CORPUS
from corpus.errors import CorpusError
from corpus.loaders import load_corpus
from corpus.profile import PROFILE, Profile, read_profile


def test_a_corpus_without_a_profile_has_an_empty_one(tmp_path: Path) -> None:
    assert read_profile(tmp_path) == Profile(headline=None, starters={})


def test_a_profile_is_read_and_is_no_document(tmp_path: Path) -> None:
    (tmp_path / PROFILE).write_text('headline: Of locks\nstarters:\n  Boats: ["What is a lock?"]\n', "utf-8")
    (tmp_path / "locks.txt").write_text("A lock is a gate for boats.", "utf-8")
    profile = read_profile(tmp_path)
    assert (profile.headline, profile.starters) == ("Of locks", {"Boats": ["What is a lock?"]})
    documents, refused = load_corpus(tmp_path)
    assert [d.id for d in documents] == ["locks"]
    assert refused == []


@pytest.mark.parametrize(
    "text",
    ["headline: [1]", "starters: What?", "starters: {Boats: What?}", "colour: red", "- a list", "a: [", "\x00", ""],
)
def test_a_profile_that_cannot_be_used_is_named_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / PROFILE).write_text(text, "utf-8")
    with pytest.raises(CorpusError) as error:
        read_profile(tmp_path)
    assert PROFILE in str(error.value)
    assert "\n" not in str(error.value)


def test_the_shipped_profile_has_six_topics_of_two_questions() -> None:
    profile = read_profile(SHIPPED_CORPUS)
    assert profile.headline
    assert [len(asked) for asked in profile.starters.values()] == [2] * 6
