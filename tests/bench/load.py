"""Load on a real server: `python -m tests.bench.load --data ../shared/bench --home FOLDER`.

A closed loop of 1, 8 and 64 clients asks `POST /api/ask` over the shipped corpus, and over one of 10,000 passages (the
shipped corpus among sentence pairs of SciFact abstracts): answers a second, p50, p95, p99 and errors, and the memory of the
server. Beside it the same questions through the queue of the page, as a browser sends them, and then four times as
many clients as the server has room for: how fast the others are refused, and how fast it recovers. The server is a process
of its own; the clients share the machine with it. Indexes are kept in the home. Prints one JSON line for each load.
"""

import argparse
import asyncio
import itertools
import json
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from corpus import SHIPPED_CORPUS
from corpus.documents import Document
from corpus.passages import split_document
from tests.bench.sets import needed, read_jsonl

QUESTIONS = Path(__file__).with_name("latency_questions.txt").read_text(encoding="utf-8").splitlines()
ROOM = 128
"""How many requests a server takes at once."""

Ask = Callable[[httpx.AsyncClient, str], Awaitable[int]]
"""Ask a question and return the HTTP status of its answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of public sets")
    parser.add_argument("--home", type=Path, required=True, help="where indexes are made and kept")
    parser.add_argument("--seconds", type=float, default=60, help="length of each load")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8, 64])
    parser.add_argument("--passages", type=int, nargs="*", default=[0, 10_000], help="0 is the shipped corpus alone")
    options = parser.parse_args()
    for passages in options.passages:
        corpus = enlarged(options.home, options.data, passages) if passages else None
        with serving(options.home, corpus) as (address, process):
            asyncio.run(measure(address, process, options.clients, options.seconds))


async def measure(address: str, process: int, clients: list[int], seconds: float) -> None:
    """Print the figures of all loads on one server."""
    health = httpx.get(f"{address}/api/health").json()
    page = await page_asker(address)
    await load(address, ask_api, 4, 5)
    for name, ask in (("api", ask_api), ("page", page)):
        for count in clients:
            figures = await load(address, ask, count, seconds)
            row = {"through": name, "passages": health["passages"], "clients": count, **figures, **memory(process)}
            print(json.dumps(row), flush=True)
    before = memory(process)["memory MB"]
    figures = await load(address, ask_api, 4 * ROOM, min(20, seconds))
    ended = time.perf_counter()
    while (await load(address, ask_api, 1, 0.2))["errors"]:
        pass
    row = {"through": "api, overload", "passages": health["passages"], "clients": 4 * ROOM, **figures}
    row |= {"recovered after s": round(time.perf_counter() - ended, 1), "memory before MB": before, **memory(process)}
    print(json.dumps(row), flush=True)


async def load(address: str, ask: Ask, clients: int, seconds: float) -> dict[str, Any]:
    """Let clients ask one question after the other until the time is up, and return what they saw."""
    times: dict[int | str, list[float]] = {}
    questions = itertools.cycle(QUESTIONS)
    # Made before the clock starts: hundreds of them take seconds.
    made = [httpx.AsyncClient(base_url=address, timeout=60, verify=False, trust_env=False) for _ in range(clients)]
    started = time.perf_counter()

    async def client(http: httpx.AsyncClient) -> None:
        async with http:
            while time.perf_counter() - started < seconds:
                asked = time.perf_counter()
                try:
                    status: int | str = await ask(http, next(questions))
                except httpx.HTTPError as error:
                    status = type(error).__name__
                times.setdefault(status, []).append(time.perf_counter() - asked)
                if status == 503:
                    await asyncio.sleep(1)

    await asyncio.gather(*(client(http) for http in made))
    took = time.perf_counter() - started
    good = sorted(times.pop(200, []))
    refused = times.pop(503, [])
    figures: dict[str, Any] = {"answers/s": round(len(good) / took, 1), "answers": len(good)}
    for name, part in (("p50 ms", 0.5), ("p95 ms", 0.95), ("p99 ms", 0.99)):
        figures[name] = round(1000 * good[int(part * (len(good) - 1))], 1) if good else None
    if refused:
        figures |= {"refused": len(refused), "slowest refusal ms": round(1000 * max(refused), 1)}
    figures["errors"] = sum(len(t) for t in times.values())
    if times:
        figures["errors by status"] = {str(status): len(t) for status, t in times.items()}
    return figures


async def ask_api(http: httpx.AsyncClient, question: str) -> int:
    response = await http.post("/api/ask", json={"question": question})
    return response.status_code


async def page_asker(address: str) -> Ask:
    """Return how the page asks: an event is put in the queue of Gradio, and its end awaited."""
    async with httpx.AsyncClient(base_url=address, timeout=60, verify=False, trust_env=False) as http:
        events = (await http.get("/config")).json()["dependencies"]
    event = next(e["id"] for e in events if len(e["targets"]) > 1)

    async def ask(http: httpx.AsyncClient, question: str) -> int:
        session = uuid.uuid4().hex
        body = {"data": [question, None], "fn_index": event, "session_hash": session, "event_data": None}
        joined = await http.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return joined.status_code
        answered = False
        async with http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as response:
            async for line in response.aiter_lines():
                answered = answered or 'class=\\"cite' in line or "answer" in line
                if '"msg":"process_completed"' in line.replace('": "', '":"'):
                    return 200 if answered and '"success":true' in line.replace('": true', '":true') else 500
        return 500

    return ask


@contextmanager
def serving(home: Path, corpus: Path | None) -> Iterator[tuple[str, int]]:
    """Run `gapbot chat` on a free port; it builds the index if there is none. Gives its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--home", str(home), *(["--corpus", str(corpus)] if corpus else [])]
    process = subprocess.Popen([sys.executable, "-m", "bot.cli", *options, "chat", "--port", str(port)])
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            if process.poll() is not None:
                raise SystemExit("the server did not start")
            try:
                if httpx.get(f"{address}/api/health", timeout=5).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.5)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def enlarged(home: Path, data: Path, passages: int) -> Path:
    """Make a corpus of about so many passages: the shipped one, and pairs of sentences of SciFact abstracts."""
    folder = home / f"corpus-{passages}"
    if folder.is_dir():
        return folder
    (file,) = needed(data, "scifact/corpus.jsonl")
    building = home / f"building-{passages}"
    shutil.rmtree(building, ignore_errors=True)
    for name in ("texts", "facts"):
        shutil.copytree(SHIPPED_CORPUS / name, building / name)
    with (building / "filler.jsonl").open("w", encoding="utf-8") as out:
        for row in itertools.islice(_pairs(read_jsonl(file)), passages):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return building.rename(folder)


def _pairs(abstracts: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for abstract in abstracts:
        document = Document(abstract["id"], abstract["text"], abstract["title"])
        spans = [s for p in split_document(document) for s in p.sentences]
        for n in range(0, len(spans) - 1, 2):
            text = document.text[spans[n][0] : spans[n + 1][1]]
            yield {"id": f"{document.id}-{n}", "title": document.title, "text": text}


def memory(process: int) -> dict[str, int]:
    """Return the resident memory of a process in MB, now and at its highest."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    rows = dict(line.split(":", 1) for line in lines)
    return {name: int(rows[key].split()[0]) // 1024 for name, key in (("memory MB", "VmRSS"), ("peak MB", "VmHWM"))}


if __name__ == "__main__":
    main()
