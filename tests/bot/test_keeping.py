"""The keeper's page without a browser: who gets in, what may be sent, and that the index follows. All over a real server."""

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import httpx
import pytest
from filelock import FileLock

from bot.answer import Answer, Question
from bot.chain import Chain
from bot.config import Quota, Settings, settings
from bot.feedback import Feedback, FeedbackLog
from bot.gaps import GapLog
from bot.indexing import is_behind, update_index
from bot.keeping import Following, Keeper, Sessions
from bot.limits import Attempts
from bot.loading import load_chain
from bot.opening import open_chain
from corpus.added import AddedDocuments
from corpus.errors import UsageError
from index import generations
from index.build import sync
from tests.adding import RAIN, RAINED, silent
from tests.chroma_server import chroma_server
from tests.fake_chain import HOSTILE, FakeChain
from tests.serving import served

PASSWORD = "a password that is long"


@dataclass(frozen=True, slots=True)
class Kept:
    """A served corpus with its keeper: `client` has signed in."""

    address: str
    config: Settings
    chain: Chain
    keeper: Keeper
    client: httpx.Client

    def settled(self) -> dict[str, object]:
        """Wait until the index has followed, and return how."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found: dict[str, object] = self.client.get("/keeper/status").json()
            if not found["stage"]:
                return found
            time.sleep(0.1)
        raise AssertionError("the index does not follow")

    def send(self, name: str, data: bytes) -> httpx.Response:
        return self.client.post("/keeper/documents", params={"name": name}, content=data)


@contextmanager
def signed_in(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers={"origin": address}, timeout=60) as client:
        assert client.post("/keeper/session", json={"password": PASSWORD}).status_code == 204
        yield client


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Settings:
    home, corpus = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("corpus")
    (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    (corpus / "tea.md").write_text("# Tea\n\nTea from Thai Nguyen is green. It grows on hills.\n", encoding="utf-8")
    (corpus / "broken.pdf").write_bytes(b"no pdf")
    made = settings(home=str(home), corpus=str(corpus))
    sync(made.index, made.corpus, made.encoders, made.encoder, added=made.added)
    return made


@pytest.fixture(scope="module")
def kept(config: Settings) -> Iterator[Kept]:
    chain = load_chain(config)
    keeper = Keeper(config, chain, PASSWORD)
    with served(chain, keeper=keeper) as address, signed_in(address) as client:
        yield Kept(address, config, chain, keeper, client)


def test_the_page_is_off_until_a_password_is_set() -> None:
    assert settings().keeper_password is None
    with served(FakeChain()) as address, httpx.Client(base_url=address) as client:
        for path in ("/keeper", "/keeper/lists", "/keeper/status"):
            assert client.get(path).status_code == 404
        for path in ("/keeper/session", "/keeper/documents?name=a.txt"):
            assert client.post(path, json={"password": PASSWORD}).status_code in (404, 405)
        assert client.post("/keeper/documents?name=a.txt", content=b"x" * 70_000).status_code == 413


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GAPBOT_KEEPER_PASSWORD", "s3cret"), ("GAPBOT_KEEPER_FILES", "many"), ("GAPBOT_KEEPER_FILES", "0"),
        ("GAPBOT_KEEPER_FILE_MB", "51"), ("GAPBOT_KEEPER_TOTAL_MB", "-1"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name) as raised:
        settings()
    assert "s3cret" not in str(raised.value)
    monkeypatch.setenv(name, PASSWORD if "PASSWORD" in name else "7")
    assert PASSWORD not in repr(settings())


def test_nothing_is_shown_or_done_without_signing_in(kept: Kept) -> None:
    with httpx.Client(base_url=kept.address, headers={"origin": kept.address}) as client:
        shell = client.get("/keeper")
        assert shell.status_code == 200
        assert "tea" not in shell.text
        for cookie in (b"", b"guess", "é".encode()):
            headers = {b"cookie": b"gapbot_keeper=" + cookie}
            for method, path in (
                ("GET", "/keeper/lists"), ("GET", "/keeper/status"), ("GET", "/keeper/documents?skip=0"),
                ("POST", "/keeper/documents?name=a.txt"), ("DELETE", "/keeper/documents/a.txt"), ("DELETE", "/keeper/session"),
            ):  # fmt: skip
                assert client.request(method, path, headers=headers, content=b"Rain.").status_code == 401
    assert kept.keeper.used().files == 0


def test_a_session_is_one_that_scripts_and_other_sites_cannot_use_and_it_ends(kept: Kept) -> None:
    with httpx.Client(base_url=kept.address, headers={"origin": kept.address}) as client:
        reply = client.post("/keeper/session", json={"password": PASSWORD})
        cookie = reply.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/keeper", "max-age=43200"))
        token = client.cookies["gapbot_keeper"]
        assert client.get("/keeper/status").status_code == 200
        assert client.delete("/keeper/session").status_code == 204
        # The token itself is worthless, not only forgotten by the browser.
        assert client.get("/keeper/status", headers={"cookie": f"gapbot_keeper={token}"}).status_code == 401


def test_a_session_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(PASSWORD)
    token = sessions.open(PASSWORD)
    assert token
    assert sessions.hold(token)
    now = time.monotonic()
    monkeypatch.setattr("bot.keeping.time.monotonic", lambda: now + 12 * 3600 + 1)
    assert not sessions.hold(token)
    assert not sessions.hold("")


def test_guessing_is_slowed_and_told_so(config: Settings) -> None:
    chain = FakeChain()
    keeper = Keeper(config, cast(Chain, chain), PASSWORD)
    keeper.attempts = Attempts("3/3 seconds")
    with served(chain, keeper=keeper) as address, httpx.Client(base_url=address, headers={"origin": address}) as client:

        def attempt(password: str) -> httpx.Response:
            return client.post("/keeper/session", json={"password": password})

        assert [attempt(f"guess {n}").status_code for n in range(3)] == [401, 401, 401]
        slowed = attempt(PASSWORD)
        assert slowed.status_code == 429
        assert "try again in 1 minute" in slowed.json()["error"]["message"]
        time.sleep(int(slowed.headers["retry-after"]))
        assert attempt(PASSWORD).status_code == 204


def test_other_sites_are_refused_even_those_on_another_port_of_this_machine(kept: Kept) -> None:
    token = kept.client.cookies["gapbot_keeper"]
    for headers in (
        {"origin": "http://127.0.0.1:9"}, {"origin": "http://localhost"}, {"origin": "null"}, {"origin": "https://a.example"},
        {"origin": kept.address, "sec-fetch-site": "same-site"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "none"}, {},
    ):  # fmt: skip
        with httpx.Client(base_url=kept.address, headers=headers, cookies={"gapbot_keeper": token}) as client:
            assert client.post("/keeper/documents?name=a.txt", content=RAIN).status_code == 403
            assert client.delete("/keeper/documents/a.txt").status_code == 403
            assert client.post("/keeper/session", json={"password": PASSWORD}).status_code == 403
            if headers and headers.get("sec-fetch-site") != "none":
                assert client.get("/keeper/lists").status_code == 403
    assert kept.keeper.used().files == 0


def test_the_page_runs_no_inline_script_and_is_kept_by_no_cache(kept: Kept) -> None:
    for path in ("/keeper", "/keeper/lists", "/keeper/nothing"):
        reply = kept.client.get(path)
        policy = reply.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert reply.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", reply.text)


def test_what_is_added_is_answered_from_and_what_is_removed_no_more(kept: Kept) -> None:
    question = Question("How much rain did the Moc Chau observatory record in August 2031?")
    assert kept.chain.ask(question).status != "answered"
    assert kept.send("rain.txt", RAIN).json() == {"outcome": "added", "name": "rain.txt"}
    assert kept.settled()["problem"] == ""
    answer = kept.chain.ask(question)
    assert "412" in (answer.short or answer.text)
    assert answer.citations[0].document == "rain"
    shown = kept.client.get("/keeper/lists").text
    assert 'data-file="rain.txt"' in shown
    # What the corpus folder holds is not for this page to remove.
    assert 'data-remove="tea' not in shown
    assert kept.client.delete("/keeper/documents/tea.md").status_code == 503
    assert kept.send("rain.txt", RAIN).json()["outcome"] == "known"
    assert kept.send("rain.txt", RAIN.replace(b"412", b"413")).json()["outcome"] == "replaced"
    assert kept.client.delete("/keeper/documents/rain.txt").status_code == 204
    kept.settled()
    assert kept.chain.ask(question).status != "answered"
    assert kept.keeper.used().files == 0


def test_what_was_removed_before_the_process_ended_is_gone_after_it_starts_again(apart: Settings) -> None:
    held = Keeper(apart, load_chain(apart), PASSWORD)
    held.catch_up()
    assert held.indexing.state.stage == ""
    # The file goes, and the process ends before the index follows.
    AddedDocuments(apart.added).remove(["rain"])
    chain = load_chain(apart)
    keeper = Keeper(apart, chain, PASSWORD)
    keeper.catch_up()
    end = time.monotonic() + 60
    while keeper.indexing.state.stage and time.monotonic() < end:
        time.sleep(0.1)
    assert keeper.indexing.state == Following()
    assert generations.live_name(apart.index) == "g000002"
    answer = chain.ask(RAINED)
    assert answer.generation == "g000002"
    assert answer.citations == ()
    assert not is_behind(apart, chain.index)


def test_a_removal_while_the_index_is_built_or_that_was_killed_is_followed_before_a_command_answers(
    apart: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    store = AddedDocuments(apart.added)
    store.upload("fog.txt", b"Fog lay over the valley in the morning.")

    def removing(stage: str, done: int, total: int) -> None:
        if stage == "Building the word index" and len(store.entries()) == 2:
            store.remove(["rain"])

    update_index(apart, removing)
    assert load_chain(apart).ask(RAINED).citations != ()  # read before it was removed
    with FileLock(apart.index / "lock"):
        open_chain(apart)
        assert "another gapbot is writing this index" in capsys.readouterr().err
    assert open_chain(apart).ask(RAINED).citations == ()
    assert "the index follows" in capsys.readouterr().err
    open_chain(apart)
    assert capsys.readouterr().err == ""


def test_an_index_that_another_machine_may_have_published_is_not_taken_for_behind(apart: Settings) -> None:
    (apart.index / "added.version").unlink()
    index = load_chain(apart).index
    assert is_behind(apart, index)
    there = replace(apart, chroma="http://127.0.0.1:9")
    assert not is_behind(there, index)


def test_only_what_came_from_an_added_file_is_shown_as_that(apart: Settings) -> None:
    (apart.corpus / "rows.jsonl").write_text('{"id": "rows", "text": "A row of the corpus."}', encoding="utf-8")
    store = AddedDocuments(apart.added)
    store.upload("rows.jsonl", b'{"id": "more", "text": "A row that was added."}')
    update_index(apart, silent)
    keeper = Keeper(apart, load_chain(apart), PASSWORD)
    # The index does not hold this one yet, and what it calls `tea` is the corpus's own.
    store.upload("tea.txt", b"Tea, added.")
    shown = {(h.file, h.id, h.listed.added if h.listed else None) for h in keeper.documents(10)[0]}
    assert shown == {
        ("tea.txt", "tea.txt", None), ("rows.jsonl", "rows.jsonl", None), ("rain.txt", "rain", "rain.txt"),
        (None, "tea", None), (None, "rows", None), (None, "more", "rows.jsonl"),
    }  # fmt: skip
    update_index(apart, silent)
    assert {h.file: h.id for h in keeper.documents(10)[0]}["tea.txt"] == "added/tea.txt"


def test_a_refused_file_is_told_with_its_reason_and_listed(kept: Kept) -> None:
    for name, data, reason in (
        ("a.pdf", b"<html><p>x</p></html>", "holds a web page"), ("../b.exe", b"MZ", "not supported"), ("c.txt", b"", "empty"),
        ('d"><b>.docx', b"PK\x03\x04", "packed file"),
    ):  # fmt: skip
        refused = kept.send(name, data)
        assert refused.status_code == 422
        assert reason in refused.json()["error"]["message"]
    kept.keeper.indexing.follow()
    kept.settled()
    shown = kept.client.get("/keeper/lists").text
    assert "d&#34;&gt;&lt;b&gt;.docx" in shown
    assert "broken.pdf" in shown  # of the corpus folder
    assert kept.keeper.used().files == 0


def test_quotas_hold_for_one_file_for_all_and_for_their_number(config: Settings) -> None:
    config = replace(config, quota=Quota(file=100_000, files=3, total=150_000))
    chain = FakeChain()
    keeper = Keeper(config, cast(Chain, chain), PASSWORD)
    with served(chain, keeper=keeper) as address, signed_in(address) as client:

        def send(name: str, size: int, pieces: bool = False) -> httpx.Response:
            data = (name.encode() + b" rain fell. " * size)[:size]
            content = io.BytesIO(data) if not pieces else (data[i : i + 1000] for i in range(0, size, 1000))
            return client.post("/keeper/documents", params={"name": name}, content=content)

        try:
            assert send("large.txt", 100_001).status_code == 413
            assert "most for one file" in send("large.txt", 100_001, pieces=True).json()["error"]["message"]
            assert send("a.txt", 90_000).status_code == 200
            assert "all files together" in send("b.txt", 70_000).json()["error"]["message"]
            # What takes the place of another takes its room too.
            assert send("a.txt", 95_000).json()["outcome"] == "replaced"
            assert [send(f"{n}.txt", 100).status_code for n in range(2)] == [200, 200]
            assert "3 files are kept" in send("d.txt", 100).json()["error"]["message"]
            assert send("0.txt", 90).json()["outcome"] == "replaced"
        finally:
            for entry in [e.name for e in keeper._store.entries()]:
                keeper.remove(entry)
            while keeper.indexing.state.stage:
                time.sleep(0.1)


def test_an_index_that_another_process_writes_is_waited_for(kept: Kept) -> None:
    with FileLock(kept.config.index / "lock"):
        kept.send("fog.txt", b"Fog lay over the valley in the morning.")
        end = time.monotonic() + 20
        while "another gapbot" not in kept.keeper.indexing.state.stage and time.monotonic() < end:
            time.sleep(0.05)
        assert "not in the index yet" in kept.client.get("/keeper/lists").text
    assert kept.settled()["problem"] == ""
    assert "not in the index yet" not in kept.client.get("/keeper/lists").text
    kept.keeper.remove("fog.txt")
    kept.settled()


def test_gaps_and_feedback_are_shown_and_hostile_text_is_escaped(kept: Kept) -> None:
    gaps = GapLog(kept.config.gaps)
    for question in ("What is the price of tea?", HOSTILE, "what is the price of tea"):
        gaps(Answer(question, "not_in_corpus", ""))
    feedback = Feedback(HOSTILE, "answered", "down", HOSTILE, comment="too old <b>")
    FeedbackLog(kept.config.feedback).keep(feedback, kept.chain.source)
    shown = kept.client.get("/keeper/lists").text
    assert shown.index(">2</td>") < shown.index(">1</td>")
    assert "too old &lt;b&gt;" in shown
    assert not re.search(r"<(img|b|script)[ >](?!\d|class|Good|Bad)", shown)


def test_many_documents_are_listed_a_page_at_a_time(kept: Kept) -> None:
    for n in range(3):
        kept.keeper.upload(f"n{n}.txt", f"Note {n} of the valley.".encode())
    kept.settled()
    first, more, total = kept.keeper.documents(2)
    second, end, _ = kept.keeper.documents(2, more or 0)
    assert (total, end) == (4, None)
    assert sorted(h.file or h.id for h in first + second) == ["n0.txt", "n1.txt", "n2.txt", "tea"]
    for n in range(3):
        kept.keeper.remove(f"n{n}.txt")
    kept.settled()


def test_an_index_on_a_chroma_server_follows_there(config: Settings, tmp_path: Path) -> None:
    with chroma_server(tmp_path / "chroma" / "data") as chroma:
        there = replace(config, chroma=chroma.url)
        update_index(there, lambda stage, done, total: None)
        keeper = Keeper(there, load_chain(there), PASSWORD)
        assert keeper.upload("stars.txt", b"The Moc Chau observatory counted 7,412 stars in 2032.")[0] == "added"
        end = time.monotonic() + 60
        while keeper.indexing.state.stage:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert keeper.indexing.state.problem == ""
        # A machine that has nothing of its own answers from what was published there.
        home = tmp_path / "other"
        home.mkdir()
        (home / "encoders").symlink_to(config.encoders.resolve(), target_is_directory=True)
        other = load_chain(replace(there, home=home))
        answer = other.ask(Question("How many stars did the Moc Chau observatory count?"))
        assert answer.short is not None
        assert "7,412" in answer.short
        keeper.remove("stars.txt")
