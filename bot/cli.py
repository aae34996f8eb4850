"""The command line: `gapbot [--home DIR] [--corpus DIR] COMMAND`; the keeper's commands are in upkeep.py."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from bot import library, safety, upkeep
from bot.answer import Question, check_question
from bot.batch import read_batch, read_rows, text_of
from bot.config import Settings, settings, version_of
from bot.opening import open_chain, print_json
from corpus.errors import GapbotError, UsageError

if TYPE_CHECKING:
    from bot.chain import Chain

ANSWERED, FAILED, WRONG_USAGE, NOT_ANSWERED = 0, 1, 2, 3
"""Exit statuses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        # A lone surrogate or a terminal without UTF-8 must not end in a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(message)s")
    # That a damaged index gives way to the former is for whoever asks; other warnings are for developers.
    logging.getLogger("index").setLevel(logging.WARNING)
    try:
        options = _parser().parse_args(arguments)
        run: Callable[[Settings, argparse.Namespace], int] = options.run
        return run(settings(options.home, options.corpus, options.llm), options)
    except UsageError as error:
        return _fail(str(error), WRONG_USAGE)
    except GapbotError as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return _fail("stopped; nothing was lost", 130)
    except BrokenPipeError:
        # The reader of a pipe has gone (`gapbot … | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(f"{error.filename or 'the system'}: {error.strerror or error}", FAILED)
    except Exception as error:
        if os.environ.get("GAPBOT_DEBUG"):
            raise
        return _fail(f"unexpected {type(error).__name__}: {error} (set GAPBOT_DEBUG=1 to see where)", FAILED)


def _fail(message: str, status: int) -> int:
    print(f"gapbot: {' '.join(message.split())}", file=sys.stderr)
    return status


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *given: object) -> None:
        print(f"gapbot {version_of() or 'of an unknown version'}")
        parser.exit()


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        if re.search(r"unrecognized arguments: .*--(?:home|corpus|llm)\b", message):
            message += ": --home, --corpus and --llm stand before the command"
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="gapbot", description="Answers about Vietnam's AI investment gap, each cited from its source."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument("--home", help="folder of the index and logs (default: GAPBOT_HOME or the user data folder)")
    parser.add_argument("--corpus", help="folder of documents in place of the shipped corpus (default: GAPBOT_CORPUS)")
    parser.add_argument(
        "--llm", metavar="PROVIDER:MODEL", help="let an LLM write the answers (default: GAPBOT_LLM or none)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    chat = commands.add_parser(
        "chat", help="serve the web page, the API and MCP; builds the index first if there is none"
    )
    chat.add_argument("--host", default="127.0.0.1")
    chat.add_argument("--port", type=int, default=7860)
    chat.set_defaults(run=_chat)

    mcp = commands.add_parser("mcp", help="serve tools for agents on standard input and output (MCP)")
    mcp.set_defaults(run=_mcp)

    ask = commands.add_parser("ask", help="answer one question, or a file of them")
    ask.add_argument("question", nargs="*", help="the question; - reads it from standard input")
    ask.add_argument("--json", action="store_true", help="write JSON alone to standard output")
    ask.add_argument("--batch", metavar="FILE.jsonl", help='rows {"id", "question", "history": [earlier questions]}')
    ask.add_argument(
        "--history", action="append", default=[], metavar="QUESTION", help="asked before it; may be repeated"
    )
    ask.add_argument("--show-prompt", action="store_true", help="print what an LLM would be sent, and send nothing")
    ask.set_defaults(run=_ask)

    search = commands.add_parser("search", help="list the passages found for a query")
    search.add_argument("query", nargs="?")
    search.add_argument("-k", type=int, default=10, help="how many passages (default 10)")
    search.add_argument("--json", action="store_true")
    search.add_argument("--batch", metavar="FILE.jsonl", help='rows {"id", "text"}')
    search.set_defaults(run=_search)

    upkeep.add_commands(commands)
    library.add_commands(commands)
    safety.add_commands(commands)
    return parser


def _chat(config: Settings, options: argparse.Namespace) -> int:
    if not 0 < options.port < 65536:
        raise UsageError(f"--port {options.port} is not a port: use 1 to 65535")
    chain = open_chain(config, build=True)
    from bot.feedback import FeedbackLog
    from bot.keeping import Keeper
    from bot.server import serve

    feedback = FeedbackLog(config.feedback) if config.keeps_feedback else None
    keeper = Keeper(config, chain, config.keeper_password) if config.keeper_password else None
    if keeper:
        keeper.catch_up()
    serve(chain, options.host, options.port, feedback, keeper)
    return ANSWERED


def _mcp(config: Settings, options: argparse.Namespace) -> int:
    chain = open_chain(config, build=True)
    from bot.mcp_server import serve_stdio
    from bot.service import Service

    serve_stdio(Service(chain))
    return ANSWERED


def _ask(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import print_answer

    if options.batch:
        if options.question:
            raise UsageError("give a question or --batch FILE.jsonl, not both")
        rows = read_batch(options.batch)
        if options.show_prompt:
            return _show_prompts(open_chain(replace(config, llm=None)), rows, options.json)
        chain = open_chain(config)
        for question in rows:
            answer = chain.ask(question)
            if options.json:
                print_json(answer.to_dict())
            else:
                print_answer(answer, asked=True)
        return ANSWERED
    if not options.question:
        raise UsageError(
            'the question is missing: gapbot ask "How many data centers does Viettel have?" (or - to read it)'
        )
    # Whoever leaves the quotes away means one question all the same.
    text = sys.stdin.read() if options.question == ["-"] else " ".join(options.question)
    question = Question(text, tuple(options.history))
    check_question(question)
    if options.show_prompt:
        return _show_prompts(open_chain(replace(config, llm=None)), [question], options.json)
    answer = open_chain(config).ask(question)
    if options.json:
        print_json(answer.to_dict())
    else:
        print_answer(answer)
    return ANSWERED if answer.status in ("answered", "chat") else NOT_ANSWERED


def _show_prompts(chain: "Chain", questions: Sequence[Question], as_json: bool) -> int:
    """Print what an LLM would be sent for each question; the status of the last counts."""
    status = ANSWERED
    for question in questions:
        prompts = chain.prompts(question)
        status = ANSWERED if prompts else NOT_ANSWERED
        if not prompts:
            print("Nothing: the sources do not answer this question, so no LLM is asked.", file=sys.stderr)
        for prompt in prompts:
            print_json(asdict(prompt)) if as_json else print(f"{prompt.system}\n\n{prompt.user}\n")
    return status


def _search(config: Settings, options: argparse.Namespace) -> int:
    if options.k < 1:
        raise UsageError("-k takes a number from 1 on")
    if (options.query is None) == (options.batch is None):
        raise UsageError('give a query or --batch FILE.jsonl: gapbot search "data centers" -k 5')
    if options.batch:
        rows = read_rows(options.batch)
        # A file of questions for `ask` will do.
        keys = ["question" if "text" not in row and "question" in row else "text" for _, row in rows]
        queries = [(row.get("id"), text_of(row, k, n, options.batch)) for k, (n, row) in zip(keys, rows, strict=True)]
    else:
        if not options.query.strip():
            raise UsageError("the query is empty")
        queries = [(None, options.query)]
    # A search judges nothing: the reader and the LLM are not wanted.
    index = open_chain(replace(config, reads=False, llm=None)).index
    for identifier, text in queries:
        found = index.retrieve(index.corrected(text), options.k)
        if options.json:
            passages = [
                {
                    "document": e.document.id,
                    "start": e.passage.start,
                    "end": e.passage.end,
                    "text": e.text,
                    "score": round(e.score, 6),
                }
                for e in found
            ]
            print_json({"id": identifier, "passages": passages})
        else:
            from bot.render import print_passages

            print_passages(found)
    return ANSWERED


if __name__ == "__main__":
    sys.exit(main())
