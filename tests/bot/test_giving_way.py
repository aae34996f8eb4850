"""An index that is damaged, or behind its documents, in the command line: what was removed is not cited, and it is told."""

import json

from filelock import FileLock

from bot.config import Settings
from bot.indexing import is_behind, update_index
from bot.loading import load_chain
from bot.opening import open_chain
from corpus.added import AddedDocuments
from index import generations
from tests.adding import RAINED, silent
from tests.bot.test_cli import run


def _damaged(config: Settings) -> None:
    (config.index / (generations.live_name(config.index) or "") / "words/passages/scores.npy").write_bytes(b"")


def test_what_was_removed_is_not_cited_where_the_former_generation_would_answer(apart: Settings) -> None:
    AddedDocuments(apart.added).remove(["rain"])
    update_index(apart, silent)
    assert not is_behind(apart, load_chain(apart).index)
    _damaged(apart)
    done = run("ask", RAINED.text, "--json", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert json.loads(done.stdout)["citations"] == []
    assert done.stderr.count("the index is damaged (words/passages/scores.npy") == 1
    assert "the index follows" in done.stderr
    again = run("ask", RAINED.text, "--json", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert json.loads(again.stdout)["citations"] == []
    assert again.stderr == ""


def test_a_generation_whose_description_is_gone_is_followed_too(apart: Settings) -> None:
    AddedDocuments(apart.added).remove(["rain"])
    update_index(apart, silent)
    (apart.index / (generations.live_name(apart.index) or "") / "generation.json").unlink()
    done = run("ask", RAINED.text, "--json", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert json.loads(done.stdout)["citations"] == []
    assert "the index follows" in done.stderr


def test_a_former_generation_that_was_published_or_cannot_be_mended_is_told(apart: Settings) -> None:
    AddedDocuments(apart.added).remove(["rain"])
    update_index(apart, silent)
    _damaged(apart)
    with FileLock(apart.index / "lock"):
        done = run("search", "rain", "--json", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert done.stderr.count("the index is damaged (words/passages/scores.npy") == 1
    assert done.stderr.count("the index does not hold the latest changes") == 1
    # A run that mends it has gone back to the former one, and is broken off.
    assert generations.fall_back(apart.index) is not None
    assert is_behind(apart, load_chain(apart).index)
    assert open_chain(apart).ask(RAINED).citations == ()


def test_what_is_known_is_removed_by_the_command_and_what_is_not_named(apart: Settings) -> None:
    done = run("remove", "nothing", "rain", "none", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert done.returncode == 1
    assert done.stdout.startswith("removed rain.txt\n")
    assert "no added document is called 'nothing', 'none'" in done.stderr
    assert not is_behind(apart, load_chain(apart).index)
    done = run("remove", "none", home=apart.home, GAPBOT_CORPUS=str(apart.corpus))
    assert (done.returncode, done.stdout) == (1, "")
