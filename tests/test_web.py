"""The page without a browser: what is rendered, what the handlers do, and what the server lets through."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from markupsafe import escape

from bot.answer import Citation, Question
from bot.chain import Chain
from bot.markup import Turn, in_context, render_frame, render_message, render_sources, render_transcript
from bot.server import create_app, serve
from bot.web import Chat, Conversation, Shown
from corpus.documents import Document
from corpus.errors import UsageError
from tests.fake_chain import DOCUMENTS, FUNDING, HOSTILE, VIETTEL, FakeChain, cite


def answered(question: str) -> str:
    chain = FakeChain()
    html = render_transcript([Turn(question, "done", chain.ask(Question(question)))])
    # What the browser keeps of a turn is not shown.
    return re.sub(r' data-saved="[^"]*"', "", html)


def conversation(chain: FakeChain | None = None) -> Conversation:
    return Conversation(cast(Chain, chain or FakeChain()))


def steps(talk: Conversation, typed: str, chat: Chat | None = None, data: Any = None) -> list[Shown]:
    return list(talk.ask(typed, chat or Chat(), cast(Any, SimpleNamespace(_data=data))))


def test_a_question_asked_twice_at_one_place_stands_once() -> None:
    talk, chat = conversation(), Chat()
    for question, at in (("one", 1), ("two", 2), ("two", 2), ("three", 9)):
        steps(talk, "", chat, {"question": question, "at": at})
    assert [turn.question for turn in chat.turns] == ["one", "two", "three"]


def test_markers_become_links_into_the_panel_and_short_comes_first() -> None:
    html = answered("How many?")
    assert re.search(r'<a class="cite" href="#cite-1-1"[^>]*>1</a>', html)
    assert html.index(">15 data centers<") < html.index(VIETTEL.quote)


def test_a_marker_without_citation_is_no_link() -> None:
    html = answered("hostile")
    assert "cite-1-7" not in html
    assert "[7]" in html


def test_hostile_text_is_escaped_everywhere() -> None:
    chain = FakeChain()
    answer = chain.ask(Question("hostile"))
    html = render_transcript([Turn("<script>q</script>", "done", answer)])
    html += render_frame("header", "<script>s</script>") + render_message("<script>m</script>")
    html += render_transcript([Turn("x", "done", error="<script>e</script>")])
    html += render_sources(answer, 1, chain.source)
    assert not re.search(r"<(script|img|b|i|u)\b(?!></i>)", html.replace("<i></i>", ""))
    assert "&lt;script&gt;" in html
    assert 'onerror="' not in html


def test_only_web_addresses_are_linked() -> None:
    chain = FakeChain()
    assert "javascript:" not in render_sources(chain.ask(Question("hostile")), 1, chain.source)
    html = render_sources(chain.ask(Question("How many?")), 1, chain.source)
    assert 'href="https://tbh.today/?p=863" target="_blank" rel="noopener noreferrer"' in html


def test_the_panel_marks_exactly_the_quote_inside_its_paragraph() -> None:
    cited = in_context(VIETTEL, DOCUMENTS["art"])
    assert (cited.before, cited.after) == ("Vietnam has potential. ", " It builds more.")
    assert cited.before + VIETTEL.quote + cited.after in DOCUMENTS["art"].text
    html = render_sources(FakeChain().ask(Question("How many?")), 1, FakeChain().source)
    assert f"Vietnam has potential. <mark>{VIETTEL.quote}</mark> It builds more." in html


def test_long_paragraphs_are_cut_between_words() -> None:
    text = "before " * 300 + "The quote." + " after" * 300
    start = text.index("The quote.")
    document = Document("long", text, "Long")
    citation = Citation(1, "long", "Long", None, None, None, "The quote.", start, start + 10)
    cited = in_context(citation, document)
    assert cited.cut_before
    assert cited.cut_after
    assert cited.before.startswith("before ")
    assert cited.after.endswith(" after")
    assert text[start - len(cited.before) : start + 10 + len(cited.after)] == cited.before + "The quote." + cited.after


def test_a_changed_or_missing_document_leaves_the_quote_alone() -> None:
    moved = cite(1, "art", "Before it all.")
    assert in_context(moved, DOCUMENTS["fact"]).before == ""
    assert in_context(moved, None).after == ""


def test_a_source_that_has_changed_elsewhere_is_said_to_have() -> None:
    document = DOCUMENTS["art"]
    assert not in_context(replace(VIETTEL, hash=document.content_hash()), document).changed_elsewhere
    assert not in_context(VIETTEL, document).changed_elsewhere
    longer = replace(document, text=document.text + " More was written.")
    cited = in_context(replace(VIETTEL, hash=document.content_hash()), longer)
    assert (cited.changed, cited.changed_elsewhere) == (False, True)
    assert cited.before + VIETTEL.quote + cited.after in longer.text


def test_conflicts_show_each_side_with_value_date_and_marker() -> None:
    html = answered("differ")
    block = html[html.index('class="differ"') :]
    assert "<strong>80</strong>" in block
    assert "9 October 2025" in block
    assert 'href="#cite-1-2"' in block
    assert "Sources differ: Funding" not in html
    assert "I read this as:</span> <q>differ about Vietnam</q>" in html


def test_a_near_miss_says_so_and_labels_its_passages() -> None:
    html = answered("near")
    assert "The sources do not answer this" in html
    assert "Closest passages</b> <span data-t>– not an answer</span>" in html
    assert 'href="#cite-1-c1"' in html
    assert 'class="short"' not in html


def test_choices_are_buttons_that_ask() -> None:
    assert f'data-ask="{FakeChain.begin[0]}"' in answered("which")


def test_notes_appear_in_the_panel() -> None:
    html = render_sources(FakeChain().ask(Question("differ")), 3, FakeChain().source)
    assert FUNDING.note
    assert FUNDING.note in html
    assert "VietTimes · 9 October 2025 · Fact" in html
    assert 'id="cite-3-2"' in html


def test_asking_passes_only_the_earlier_questions_of_this_chat() -> None:
    chain = FakeChain()
    talk, mine, theirs = conversation(chain), Chat(), Chat()
    steps(talk, " first ", mine)
    steps(talk, "second", mine)
    steps(talk, "other", theirs)
    assert [(q.text, q.history) for q in chain.asked] == [("first", ()), ("second", ("first",)), ("other", ())]


def test_every_visitor_gets_a_chat_of_their_own() -> None:
    chat = Chat()
    chat.turns.append(Turn("mine"))
    assert deepcopy(chat).turns == []


def test_trying_again_replaces_the_last_turn() -> None:
    chain, chat = FakeChain(), Chat()
    talk = conversation(chain)
    steps(talk, "first", chat)
    steps(talk, "second", chat)
    steps(talk, "half typed", chat, {"retry": True})
    assert [t.question for t in chat.turns] == ["first", "second"]
    assert chain.asked[-1].history == ("first",)


@pytest.mark.parametrize(("typed", "said"), [("  ", "empty"), ("x" * 8001, "8,001 characters")])
def test_questions_that_cannot_be_asked_change_nothing_but_the_message(typed: str, said: str) -> None:
    chain = FakeChain()
    (only,) = steps(conversation(chain), typed)
    assert said in only.message
    assert isinstance(only.chat, dict)
    assert not chain.asked


@pytest.mark.parametrize("pressed", [{"question": 5}, {"question": None}, ["x"], "x", {"retry": True}])
def test_untyped_event_data_is_not_trusted(pressed: Any) -> None:
    (only,) = steps(conversation(), "", None, pressed)
    assert "empty" in only.message


def test_a_crash_shows_one_plain_line_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    last = steps(conversation(), "crash")[-1]
    assert "Something went wrong" in last.transcript
    assert "secret" not in last.transcript
    assert "a secret of the inside" in caplog.text


def test_errors_for_the_user_are_shown() -> None:
    last = steps(conversation(), "busy")[-1]
    assert "The index is being rebuilt: ask again in a moment" in last.transcript


def test_stopping_keeps_what_has_come_and_does_not_wait_for_more() -> None:
    talk, chat = conversation(), Chat()
    run = talk.ask("slow", chat, cast(Any, SimpleNamespace(_data=None)))
    grown = [next(run), next(run)][-1]
    assert "Viettel oper" in grown.transcript
    talk.stop(chat)
    last = list(run)[-1]
    assert chat.turns[0].phase == "stopped"
    assert "Viettel oper" in last.transcript
    assert "Stopped" in last.transcript


def test_a_new_chat_ends_the_answer_under_way() -> None:
    talk, chat = conversation(), Chat()
    run = talk.ask("slow", chat, cast(Any, SimpleNamespace(_data=None)))
    next(run)
    with ThreadPoolExecutor() as pool:
        cleared = pool.submit(talk.clear, chat)
        last = list(run)[-1]
        assert isinstance(cleared.result().transcript, dict)
    assert 'class="welcome"' in last.transcript
    assert chat.turns == []


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(cast(Chain, FakeChain())), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("path", ["/", "/page/chat.css", "/config", "/nothing-here", "/theme.css", "/gradio_api/info"])
def test_every_route_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:7860", 200), ("127.0.0.1", 200), ("[::1]:7860", 200), ("LOCALHOST", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("10.0.0.1", 421), ("[", 421),
    ],
)  # fmt: skip
def test_foreign_hosts_are_refused(client: TestClient, host: str, status: int) -> None:
    response = client.get("/page/chat.css", headers={"host": host})
    assert response.status_code == status
    assert "content-security-policy" in response.headers


def test_other_sites_cannot_post(client: TestClient) -> None:
    for origin in ("http://evil.example", "null"):
        response = client.post("/gradio_api/queue/join", json={}, headers={"origin": origin})
        assert response.status_code == 403


def test_no_files_are_taken(client: TestClient) -> None:
    assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404


def test_the_handlers_are_no_public_api(client: TestClient) -> None:
    assert client.get("/gradio_api/info").json()["named_endpoints"] == {}


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} is in use.*--port"):
            serve(cast(Chain, FakeChain()), "127.0.0.1", port)


def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(UsageError, match="--host"):
        serve(cast(Chain, FakeChain()), "no such host", 0)


def test_hostile_text_reaches_the_panel_whole() -> None:
    html = render_sources(FakeChain().ask(Question("hostile")), 1, FakeChain().source)
    assert f"<mark>{escape(HOSTILE.split(' & ')[0])}</mark>" in html
