"""The page in a real browser: over gapbot as its command starts it, and over a scripted chain for the rest."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import uvicorn

from bot.chain import Chain
from bot.server import create_app
from tests.fake_chain import HOSTILE, VIETTEL, FakeChain

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install chromium"),
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
QUESTION = "How many data centers does Viettel operate?"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return int(s.getsockname()[1])


def wait_for(url: str, alive: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and alive():
        try:
            urllib.request.urlopen(f"{url}/page/chat.css", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Iterator[str]:
    """gapbot as users start it, in a home that has an encoder; the first start builds the index."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    log = home / "chat.log"
    command = [sys.executable, "-m", "bot.cli", "--home", str(home), "chat", "--port", str(port)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GAPBOT_")}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            try:
                wait_for(url, lambda: process.poll() is None, 420)
            except AssertionError as e:
                raise AssertionError(f"{e}\n{log.read_text('utf-8', 'replace')}") from None
            yield url
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def chain() -> FakeChain:
    return FakeChain()


@pytest.fixture(scope="module")
def fake_url(chain: FakeChain) -> Iterator[str]:
    """The page over a scripted chain."""
    port = free_port()
    config = uvicorn.Config(create_app(cast(Chain, chain)), port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(f"http://127.0.0.1:{port}", thread.is_alive, 20)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Any]:
    """Open pages that record what they request and complain of; at the end, neither may be amiss."""
    contexts, hosts, complaints = [], set[str](), list[str]()

    own = set[str]()

    def open_page(url: str, before: str = "", **options: Any) -> Any:
        """Open a page in a browser of its own; a script may run `before` those of the page."""
        context = chromium.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        own.add(urlsplit(url).netloc)
        # Of the context: what a page opens beside itself counts as well.
        context.on("request", lambda r: hosts.add(urlsplit(r.url).netloc) if r.url.startswith(("http", "ws")) else None)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(url)
        page.locator(".log").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert hosts <= own


def ask(page: Any, question: str, wait: bool = True) -> Any:
    """Ask by keyboard and return the turn, when its answer is whole unless told not to wait."""
    number = page.locator(".turn").count() + 1
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    turn = page.locator(f"#turn-{number}")
    turn.wait_for()
    if wait:
        page.locator(f"#turn-{number}:not(.asking)").wait_for()
    return turn


def in_view(locator: Any) -> bool:
    return bool(
        locator.evaluate("e => { const r = e.getBoundingClientRect(); return r.top >= -1 && r.top < innerHeight; }")
    )


def test_a_question_is_answered_and_its_citation_shows_the_marked_sentence(visit: Any, base_url: str) -> None:
    page = visit(base_url)
    turn = ask(page, QUESTION)
    assert "15" in turn.locator(".short").inner_text()
    prose = turn.locator(".prose").inner_text()
    turn.locator("a.cite").first.click()
    active = page.locator("#sources .card.active")
    active.wait_for()
    quote = active.locator("mark").inner_text()
    assert quote in prose
    assert "15 data centers" in quote
    link = active.locator("a.out")
    assert link.get_attribute("href").startswith("https://")
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert link.get_attribute("target") == "_blank"


def test_starters_are_answered(visit: Any, base_url: str) -> None:
    page = visit(base_url)
    page.locator(".welcome .choice").first.click()
    page.locator("#turn-1.done .answer.answered").wait_for()
    assert page.locator("#turn-1 a.cite").count() >= 1


def test_what_the_corpus_lacks_is_said_plainly(visit: Any, base_url: str) -> None:
    page = visit(base_url)
    turn = ask(page, "What is the best recipe for pumpkin soup?")
    turn.locator(".verdict").wait_for()
    assert turn.locator(".short").count() == 0


def test_on_a_phone_the_sources_follow_below_the_chat(visit: Any, base_url: str) -> None:
    page = visit(base_url, **PHONE)
    turn = ask(page, QUESTION)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#sources").bounding_box()["y"] > turn.bounding_box()["y"]
    turn.locator("a.cite").first.tap()
    mark = page.locator("#sources .card.active mark")
    mark.wait_for()
    assert in_view(page.locator("#sources .card.active"))
    page.locator(".card.active .back").tap()
    assert in_view(turn.locator("a.cite").first)


def test_everything_works_by_keyboard_alone(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    # The question box takes the focus by itself once it is drawn, on a slow machine after the transcript.
    page.wait_for_function("document.activeElement?.matches('#question textarea')")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("How many?")
    assert page.locator("#question textarea").input_value() == "How many?"
    page.keyboard.press("Enter")
    page.locator("#turn-1.done").wait_for()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className").startswith("cite"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.locator(".card.active").wait_for()
    assert page.evaluate("document.activeElement.id") == "cite-1-1"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className").startswith("cite")


def test_hostile_text_is_shown_and_never_run(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    turn = ask(page, "hostile")
    turn.locator("a.cite").click()
    page.locator(".card.active").wait_for()
    assert page.locator(".card.active mark").inner_text() == HOSTILE.split(" & ")[0]
    assert page.locator(".card.active a.out").count() == 0
    assert turn.locator(".short").inner_text() == "<u>${window.pwned=7}</u>"
    ask(page, '<img src=x onerror="window.pwned=8"> ${window.pwned=9}')
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned === undefined")


def test_a_marker_of_an_older_answer_brings_its_sources_back(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    first, _ = ask(page, "How many?"), ask(page, "differ")
    page.locator('#sources .panel[data-turn="2"]').wait_for()
    first.locator("a.cite").click()
    page.locator('#sources .panel[data-turn="1"] .card.active').wait_for()
    assert page.locator("#sources .card").count() == 1
    assert page.locator("#sources mark").inner_text() == VIETTEL.quote


def test_an_answer_grows_and_can_be_stopped_and_tried_again(visit: Any, fake_url: str, chain: FakeChain) -> None:
    chain.go_on.clear()
    page = visit(fake_url)
    turn = ask(page, "slow", wait=False)
    page.locator("#turn-1.asking .prose p", has_text="Viettel").wait_for()
    assert VIETTEL.quote not in turn.inner_text()
    page.locator("#question textarea").fill("another")
    page.keyboard.press("Enter")
    page.locator("#stop").click()
    page.locator("#turn-1.stopped").wait_for()
    assert page.locator(".turn").count() == 1
    assert page.locator("#ask").is_visible()
    chain.go_on.set()
    turn.locator("[data-retry]").click()
    page.locator("#turn-1.done", has_text=VIETTEL.quote).wait_for()


def test_a_new_chat_is_empty_and_remembers_nothing(visit: Any, fake_url: str, chain: FakeChain) -> None:
    page = visit(fake_url)
    ask(page, "one")
    ask(page, "two")
    assert [q.history for q in chain.asked[-2:]] == [(), ("one",)]
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    assert page.locator("#sources .card").count() == 0
    ask(page, "three")
    assert chain.asked[-1].history == ()


def test_a_new_chat_cuts_off_the_answer_under_way(visit: Any, fake_url: str, chain: FakeChain) -> None:
    chain.go_on.clear()
    page = visit(fake_url)
    ask(page, "slow", wait=False)
    page.locator("#turn-1.asking .prose").wait_for()
    page.locator("#new").click()
    page.locator(".welcome").wait_for()
    page.wait_for_timeout(300)
    chain.go_on.set()
    assert page.locator(".turn").count() == 0
    ask(page, "How many?")
    assert page.locator("#turn-1 .question").inner_text().endswith("How many?")
    assert page.locator("#turn-1.done").count() == 1


def test_visitors_do_not_see_each_other(visit: Any, fake_url: str, chain: FakeChain) -> None:
    one, two = visit(fake_url), visit(fake_url)
    ask(one, "mine")
    ask(two, "yours")
    assert chain.asked[-1].history == ()
    assert two.locator(".turn").count() == 1
    assert "mine" not in two.content()


def test_questions_that_are_empty_or_too_long_are_refused_in_words(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    page.locator("#ask").click()
    page.locator("#message .problem", has_text="empty").wait_for()
    page.locator("#question textarea").fill("x" * 8001)
    assert "8,001 of 8,000" in page.locator("#message").inner_text()
    page.keyboard.press("Enter")
    page.locator("#message .problem", has_text="8,001").wait_for()
    assert len(page.locator("#question textarea").input_value()) == 8001
    assert page.locator(".turn").count() == 0


def test_failures_are_one_plain_line(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    turn = ask(page, "crash")
    assert "Something went wrong" in turn.locator(".failure").inner_text()
    assert "secret" not in page.content()


def test_choices_ask_themselves(visit: Any, fake_url: str) -> None:
    page = visit(fake_url)
    ask(page, "which").locator(".choice").first.click()
    page.locator("#turn-2.done").wait_for()
    assert page.locator("#turn-2 .asked").inner_text() == FakeChain.begin[0]


def test_light_and_dark_follow_the_system(visit: Any, fake_url: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page = visit(fake_url, color_scheme="dark")
    dark = page.evaluate(background)
    page.emulate_media(color_scheme="light")
    page.wait_for_function("!document.body.classList.contains('dark')")
    assert page.evaluate(background) != dark
