"""Take screenshots of a running page: `python tests/bench/screenshots.py http://127.0.0.1:7860 OUT [question …]`.

Each question is asked in turn in one chat, the first citation opened, and the page shown at three widths, light and
dark; without questions the empty page is shown.
"""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

WIDTHS = {1440: 900, 820: 1180, 390: 844}
BROWSER = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


def ask(page: Page, question: str) -> None:
    """Ask a question and wait for the whole answer."""
    turns = page.locator(".turn").count()
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    page.locator(f"#turn-{turns + 1}:not(.asking)").wait_for()


def main(url: str, out: str, *questions: str) -> None:
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for scheme in ("light", "dark"):
            for width, height in WIDTHS.items():
                options: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
                page = browser.new_page(viewport={"width": width, "height": height}, **options)
                page.goto(url)
                page.locator(".log").wait_for()
                for question in questions:
                    ask(page, question)
                page.wait_for_timeout(400)
                page.screenshot(path=folder / f"{scheme}-{width}.png")
                link = page.locator(".turn:last-child a.cite, .turn:last-child a.near").first
                if questions and link.count():
                    link.click()
                    page.wait_for_timeout(400)
                    page.screenshot(path=folder / f"{scheme}-{width}-cited.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
