"""The facts, the charts and the tab about the corpus in a real browser, over the shipped facts and a hostile one."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.feedback import FeedbackLog
from corpus.documents import Document, Statement
from tests.bot.test_explore import Indexed, catalogue
from tests.fake_chain import HOSTILE, VIETTEL, FakeChain
from tests.serving import served
from tests.test_browser import CHROMIUM, PHONE, ask, chromium, visit
from tests.test_browser_chats import serious

__all__ = ["chromium", "visit"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install chromium"),
]
HOSTILE_FACT = Document(
    'bad" onclick="window.pwned=8', HOSTILE, HOSTILE, f"P {HOSTILE}", "https://x.example/\"onclick='1'", "2026-12-31",
    "fact", "t<b>", (Statement("s", 0, len(HOSTILE), HOSTILE, "<u>1</u>", HOSTILE, "2026", HOSTILE),),
)  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> FeedbackLog:
    return FeedbackLog(tmp_path_factory.mktemp("home") / "feedback.jsonl")


@pytest.fixture(scope="module")
def chain(shipped: dict[str, Document], tmp_path_factory: pytest.TempPathFactory) -> FakeChain:
    """A scripted chat over an index that lists the shipped facts."""
    documents = [*shipped.values(), replace(HOSTILE_FACT)]
    made: Any = FakeChain()
    made.index = Indexed(catalogue(tmp_path_factory.mktemp("index") / "catalogue.sqlite", documents), len(documents))
    found: FakeChain = made
    return found


@pytest.fixture(scope="module")
def url(chain: FakeChain, log: FeedbackLog) -> Iterator[str]:
    with served(chain, feedback=log) as address:
        yield address


@pytest.fixture
def explore(visit: Any, url: str) -> Any:
    """Open the facts, perhaps with a choice in the address."""

    def open_facts(choice: str = "", **options: Any) -> Any:
        page = visit(url, **options)
        if choice:
            page.goto(f"{url}/?tab=explore{choice}")
        else:
            page.locator('.places a[data-tab="explore"]').click()
        page.locator("#explore .fact:visible").first.wait_for()
        return page

    return open_facts


def shown(page: Any) -> int:
    count: int = page.locator("#explore .fact:visible").count()
    return count


def counted(page: Any) -> list[int]:
    """The numbers in the line that counts."""
    return [int(n) for n in page.locator("#explore .counted").inner_text().split() if n.isdigit()]


def choice(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_the_facts_open_beside_the_chat_a_few_at_a_time(visit: Any, url: str) -> None:
    page = visit(url)
    page.locator('.places a[data-tab="explore"]').click()
    page.locator("#explore .fact").first.wait_for()
    [total] = counted(page)
    assert total > 400
    assert shown(page) == 30
    page.locator("#explore .more").focus()
    page.keyboard.press("Enter")
    assert shown(page) == 60
    # Who goes on by keyboard goes on at the first of the new ones.
    assert (
        page.evaluate(
            "[...document.querySelectorAll('#explore .fact')].indexOf(document.activeElement.closest('.fact'))"
        )
        == 30
    )


@pytest.mark.parametrize("tab", ["explore", "about"])
def test_a_link_to_a_part_opens_it_in_a_browser_that_was_never_here(chromium: Any, url: str, tab: str) -> None:
    page = chromium.new_page()
    page.goto(f"{url}/?tab={tab}")
    page.locator(f"#{tab} h2").first.wait_for()
    assert page.locator(f'.places a[data-tab="{tab}"]').get_attribute("aria-current") == "page"
    page.close()


def test_search_is_instant_and_knows_words_without_accents(explore: Any) -> None:
    page = explore()
    find = page.locator('#explore [name="find"]')
    find.fill("khoa hoc phat trien")
    [found, total] = counted(page)
    assert 0 < found < total
    assert all("Khoa học" in text for text in page.locator("#explore .fact:visible").all_inner_texts())
    took = page.evaluate(
        """() => { const box = document.querySelector('#explore [name="find"]'); const start = performance.now();
        box.value = "viettel data"; box.dispatchEvent(new Event("input", { bubbles: true }));
        return performance.now() - start; }"""
    )
    assert took < 150
    assert shown(page) == min(30, counted(page)[0])
    find.fill("xyzzy")
    assert shown(page) == 0
    assert page.locator("#explore .none").is_visible()
    page.locator("#explore .clear").click()
    assert counted(page) == [total]
    assert not page.locator("#explore .none").is_visible()


def test_filters_narrow_together_and_the_address_keeps_them(explore: Any) -> None:
    page = explore()
    page.locator('#explore [name="country"]').select_option("China")
    china = counted(page)[0]
    page.locator('#explore [name="topic"]').select_option("investment")
    page.locator('#explore [name="year"]').select_option("2013")
    both = counted(page)[0]
    assert 0 < both < china
    for fact in page.locator("#explore .fact:visible").all():
        assert "China" in fact.get_attribute("data-country").split("|")
        assert int(fact.get_attribute("data-from")) <= 2013 <= int(fact.get_attribute("data-to"))
    assert choice(page) == {"tab": ["explore"], "topic": ["investment"], "country": ["China"], "year": ["2013"]}
    page.reload()
    page.locator("#explore .fact:visible").first.wait_for()
    assert counted(page)[0] == both
    page.locator('.places a[data-tab="chat"]').click()
    page.locator('.places a[data-tab="explore"]').click()
    assert counted(page)[0] == both
    assert choice(page)["country"] == ["China"]


def test_a_link_to_what_is_no_longer_there_shows_all(explore: Any) -> None:
    page = explore("&topic=astrology&sort=source")
    assert len(counted(page)) == 1
    names = [f.get_attribute("data-source").casefold() for f in page.locator("#explore .fact:visible").all()]
    assert names[1:] == sorted(names[1:]) or names == sorted(names)


def test_asking_about_a_fact_goes_to_the_chat(explore: Any, chain: FakeChain) -> None:
    page = explore("&find=Viettel+operates")
    fact = page.locator("#explore .fact:visible").first
    fact.locator(".ask").click()
    page.locator("#turn-1.done").wait_for()
    assert page.locator("#turn-1").is_visible()
    assert not page.locator("#explore").is_visible()
    assert chain.asked[-1].text == "Viettel operates 15 data centers?"


def test_slash_goes_to_the_search_and_escape_empties_it(explore: Any) -> None:
    page = explore()
    page.keyboard.press("/")
    page.keyboard.type("viettel")
    assert len(counted(page)) == 2
    page.keyboard.press("Escape")
    assert len(counted(page)) == 1
    page.keyboard.press("Enter")
    assert urlsplit(page.url).path == "/"
    assert page.locator("#explore .fact").count() > 400


def test_charts_show_each_figure_with_its_year_and_its_fact(explore: Any) -> None:
    page = explore()
    charts = page.locator("#explore .chart")
    assert charts.count() == 3
    first = charts.first
    widths = [bar.bounding_box()["width"] for bar in first.locator(".bar").all()]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 10 * widths[-1] > 0
    years = first.locator("svg .year").all_text_contents()
    assert len(years) == len(widths)
    assert all(year.isdigit() for year in years)
    first.locator("summary").click()
    rows = first.locator("tbody tr")
    assert rows.count() == len(widths)
    assert "United States" in rows.first.inner_text()
    assert rows.first.locator("a.out").get_attribute("rel") == "noopener noreferrer"


def test_charts_are_drawn_for_the_dark(explore: Any) -> None:
    fill = "getComputedStyle(document.querySelector('#explore .bar')).fill"
    page = explore(color_scheme="dark")
    dark = page.evaluate(fill)
    page.emulate_media(color_scheme="light")
    page.wait_for_function("!document.body.classList.contains('dark')")
    assert page.evaluate(fill) != dark


def test_on_a_phone_nothing_is_wider_than_the_screen_and_the_facts_come_first(explore: Any) -> None:
    page = explore(**PHONE)
    assert not page.locator("#explore .chart").first.is_visible()
    page.locator("#explore .charts > summary").click()
    for tab in ("explore", "about"):
        page.locator(f'.places a[data-tab="{tab}"]').click()
        page.locator(f"#{tab} h2").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    labels = page.evaluate(
        """() => { document.querySelector('.places a[data-tab="explore"]').click();
        return [...document.querySelectorAll("#explore svg")].flatMap((svg) => {
          const texts = [...svg.querySelectorAll("text")].map((x) => x.getBoundingClientRect());
          return texts.flatMap((a, i) => texts.slice(i + 1).filter((b) =>
            a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)); }).length; }"""
    )
    assert labels == 0


def test_the_corpus_is_told_about_and_its_topics_open_the_facts(visit: Any, url: str) -> None:
    page = visit(url)
    page.locator('.places a[data-tab="about"]').click()
    about = page.locator("#about")
    about.locator("table").first.wait_for()
    assert "How an answer is made" in about.inner_text()
    about.locator('a[data-topic="talent"]').click()
    page.locator("#explore .fact:visible").first.wait_for()
    assert {f.get_attribute("data-topic") for f in page.locator("#explore .fact:visible").all()} == {"talent"}
    assert choice(page) == {"tab": ["explore"], "topic": ["talent"]}
    page.locator('.places a[data-tab="about"]').click()
    about.locator('a[data-topic="rankings"]').click()
    assert {f.get_attribute("data-topic") for f in page.locator("#explore .fact:visible").all()} == {"rankings"}
    assert choice(page) == {"tab": ["explore"], "topic": ["rankings"]}


def test_a_hostile_fact_runs_and_loads_nothing(explore: Any) -> None:
    page = explore("&find=onerror")
    fact = page.locator("#explore .fact:visible").first
    assert HOSTILE.strip() in fact.locator(".claim").inner_text()
    fact.locator(".fact-head").click()
    fact.locator(".ask").click()
    page.locator("#turn-1.done").wait_for()
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anyone_out(explore: Any, scheme: str) -> None:
    page = explore(color_scheme=scheme)
    page.locator("#explore .chart summary").first.click()
    page.locator('#explore [name="find"]').fill("singapore")
    assert serious(page, scheme) == []
    page.locator('.places a[data-tab="about"]').click()
    page.locator("#about table").first.wait_for()
    assert serious(page, scheme) == []


def test_the_interface_speaks_vietnamese_and_the_facts_stay_as_they_are(explore: Any) -> None:
    page = explore(locale="vi-VN")
    assert page.locator("#explore h2").inner_text() == "Các dữ kiện"
    assert page.locator("#explore .counted").inner_text().endswith("dữ kiện")
    assert page.locator("#explore .claim").first.get_attribute("lang") == "en"


def test_feedback_from_the_page_is_kept_once_with_what_was_added(visit: Any, url: str, log: FeedbackLog) -> None:
    page = visit(url)
    turn = ask(page, "How many?")
    turn.locator('.thumb[data-rate="down"]').click()
    turn.locator(".comment input").fill("too old")
    page.keyboard.press("Enter")
    turn.locator(".comment").wait_for(state="detached")
    page.locator("#sources [data-right]").first.click()
    end = time.monotonic() + 10
    while time.monotonic() < end and not (log.read() and log.read()[-1][1].right_passage):
        page.wait_for_timeout(50)
    [(_, kept)] = log.read()
    assert (kept.rating, kept.comment, kept.question) == ("down", "too old", "How many?")
    assert kept.right_passage
    assert VIETTEL.quote in kept.right_passage.quote
