"""A server that is asked without a break while another process publishes one generation after the other."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from bot.config import Settings
from bot.loading import load_chain
from index.build import sync
from tests import writing
from tests.serving import served


def published_meanwhile(
    threads: Sequence[threading.Thread],
    end: threading.Event,
    times: int,
    publish: Callable[[int], str],
    seen: Callable[[str], bool],
) -> float:
    """Publish `times` versions while threads ask until `end`; return the longest, in seconds, until one was seen.

    Raises AssertionError for one that is not seen within 30 seconds.
    """
    longest = 0.0
    for thread in threads:
        thread.start()
    try:
        for version in range(1, times + 1):
            name = publish(version)
            published = time.monotonic()
            while not seen(name):
                assert time.monotonic() - published < 30, "the new version is not seen"
                time.sleep(0.01)
            longest = max(longest, time.monotonic() - published)
    finally:
        end.set()
        for thread in threads:
            thread.join()
    return longest


def swapped(folder: Path, encoder_folder: Path, times: int, clients: int = 3) -> dict[str, float]:
    """Ask a server through `times` swaps; returns how many answers came and the longest until a new version was seen.

    Raises AssertionError for an answer that is an error, none, or of another version than its generation.
    """
    home, corpus = folder / "home", folder / "corpus"
    home.mkdir()
    (home / "encoders").symlink_to(encoder_folder.parent, target_is_directory=True)
    settings = Settings(home, corpus, logs_gaps=False, reads=False)
    writing.write_corpus(corpus, 0)
    sync(settings.index, corpus, settings.encoders, settings.encoder)
    words = {"g000001": writing.code_word(0)}
    answers: list[tuple[float, int, dict[str, object]]] = []
    end = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not end.is_set():
                got = client.post("/api/ask", json={"question": writing.QUESTION})
                answers.append((time.monotonic(), got.status_code, got.json()))

    def publish(version: int) -> str:
        writing.write_corpus(corpus, version)
        with writing.writer(settings.index, corpus, settings.encoders) as (_, told):
            name = writing.outcome(told).partition("published ")[2]
        words[name] = writing.code_word(version)
        return name

    with served(load_chain(settings)) as url:
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(clients)]
        longest = published_meanwhile(
            threads, end, times, publish, lambda name: any(r.get("generation") == name for _, _, r in answers[-20:])
        )
    for _, status, row in answers:
        assert status == 200, row
        word = words[str(row["generation"])]
        assert row["status"] == "answered", row
        assert word in str(row["text"]), (word, row)
        citations = row["citations"]
        assert isinstance(citations, list)
        assert all(word in c["quote"] for c in citations), (word, row)
    return {"answers": len(answers), "seen_after_s": round(longest, 2), "generations": len(words)}
