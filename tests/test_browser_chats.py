"""The page in a real browser: chats that are kept, links, files, languages, and what keeps nobody out."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bot.web import Chat
from tests.fake_chain import HOSTILE, VIETTEL, FakeChain
from tests.test_browser import CHROMIUM, PHONE, ask, chain, chromium, fake_url, visit

__all__ = ["chain", "chromium", "fake_url", "visit"]
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install chromium"),
]


def serious(page: Any, scheme: str = "light") -> list[str]:
    """Return what axe-core finds serious or critical on the page as it stands; in the dark only colours differ."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})
    found = axe.Axe().run(page, options=options).response["violations"]
    return [
        f"{v['id']}: {[n['html'][:120] for n in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def test_a_chat_outlasts_a_reload_with_its_sources(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    ask(page, "differ")
    page.reload()
    page.locator("#turn-2.done .differ").wait_for()
    page.locator("#turn-1 a.cite").click()
    page.locator('#sources .panel[data-turn="1"] .card.active').wait_for()
    assert page.locator("#sources mark").inner_text() == VIETTEL.quote
    ask(page, "third")
    assert chain.asked[-1].history == ("How many?", "differ")


def test_a_question_that_is_typed_outlasts_a_reload_until_it_is_asked(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    box = page.locator("#question textarea")
    box.fill("and what of")
    page.reload()
    page.locator("#turn-1.done").wait_for()
    page.wait_for_function("document.querySelector('#question textarea').value === 'and what of'")
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    page.locator("#turn-2.done").wait_for()
    page.reload()
    page.locator("#turn-2.done").wait_for()
    assert box.input_value() == ""
    box.fill("not this")
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    page.reload()
    page.locator(".welcome").wait_for()
    page.wait_for_timeout(300)
    assert box.input_value() == ""


def test_chats_are_listed_searched_renamed_and_deleted(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    ask(page, "differ")
    page.locator("[data-chats]").click()
    titles = page.locator("#chats-list .chat-title")
    assert titles.count() == 2
    page.locator("#chats-search").fill("how many")
    assert titles.count() == 1
    page.locator("#chats-list .tool", has_text="Rename").click()
    page.keyboard.type("Data centers")
    page.keyboard.press("Enter")
    page.locator("#chats-search").fill("")
    titles.filter(has_text="Data centers").click()
    page.locator("#turn-1 .asked", has_text="How many?").wait_for()
    page.locator("[data-chats]").click()
    page.locator("#chats-list .tool", has_text="Delete").first.click()
    assert titles.count() == 2
    page.locator("#chats-list .tool", has_text="Really delete?").click()
    assert titles.count() == 1
    page.keyboard.press("Escape")
    assert not page.locator("#chats").is_visible()


def test_an_opened_chat_has_its_own_sources(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    ask(page, "absent")
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    ask(page, "differ")
    ask(page, "near")
    page.locator("#turn-1 a.cite").first.click()
    page.locator('#sources .panel[data-turn="1"] .card.active').wait_for()
    page.locator("[data-chats]").click()
    page.locator("#chats-list .chat-title", has_text="How many?").click()
    page.locator("#turn-2.done .asked", has_text="absent").wait_for()
    page.locator("#turn-1 a.cite").first.click()
    page.locator(".panel-head p", has_text="How many?").wait_for()
    assert page.locator("#sources .card").count() == 1
    assert page.locator("#sources mark").inner_text() == VIETTEL.quote


def test_a_chat_cannot_be_opened_into_an_answer_under_way(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    chain.go_on.clear()
    ask(page, "slow", wait=False)
    page.locator("[data-chats]").click()
    other = page.locator("#chats-list .chat-title", has_text="How many?")
    assert other.is_disabled()
    chain.go_on.set()
    page.locator("#turn-1.done .asked", has_text="slow").wait_for()
    other.click()  # it can be opened as soon as the answer is whole
    page.locator("#turn-1.done .asked", has_text="How many?").wait_for()
    page.locator("[data-chats]").click()
    assert page.locator("#chats-list .chat-title").all_inner_texts()[0].startswith("How many?")
    assert page.locator("#chats-list .chat-title", has_text="slow").count() == 1


def test_a_long_chat_comes_back_and_goes_on(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "differ")
    page.evaluate(
        """() => {
          const [chat] = JSON.parse(localStorage.getItem("gapbot.chats"));
          chat.turns = Array.from({ length: 80 }, () => chat.turns[0]);
          localStorage.setItem("gapbot.chats", JSON.stringify([chat]));
        }"""
    )
    page.reload()
    page.locator("#turn-80.done").wait_for()
    ask(page, "How many?")
    page.locator("[data-chats]").click()
    assert page.locator("#chats-list .chat-title").count() == 1
    assert page.evaluate("JSON.parse(localStorage.getItem('gapbot.chats'))[0].turns.length") == 81


@pytest.mark.parametrize(
    "before",
    [
        "delete Crypto.prototype.randomUUID",
        "for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get() { throw new DOMException('blocked') } })",
    ],
    ids=["plain http", "storage blocked"],
)
def test_the_page_works_where_the_browser_gives_less(visit: Any, fake_url: str, before: str) -> None:
    page = visit(fake_url, before=before)
    page.locator(".welcome .choice").first.wait_for()
    ask(page, "How many?")
    page.locator("[data-chats]").click()
    assert page.locator("#chats-list .chat-title").count() == 1


def test_a_link_to_a_question_asks_it_in_a_chat_of_its_own(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "one")
    page.goto(f"{fake_url}/?q=How%20many%3F")
    page.locator("#turn-1.done .short").wait_for()
    assert page.locator("#turn-1 .asked").inner_text() == "How many?"
    assert chain.asked[-1].history == ()
    assert "q=" not in page.url


def test_a_reading_can_be_undone(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "one")
    turn = ask(page, "differ")
    assert "differ about Vietnam" in turn.locator(".read-as").inner_text()
    count = len(chain.asked)
    turn.locator("[data-as-typed]").click()
    page.wait_for_function("document.querySelectorAll('.turn.done').length === 2")
    while len(chain.asked) == count:
        page.wait_for_timeout(50)
    assert chain.asked[-1].as_typed
    assert chain.asked[-1].text == "differ"


def test_an_earlier_question_can_be_edited(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "one")
    ask(page, "two")
    page.locator("#turn-1 [data-edit]").click()
    page.locator(".editing").fill("other")
    page.keyboard.press("Enter")
    page.locator("#turn-1.done .asked", has_text="other").wait_for()
    assert page.locator(".turn").count() == 1
    assert chain.asked[-1].history == ()
    # What came after it is not lost: the former chat is still there.
    page.locator("[data-chats]").click()
    page.locator("#chats-list .chat-title", has_text="one").click()
    page.locator("#turn-2.done .asked", has_text="two").wait_for()


def test_a_question_too_long_can_be_mended_where_it_is_edited(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "one")
    page.locator("[data-edit]").click()
    page.locator("[data-edit]").evaluate("e => e.click()")
    assert page.locator(".editing").count() == 1
    page.locator(".editing").fill("x" * 8001)
    page.locator(".editing-tools .tool", has_text="Ask").click()
    page.locator("#message .problem").wait_for()
    page.locator(".editing").fill("How many?")
    page.locator(".editing-tools .tool", has_text="Ask").click()
    page.locator("#turn-1.done .short").wait_for()


def test_what_to_ask_next_is_offered_and_asks_itself(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("#turn-1 .next .choice", has_text="What comes next?").click()
    page.locator("#turn-2.done .asked", has_text="What comes next?").wait_for()
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    ask(page, "How many?")
    page.locator("#turn-1 .next .choice").wait_for()
    assert page.locator("#turn-1 .next .choice").all_inner_texts() == ["What comes next?"]


def test_a_chat_is_saved_as_markdown_and_json(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("[data-chats]").click()
    texts = {}
    for kind in ("md", "json"):
        with page.expect_download() as got:
            page.locator(f'[data-export="{kind}"]').click()
        texts[kind] = Path(got.value.path()).read_text("utf-8")
    assert f"> {VIETTEL.quote}" in texts["md"]
    assert "<https://tbh.today/?p=863>" in texts["md"]
    assert json.loads(texts["json"])[0]["answer"]["citations"][0]["quote"] == VIETTEL.quote


def test_a_source_opens_whole_with_the_cited_sentence_marked(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?").locator("a.cite").click()
    page.locator(".card.active [data-whole]").click()
    page.locator("#whole[open] mark").wait_for()
    assert page.locator("#whole mark").inner_text() == VIETTEL.quote
    assert "After it all." in page.locator("#whole-text").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#whole").is_visible()


def test_marker_and_passage_light_up_together(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    turn = ask(page, "differ")
    turn.locator("a.cite").first.hover()
    page.locator("#cite-1-1.near-by").wait_for()
    turn.locator("a.cite").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('href')") != "#cite-1-1" or (
        page.evaluate("document.activeElement === document.querySelectorAll('#transcript a.cite')[1]")
    )


def test_a_changed_source_is_said_in_an_old_chat(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.evaluate("""() => {
        const chats = JSON.parse(localStorage["gapbot.chats"]);
        chats[0].turns[0].answer.citations[0].quote = "Viettel operates 99 data centers.";
        localStorage["gapbot.chats"] = JSON.stringify(chats);
    }""")
    page.reload()
    page.locator("#turn-1").wait_for()
    page.locator("#sources .card .note", has_text="has changed").wait_for()
    assert page.locator("#sources .card").count() == 1


def test_a_kept_chat_that_was_tampered_with_runs_nothing(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.evaluate(
        """(hostile) => {
        const chats = JSON.parse(localStorage["gapbot.chats"]);
        const a = chats[0].turns[0].answer;
        chats[0].turns[0].question = chats[0].title = a.text = a.short = a.read_as = a.citations[0].title = a.citations[0].quote = hostile;
        a.citations[0].url = "javascript:window.pwned=9";
        localStorage["gapbot.chats"] = JSON.stringify(chats);
    }""",
        HOSTILE,
    )
    page.reload()
    page.locator("#turn-1").wait_for()
    page.locator("[data-chats]").click()
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned === undefined")
    page.evaluate(
        "localStorage['gapbot.chats'] = '[{\"id\": \"x\", \"turns\": 5}]'; sessionStorage['gapbot.here'] = 'x'"
    )
    page.reload()
    page.locator("#message .problem", has_text="cannot be shown again").wait_for()


def test_the_interface_speaks_vietnamese_where_the_browser_does(visit: Any, fake_url: str) -> None:
    page = visit(fake_url, locale="vi-VN")
    page.locator(".welcome h2", has_text="Bạn muốn biết điều gì?").wait_for()
    assert page.evaluate("document.documentElement.lang") == "vi"
    assert "tiếng Anh" in page.locator(".english").inner_text()
    turn = ask(page, "How many?")
    assert VIETTEL.quote in turn.inner_text()
    turn.locator(".tools", has_text="Sao chép").wait_for()
    page.locator("[data-language]").click()
    turn.locator(".tools", has_text="Copy").wait_for()
    page.reload()
    page.locator("#new", has_text="New chat").wait_for()


def test_what_is_drawn_after_a_change_of_language_speaks_it_too(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("[data-language]").click()
    ask(page, "differ").locator(".differ", has_text="Các nguồn khác nhau").wait_for()
    ask(page, "near").locator(".verdict", has_text="Các nguồn không trả lời điều này").wait_for()
    page.locator("#sources h3", has_text="Nguồn").wait_for()
    page.locator("[data-language]").click()
    page.locator("#turn-2 .differ", has_text="Sources differ").wait_for()
    assert page.locator("#sources h3").first.inner_text() == "Sources"


class Lingering(threading.Event):
    """Set late: the answer has been shown whole, and its handler has not ended."""

    def set(self) -> None:
        time.sleep(0.7)
        super().set()


def lingering(chat: Chat, memo: Any) -> Chat:
    slow = Chat()
    slow.idle = Lingering()
    return slow


def test_a_question_in_the_moment_an_answer_ends_is_asked_once(
    visit: Any, fake_url: str, chain: FakeChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chat, "__deepcopy__", lingering)
    page = visit(fake_url)
    for question in ("How many?", "differ", "which"):
        ask(page, question)
        assert page.locator("#question textarea").input_value() == ""
    page.locator("#turn-3 .choice").first.click()
    page.locator("#turn-4.done").wait_for()
    ask(page, "crash").locator("[data-retry]").click()
    page.wait_for_timeout(2500)
    asked = ["How many?", "differ", "which", FakeChain.begin[0], "crash", "crash"]
    assert [q.text for q in chain.asked[-6:]] == asked
    assert page.locator(".turn").count() == 5


def test_a_new_chat_begins_in_the_moment_an_answer_ends(
    visit: Any, fake_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chat, "__deepcopy__", lingering)
    page = visit(fake_url)
    ask(page, "How many?")
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    assert page.locator(".turn").count() == 0


def test_a_question_pressed_while_a_chat_is_brought_back_is_asked_behind_it(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    held: list[Any] = []
    page.route("**/gradio_api/queue/join*", lambda r: r.continue_() if held else held.append(r))
    page.reload()
    page.locator(".welcome .choice").first.click()
    page.wait_for_timeout(300)
    held[0].continue_()
    page.locator("#turn-2.done").wait_for()
    assert page.locator(".asked").all_inner_texts() == ["How many?", FakeChain.begin[0]]


def test_the_same_refusal_is_shown_again(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    for _ in range(2):
        page.locator("#question textarea").fill("x" * 8001)
        page.keyboard.press("Enter")
        page.locator("#message .problem", has_text="8,001").wait_for()
        nth = page.locator("#message .problem").get_attribute("data-nth")
        page.locator("#question textarea").fill("x" * 8001)
        page.keyboard.press("Enter")
        page.locator(f"#message .problem:not([data-nth='{nth}'])", has_text="8,001").wait_for()
    assert page.locator(".turn").count() == 0


def test_a_question_that_does_not_arrive_comes_back(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    page.route("**/gradio_api/queue/join*", lambda route: None)  # the server takes it and says nothing
    page.locator("#question textarea").fill("differ")
    page.keyboard.press("Enter")
    page.locator("#question textarea").evaluate(
        "e => { e.value = ''; e.dispatchEvent(new Event('input', { bubbles: true })) }"
    )
    page.locator("#message .problem", has_text="did not reach the server").wait_for()
    assert page.locator("#question textarea").input_value() == "differ"


def test_a_question_that_arrives_late_leaves_no_message_behind(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "How many?")
    held: list[Any] = []
    page.route("**/gradio_api/queue/join*", lambda r: r.continue_() if held else held.append(r))
    page.locator("#question textarea").fill("differ")
    page.keyboard.press("Enter")
    page.locator("#message .problem", has_text="did not reach the server").wait_for()
    held[0].continue_()
    page.locator("#turn-2.done").wait_for()
    page.wait_for_function("!document.querySelector('#message .problem')")
    assert page.locator("#question textarea").input_value() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(visit: Any, fake_url: str, scheme: str) -> None:
    page = visit(fake_url, color_scheme=scheme)
    found = {"welcome": serious(page, scheme)}
    # The answers stay on the page: one look sees them all.
    for question in ("How many?", "differ", "near", "absent", "which", "crash"):
        ask(page, question)
    found["answers"] = serious(page, scheme)
    page.locator("#turn-2 a.cite").first.click()
    page.locator(".card.active").wait_for()
    page.locator("#turn-1 [data-edit]").click()
    found["sources and editing"] = serious(page, scheme)
    page.locator("[data-chats]").click()
    found["chats"] = serious(page, scheme)
    assert {state: problems for state, problems in found.items() if problems} == {}


def test_nothing_is_wider_than_a_phone(visit: Any, fake_url: str) -> None:
    page = visit(fake_url, **PHONE)
    for question in ("differ", "near", "hostile"):
        ask(page, question)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[data-chats]").click()
    box = page.locator("#chats").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
