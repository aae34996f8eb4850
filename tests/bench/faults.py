"""Every fault of an LLM many times: `python -m tests.bench.faults --home DIR [--times 20]`.

Asks a question of a chain whose LLM misbehaves in each of the ways of tests/llm_server.py, with the limits that ship,
and prints how often the sources answered with a notice and how long that took at most, beside an answer without an LLM, as
one line of JSON.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bot.answer import Question
from bot.chain import Chain
from bot.config import settings
from bot.llm import load_model
from bot.loading import load_chain
from bot.reader import Reader
from tests.llm_server import FAULTS, llm_server

_ASKED = Question("How many data centers does Viettel operate?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", required=True, help="a home with an index of the shipped corpus")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    plain, reader = load_chain(settings(options.home)), Reader()
    plain.ask(_ASKED)
    started = time.monotonic()
    expected = plain.ask(_ASKED).text
    alone = time.monotonic() - started
    good, slowest = 0, {}
    for fault in FAULTS:
        with llm_server() as server, ThreadPoolExecutor(options.threads) as pool:
            server.fault = fault

            def once(_: int, url: str = server.url_of(fault)) -> tuple[bool, float]:
                # A model of its own for each: the breaker would spare it the fault.
                chain = Chain(plain.index, reader=reader, model=load_model("openai:fake", url))
                started = time.monotonic()
                answer = chain.ask(_ASKED)
                right = answer.text == expected and answer.answered_by == "extractive" and bool(answer.notice)
                return right, time.monotonic() - started

            runs = list(pool.map(once, range(options.times)))
        good += sum(r for r, _ in runs)
        slowest[fault] = round(max(t for _, t in runs), 1)
        print(f"{fault:12} {sum(r for r, _ in runs)} of {len(runs)}, at most {slowest[fault]} s", file=sys.stderr)
    row = {"runs": len(FAULTS) * options.times, "answered by the sources with a notice": good}
    print(json.dumps(row | {"slowest s": slowest, "without an LLM s": round(alone, 3)}))


if __name__ == "__main__":
    main()
