"""Two gapbot servers on one Chroma server, asked without a break while generations are swapped and Chroma is killed."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.config import Settings
from index.build import sync
from tests import writing
from tests.chroma_server import chroma_server
from tests.swapping import published_meanwhile

_MOST = 120


@contextmanager
def chat(home: Path, chroma: str) -> Iterator[str]:
    """Run `gapbot chat` in a home of its own, on a machine without the corpus; yields its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "GAPBOT_CHROMA": chroma, "GAPBOT_READER": "off", "GAPBOT_GAPS": "off"}
    arguments = ["--home", str(home), "--corpus", "/nowhere/corpus", "chat", "--port", str(port)]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", *arguments], env=environment, stdout=log, stderr=log
        )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + _MOST
    try:
        while True:
            try:
                if httpx.get(f"{url}/api/health", timeout=10).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < end, "gapbot chat does not answer"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _ask(client: httpx.Client) -> tuple[int, dict[str, Any]]:
    got = client.post("/api/ask", json={"question": writing.QUESTION})
    return got.status_code, got.json()


def shared(folder: Path, encoder_folder: Path, swaps: int) -> dict[str, float]:
    """Ask two servers through `swaps` swaps and a death of Chroma; returns how many answers came and the longest waits.

    Raises AssertionError for an answer that is an error while Chroma is there, of another version than its generation,
    or a traceback.
    """
    homes = {name: folder / name for name in ("writer", "one", "two")}
    for home in homes.values():
        home.mkdir()
        (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    words: dict[str, str] = {}

    def publish(version: int, chroma: str) -> str:
        writing.write_corpus(folder / "corpus", version)
        made = Settings(homes["writer"], folder / "corpus", chroma=chroma)
        place = made.server
        assert place
        name = sync(made.index, made.corpus, made.encoders, made.encoder, place=place).generation.name
        words[name] = writing.code_word(version)
        return name

    answers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    back_after = 0.0
    with ExitStack() as running:
        chroma = running.enter_context(chroma_server(folder / "chroma" / "data"))
        name = publish(0, chroma.url)
        urls = [running.enter_context(chat(homes[n], chroma.url)) for n in ("one", "two")]
        clients = [running.enter_context(httpx.Client(base_url=url, timeout=60)) for url in urls]
        end = threading.Event()

        def ask(client: httpx.Client) -> None:
            rows = answers.setdefault(str(client.base_url), [])
            while not end.is_set():
                rows.append(_ask(client))

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        seen_after = published_meanwhile(
            threads,
            end,
            swaps,
            lambda version: publish(version, chroma.url),
            lambda name: all(rows[-1][1].get("generation") == name for rows in list(answers.values())),
        )
        name = list(words)[-1]
        chroma.stop()
        for client in clients:
            started = time.monotonic()
            status, row = _ask(client)
            assert (status, row["error"]["message"]) == (
                503,
                "the Chroma server with the index does not answer: try again in a moment",
            )
            assert time.monotonic() - started < 10
        chroma.start()
        started = time.monotonic()
        for client in clients:
            status, row = _ask(client)
            while status != 200:
                assert time.monotonic() - started < 30, row
                status, row = _ask(client)
            assert row["generation"] == name
            assert words[name] in row["text"]
        back_after = time.monotonic() - started
        name = publish(swaps + 1, chroma.url)
        started = time.monotonic()
        while not all(_ask(client)[1]["generation"] == name for client in clients):
            assert time.monotonic() - started < 30, "the version after the restart is not seen"
    for rows in answers.values():
        for status, row in rows:
            assert status == 200, row
            word = words[row["generation"]]
            assert word in row["text"], (word, row)
            assert all(word in c["quote"] for c in row["citations"]), (word, row)
    for home in homes.values():
        assert not (home / "log").exists() or "Traceback" not in (home / "log").read_text()
    return {
        "answers": sum(map(len, answers.values())),
        "seen_after_s": round(seen_after, 2),
        "back_after_s": round(back_after, 2),
    }
