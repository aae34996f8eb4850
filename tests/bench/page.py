"""How soon the page is there: `python -m tests.bench.page [--home DIR] [--limit N]`.

With an index present: from the command to a listening server, from the server's answer to a page that can be used, and
from Enter to the first text and the whole answer, in headless Chromium; beside it, in the same run, the same questions
put to POST /api/ask, which is the answer without the page. Prints one JSON line.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench.latency import QUESTIONS, timed
from tests.bench.screenshots import BROWSER, FLAGS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, help="a home that has an index (default: one is made, untimed)")
    parser.add_argument("--limit", type=int, default=20, help="questions")
    parser.add_argument("--repeats", type=int, default=3, help="starts of the server, of which the median counts")
    arguments = parser.parse_args()
    questions = QUESTIONS.read_text(encoding="utf-8").splitlines()[: arguments.limit]
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.home or Path(temporary)
        subprocess.run([sys.executable, "-m", "bot.cli", "--home", str(home), "index"], check=True, capture_output=True)
        starts = []
        for _ in range(arguments.repeats - 1):
            with _server(home) as (_, seconds):
                starts.append(seconds)
        with _server(home) as (url, seconds):
            starts.append(seconds)
            figures = {"listening s": round(statistics.median(starts), 2), **_page_figures(url, questions)}
    figures["first text / API answer"] = round(figures["first text p50 ms"] / figures["API answer p50 ms"], 2)
    print(json.dumps(figures))


@contextmanager
def _server(home: Path) -> Iterator[tuple[str, float]]:
    """Start gapbot as users do; give its address, and the seconds until it listened."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"GAPBOT_GAPS": "off"}
    command = [sys.executable, "-m", "bot.cli", "--home", str(home), "chat", "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            while not _answers(f"{url}/api/health"):
                assert process.poll() is None, "the server has ended"
                time.sleep(0.02)
            yield url, time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=30).close()
    except OSError:
        return False
    return True


def _page_figures(url: str, questions: list[str]) -> dict[str, float]:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=BROWSER, args=FLAGS)
        usable = []
        for _ in range(3):
            page = browser.new_page(reduced_motion="reduce")
            usable.append(timed(lambda page=page: _open(page, url)))  # type: ignore[misc]
            if len(usable) < 3:
                page.close()
        first, whole = [], []
        for question in questions:
            # Each in a chat of its own: a follow-up would be another question.
            page.locator("#new").click()
            page.locator(".welcome").wait_for()
            page.locator("#question textarea").fill(question)
            seen, done = page.evaluate(_WATCH)
            first.append(seen)
            whole.append(done)
        browser.close()
    plain = [timed(lambda q=q: _asked(url, q)) for q in questions]  # type: ignore[misc]
    return {
        "first visit usable s": round(usable[0], 2),
        "page usable s": round(statistics.median(usable), 2),
        "questions": len(questions),
        "first text p50 ms": round(statistics.median(first)),
        "first text p95 ms": round(sorted(first)[int(0.95 * (len(first) - 1))]),
        "whole answer p50 ms": round(statistics.median(whole)),
        "API answer p50 ms": round(1000 * statistics.median(plain)),
    }


# Timed inside the page: from the key to the first words of an answer, and to its end.
_WATCH = """() => new Promise((resolve) => {
  const box = document.querySelector("#question textarea");
  box.focus();
  const started = performance.now();
  let seen = 0;
  const look = () => {
    if (!seen && document.querySelector("#turn-1 .prose p")) seen = performance.now() - started;
    if (seen && document.querySelector("#turn-1.done")) resolve([seen, performance.now() - started]);
    else requestAnimationFrame(look);
  };
  box.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true }));
  box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, bubbles: true }));
  look();
})"""


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#question textarea").wait_for()
    page.locator("#transcript .welcome").wait_for()


def _asked(url: str, question: str) -> None:
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(f"{url}/api/ask", body, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=60).read()


if __name__ == "__main__":
    main()
