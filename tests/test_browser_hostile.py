"""Sixty payloads in question, answer, document, title, publisher and address, over a real index: none runs or loads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot.chain import Chain
from bot.reader import Reader
from index.build import sync
from index.encoder import Encoder
from index.export import BUNDLED
from index.retriever import Index
from tests.payloads import ADDRESSES, MARKUP
from tests.serving import served
from tests.test_browser import CHROMIUM, ask, chromium, visit

__all__ = ["chromium", "visit"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install chromium"),
]
HARBOURS = (
    "Aldora", "Brevik", "Corvane", "Dunmore", "Elsing", "Farrow", "Gilden", "Hestra", "Ivarsund", "Jorvale", "Kelmar",
    "Lindral", "Morwen", "Norvik", "Ostrava", "Pelham", "Quarnby", "Ravensby", "Selwick", "Tornby",
)  # fmt: skip
GROUPS = [" ".join(MARKUP[i::20]) for i in range(20)]


@pytest.fixture(scope="module")
def hostile_url(tmp_path_factory: pytest.TempPathFactory, encoders: Path, encoder: Encoder) -> Iterator[str]:
    """The page over documents whose every part is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus = folder / "corpus"
    corpus.mkdir()
    rows = [
        {
            "id": f"{name} {group}"[:200],
            "title": f"{name} {group}",
            "publisher": group,
            "url": ADDRESSES[i % len(ADDRESSES)],
            "date": "2025-04",
            "text": f"# {group}\n\nThe harbour of {name} keeps {i + 3} lanterns in its hall. The harbour of {name} is painted with {group}",
        }
        for i, (name, group) in enumerate(zip(HARBOURS, GROUPS, strict=True))
    ]
    (corpus / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    summary = sync(folder / "index", corpus, encoders, BUNDLED)
    assert not summary.refused
    with served(Chain(Index(folder / "index", encoder), reader=Reader())) as address:
        yield address


def ran(page: Any) -> Any:
    return page.evaluate("window.pwned ?? null")


def test_sixty_payloads_in_every_place_run_and_load_nothing(visit: Any, hostile_url: str) -> None:
    assert len(set(MARKUP)) == 60
    page = visit(hostile_url)
    spoke: list[str] = []

    def heard(dialog: Any) -> None:
        spoke.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    shown = ""
    for i, (name, group) in enumerate(zip(HARBOURS, GROUPS, strict=True)):
        ask(page, f"How many lanterns does the harbour of {name} keep? {group}")
        page.locator(f"#turn-{i + 1}.done, #turn-{i + 1}.stopped").wait_for()
        shown += page.locator(f"#turn-{i + 1}").inner_text() + page.locator("#sources").inner_text()
    # They are there, word for word; a payload that is left out would prove nothing.
    assert [p for p in MARKUP if "".join(p.split()) not in "".join(shown.split())] == []
    for link in page.locator("#sources a[href], #transcript a[href]").all():
        address = link.get_attribute("href")
        assert address.startswith(("#", "https://x.example/")), address
        if address.startswith("https"):
            assert {"noopener", "noreferrer"} <= {*link.get_attribute("rel").split()}
    page.locator("[data-whole]").first.click()
    page.locator("#whole[open] mark").wait_for()
    page.keyboard.press("Escape")
    # What the browser kept is drawn again, and so is the list of chats.
    page.reload()
    page.locator(f"#turn-{len(HARBOURS)}.done").wait_for()
    page.locator("[data-chats]").click()
    page.locator("#chats[open] li").first.wait_for()
    for element in page.locator("#transcript [tabindex], #sources [tabindex], #sources a").all()[:40]:
        element.dispatch_event("focus")
        element.dispatch_event("mouseover")
    page.wait_for_timeout(300)
    assert (ran(page), spoke) == (None, [])


def test_a_link_with_a_payload_asks_it_and_runs_nothing(visit: Any, hostile_url: str) -> None:
    for group in GROUPS[:4]:
        page = visit(f"{hostile_url}/?q={quote(group)}")
        page.locator("#turn-1.done").wait_for()
        assert "".join(group.split()) in "".join(page.locator("#turn-1 .asked").inner_text().split())
        assert ran(page) is None
