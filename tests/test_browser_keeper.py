"""The keeper's page in a real browser, over gapbot as its command starts it with a password."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.config import settings
from index.build import sync
from tests.test_browser import CHROMIUM, PHONE, ask, chromium, free_port, wait_for
from tests.test_browser_chats import serious

__all__ = ["chromium"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: install chromium"),
]
PASSWORD = "a password that is long"
RAIN = "The Moc Chau observatory recorded 412 millimetres of rain in August 2031.\n"
QUESTION = "How much rain did the Moc Chau observatory record in August 2031?"


def test_a_keeper_signs_in_uploads_a_file_sees_it_answered_from_and_removes_it(
    chromium: Any, tmp_path: Path, encoder_folder: Path
) -> None:
    home, corpus = tmp_path / "home", tmp_path / "corpus"
    home.mkdir()
    corpus.mkdir()
    (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    (corpus / "tea.md").write_text("# Tea\n\nTea from Thai Nguyen is green. It grows on hills.\n", encoding="utf-8")
    (tmp_path / "rain.txt").write_text(RAIN, encoding="utf-8")
    (tmp_path / "false.pdf").write_text("<html><p>no pdf</p></html>", encoding="utf-8")
    made = settings(home=str(home), corpus=str(corpus))
    sync(made.index, made.corpus, made.encoders, made.encoder)
    port, said = free_port(), list[str]()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "bot.cli",
        "--home",
        str(home),
        "--corpus",
        str(corpus),
        "chat",
        "--port",
        str(port),
    ]
    environment = os.environ | {"GAPBOT_KEEPER_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True).start()
            wait_for(url, lambda: process.poll() is None, 120)
            _keep(chromium, url, tmp_path)
        finally:
            process.terminate()
            process.wait(15)
    assert f"The keeper's page is at {url}/keeper" in "".join(said)
    assert PASSWORD not in "".join(said)


def _keep(chromium: Any, url: str, folder: Path) -> None:
    complaints, hosts = list[str](), set[str]()
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("request", lambda r: hosts.add(urlsplit(r.url).netloc) if r.url.startswith("http") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(f"{url}/keeper")
    page.locator("#password").wait_for()
    found = {"sign in": serious(page)}
    page.keyboard.type("a wrong password")
    page.keyboard.press("Enter")
    page.get_by_text("that is not the password").wait_for()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#rows").wait_for()
    # By keyboard as well as by dropping: the chooser has the focus.
    assert page.evaluate("document.activeElement.id") == "files"
    page.locator("#files").set_input_files([folder / "rain.txt", folder / "false.pdf"])
    page.locator("#uploads .good").wait_for()
    page.get_by_text("it is called .pdf and holds a web page").first.wait_for()
    page.locator('tr[data-file="rain.txt"]').get_by_text("not in the index yet").wait_for(state="detached")
    page.locator("#index-state", has_text="The index is up to date.").wait_for()
    found["lists"] = serious(page)

    chat = context.new_page()
    chat.set_default_timeout(60_000)
    chat.goto(url)
    chat.locator(".log").wait_for()
    turn = ask(chat, QUESTION)
    assert "412 millimetres" in turn.inner_text()

    # Dropped beside the field: it is taken all the same, and the page stays.
    page.evaluate(
        """() => { const files = new DataTransfer(); files.items.add(new File(["Fog lay over the valley."], "fog.txt"));
        document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files })); }"""
    )
    page.locator('tr[data-file="fog.txt"]').wait_for()
    page.locator('[data-remove="rain.txt"]').focus()
    page.keyboard.press("Enter")
    page.locator("#removing[open]").wait_for()
    found["removing"] = serious(page)
    page.keyboard.press("Escape")
    assert page.locator('tr[data-file="rain.txt"]').count() == 1
    page.keyboard.press("Enter")
    page.locator("#remove").click()
    page.locator('tr[data-file="rain.txt"]').wait_for(state="detached")
    page.locator("#index-state", has_text="The index is up to date.").wait_for()
    chat.locator("#new").click()
    chat.locator("#turn-1").wait_for(state="detached")
    assert "412" not in ask(chat, QUESTION).inner_text()

    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(PHONE["viewport"])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        found[scheme] = serious(page, scheme)
    page.locator("[data-language]").click()
    page.get_by_role("heading", name="Thêm tài liệu").wait_for()
    page.locator("#sign-out").click()
    page.locator("#password").wait_for()
    assert page.locator("#lists").inner_html() == ""
    page.reload()
    page.locator("#password").wait_for()
    context.close()
    assert {state: problems for state, problems in found.items() if problems} == {}
    assert complaints == []
    assert hosts == {urlsplit(url).netloc}
