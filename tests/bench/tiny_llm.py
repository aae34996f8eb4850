"""A real server with a model of random weights: `python -m tests.bench.tiny_llm --home DIR --python VENV/bin/python`.

The other Python has llama-cpp-python[server] and gguf, which gapbot does not need. There a tiny model is made on the spot whose
vocabulary is that of the shipped corpus and whose weights are random, and served by llama.cpp's OpenAI-compatible server.
Measured are the protocol (pieces, tokens, the end), whether the server stops when its client goes, and what the check of
citations lets through of nonsense that is made of the right words: nothing should be shown. Prints one JSON line for each.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from bot.answer import Question, Tokens
from bot.chain import Chain
from bot.citations import checked, complete_sentences
from bot.config import settings
from bot.generative import draft
from bot.llm import Model, load_model
from bot.loading import load_chain
from bot.reader import Reader
from corpus import SHIPPED_CORPUS
from corpus.errors import ModelError
from corpus.loaders import load_corpus

_QUESTIONS = Path(__file__).with_name("latency_questions.txt").read_text(encoding="utf-8").splitlines()
_FOLLOW_UPS = ("and China?", "Why?", "in 2023?", "How much does it cost?", "and in Singapore?", "Who runs it?")
_WORDS = 600
_SECONDS = 30.0
_END = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", required=True, help="a home with an index of the shipped corpus")
    parser.add_argument("--python", required=True, help="a Python with llama-cpp-python[server] and gguf")
    options = parser.parse_args()
    plain = load_chain(settings(options.home))
    with tempfile.TemporaryDirectory() as folder, serving(options.python, Path(folder)) as (url, process):
        model = load_model("openai:nonsense", url, _SECONDS)
        chain = Chain(plain.index, reader=Reader(), model=model)
        show("protocol", protocol(chain, model))
        show("cancelled", cancelled(chain, model, url, process))
        show("nonsense", nonsense(chain, model))
        show("answers", answers(chain))


def show(name: str, row: dict[str, object]) -> None:
    print(json.dumps({"measured": name, **row}), flush=True)


def protocol(chain: Chain, model: Model) -> dict[str, object]:
    """Return how one answer comes: its pieces, when the first and the last of them came, its tokens or its error."""
    (prompt,) = chain.prompts(Question(_QUESTIONS[0]))
    started = time.perf_counter()
    times: list[float] = []
    row: dict[str, object] = {}
    try:
        for piece in model.stream(prompt):
            if isinstance(piece, Tokens):
                row["tokens"] = {"sent": piece.sent, "received": piece.received, "estimated": piece.estimated}
            else:
                times.append(time.perf_counter() - started)
    except ModelError as error:
        row["error"] = str(error)
    return {"pieces": len(times), "first after s": round(times[0], 2), "last after s": round(times[-1], 2), **row}


def cancelled(chain: Chain, model: Model, url: str, process: int) -> dict[str, object]:
    """Return the CPU seconds of the server for a whole answer, and for one whose client has gone after its first piece."""
    (prompt,) = chain.prompts(Question(_QUESTIONS[1]))
    # It must not come to an end of its own.
    model = load_model(model.name, url, _SECONDS)
    model._chat.logit_bias = {_END: -100}  # type: ignore[attr-defined]
    spent = cpu(process)
    with suppress(ModelError):
        list(model.stream(prompt))
    whole = cpu(process) - spent
    stream = model.stream(prompt)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    gone = cpu(process)
    time.sleep(0.5)
    half = cpu(process)
    time.sleep(2.0)
    return {
        "whole answer, CPU s": round(whole, 2),
        "in the 0.5 s after the client has gone": round(half - gone, 2),
        "in the 2 s after that": round(cpu(process) - half, 2),
    }


def nonsense(chain: Chain, model: Model) -> dict[str, object]:
    """Return how many sentences the model wrote for all questions, and which the check would show."""
    written = cited = 0
    shown: list[str] = []
    for question in _QUESTIONS:
        found = chain._find.invoke(Question(question))
        answer = chain._judge.invoke(found)
        if answer.status != "answered":
            continue
        asked = draft(answer, found)
        text = ""
        try:
            for piece in model.stream(asked.prompt):
                text += piece if isinstance(piece, str) else ""
        except ModelError:
            # Cut off at its length: what came before is nonsense all the same.
            model.breaker.report(True)
        passages = [g.passage for g in asked.given]
        for sentence in complete_sentences(text, ended=True)[0]:
            said = checked(sentence, passages)
            written += 1
            cited += bool(said.cited)
            if said.support:
                shown.append(
                    f"{sentence} <- {passages[said.support.places[0][0]].sentences[said.support.places[0][1]]}"
                )
    return {"sentences": written, "that cite a passage": cited, "that would be shown": len(shown), "these": shown}


def answers(chain: Chain) -> dict[str, object]:
    """Return who answered in the end, with which notices, and how follow-ups were read."""
    kinds: Counter[str] = Counter()
    for question in _QUESTIONS:
        answer = chain.ask(Question(question))
        why = re.sub(r"^openai:nonsense ", "", (answer.notice or "no notice").split(". This is")[0])
        kinds[f"{answer.status}, {answer.answered_by}, {re.sub(r'[0-9]+', 'n', why)}"] += 1
    rules = Chain(chain.index, reader=Reader())
    other = []
    for text in _FOLLOW_UPS:
        asked = Question(text, (_QUESTIONS[0],))
        read = chain.ask(asked).read_as
        if read != rules.ask(asked).read_as:
            other.append(read)
    return {"answers": dict(kinds), "follow-ups": len(_FOLLOW_UPS), "read as nonsense": other}


@contextmanager
def serving(python: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Make the model and serve it on a free port; gives the base URL and the process id."""
    made = folder / "nonsense.gguf"
    subprocess.run(
        [python, str(Path(__file__).with_name("tiny_gguf.py")), str(made)], input=vocabulary(), text=True, check=True
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [python, "-m", "llama_cpp.server", "--model", str(made), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--n_ctx", "16384", "--n_threads", "1", "--n_threads_batch", "1", "--chat_format", "chatml"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        for _ in range(120):
            try:
                if httpx.get(f"{url}/models").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.5)
        else:
            raise SystemExit("the server of the model did not start")
        yield url, server.pid
    finally:
        server.terminate()
        server.wait()


def vocabulary() -> str:
    """Return the commonest words of the shipped corpus, and the markers of six passages."""
    counts: Counter[str] = Counter()
    for document in load_corpus(SHIPPED_CORPUS)[0]:
        counts.update(re.findall(r"[\w%$.,-]*\w%?", document.text))
    markers = [f"[{n}]{stop}" for n in range(1, 7) for stop in ("", ".")]
    return "\n".join([w for w, _ in counts.most_common(_WORDS)] + markers)


def cpu(process: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
