"""The commands of the one who keeps the corpus and its index: `gapbot index | eval | gaps | feedback`."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.batch import read_rows
from bot.config import Settings
from bot.library import watch
from bot.opening import open_chain, print_json
from corpus.errors import UsageError

if TYPE_CHECKING:
    from bot.feedback import Feedback


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to the parser; each sets `run` to a function that returns its exit status."""
    index = commands.add_parser("index", help="bring the index up to date with the corpus")
    index.add_argument("--rebuild", action="store_true", help="build it anew from nothing")
    index.add_argument("--json", action="store_true")
    index.add_argument("--watch", action="store_true", help="go on, and follow every change of the corpus folder")
    index.add_argument("--ray", metavar="ADDRESS", help="read and encode on a Ray cluster: HOST:PORT, auto, or local")
    index.set_defaults(run=_index)

    evaluate = commands.add_parser("eval", help="ask a question set and measure the answers")
    evaluate.add_argument("file", metavar="FILE.jsonl")
    evaluate.add_argument("--json", action="store_true", help="write the measures and every row as JSON")
    evaluate.add_argument("--against", metavar="BEFORE.json", help="a former run's JSON: print what has changed")
    evaluate.add_argument("--figure", metavar="FILE.png", help="draw the risk-coverage curve")
    evaluate.set_defaults(run=_eval)

    gaps = commands.add_parser("gaps", help="list the questions that found no answer, most frequent first")
    gaps.add_argument("--json", action="store_true")
    gaps.add_argument("--clear", action="store_true", help="forget them")
    gaps.set_defaults(run=_gaps)

    feedback = commands.add_parser("feedback", help="list what people said of answers, newest first")
    feedback.add_argument("--json", action="store_true")
    feedback.add_argument("--clear", action="store_true", help="forget it")
    feedback.add_argument("--export", metavar="FILE.jsonl", help="write it as questions for `gapbot eval`")
    feedback.set_defaults(run=_feedback)


def _index(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import build_index, print_summary

    summary = build_index(config, rebuild=options.rebuild, ray=options.ray)
    if options.watch:
        print_summary(summary)
        watch(config, lambda: print_summary(build_index(config)))
    if options.json:
        row = {
            "added": len(summary.added), "changed": len(summary.changed), "removed": len(summary.removed),
            "unchanged": summary.unchanged, "encoded": summary.encoded, "generation": summary.generation.name,
            "refused": [{"path": str(r.path), "reason": r.reason} for r in summary.refused],
        }  # fmt: skip
        print_json(row)
    else:
        print_summary(summary)
    return 0


def _eval(config: Settings, options: argparse.Namespace) -> int:
    from bot.evaluation import changes, draw, evaluate, print_report, read_questions, read_result

    questions = read_questions(read_rows(options.file), options.file)
    before = read_result(options.against) if options.against else None
    # What is asked to measure is no gap that anyone ran into.
    result = evaluate(open_chain(replace(config, logs_gaps=False)), questions)
    if options.figure:
        draw(result, Path(options.figure))
    lines = changes(before, result) if before else []
    if options.json:
        print_json(result | ({"changes": lines} if before else {}))
    elif before:
        print("\n".join(lines))
    else:
        print_report(result)
    return 0


def _gaps(config: Settings, options: argparse.Namespace) -> int:
    from bot.gaps import GapLog

    log = GapLog(config.gaps)
    if options.clear:
        log.clear()
        print("Forgotten.", file=sys.stderr)
        return 0
    found = log.gaps()
    for gap in found:
        if options.json:
            print_json(asdict(gap))
        else:
            print(f"{gap.count:5}  {gap.last[:10]}  {gap.question}")
    if not found and not options.json:
        print("No question has gone unanswered." if config.logs_gaps else "Nothing is noted: GAPBOT_GAPS is off.")
    return 0


def _feedback(config: Settings, options: argparse.Namespace) -> int:
    from bot.feedback import FeedbackLog, eval_rows

    log = FeedbackLog(config.feedback)
    if options.clear and options.export:
        raise UsageError("give --export or --clear, not both: export first, then clear")
    if options.clear:
        log.clear()
        print("Forgotten.", file=sys.stderr)
        return 0
    found = log.read()
    if options.export:
        rows, left_out = eval_rows(f for _, f in found)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        Path(options.export).write_text(lines, encoding="utf-8")
        said = f"{len(rows)} questions written to {options.export}"
        if left_out:
            said += f"; {left_out} left out, for they name no right answer: a thumb down needs its right passage"
        print(said, file=sys.stderr)
        return 0
    for time, feedback in reversed(found):
        if options.json:
            print_json({"time": time, **asdict(feedback)})
        else:
            print("\n".join(_told(time, feedback)))
    if not found and not options.json:
        off = "." if config.keeps_feedback else ": it is not kept (GAPBOT_FEEDBACK)."
        print(f"Nobody has said anything of an answer{off}")
    return 0


def _told(time: str, feedback: "Feedback") -> Iterator[str]:
    """Yield the lines about one judgement. What came over the network must not drive the terminal."""
    from corpus.loaders import cleaned

    def plain(text: str) -> str:
        return " ".join(cleaned(text).split())

    said = feedback.short or feedback.text if feedback.status == "answered" else feedback.status.replace("_", " ")
    yield f"{time[:10]}  {feedback.rating:4}  {plain(feedback.question)} → {plain(said)}"
    if feedback.comment:
        yield f"            “{plain(feedback.comment)}”"
    if feedback.right_passage:
        yield f"            right: {plain(feedback.right_passage.document)}: {plain(feedback.right_passage.quote)}"
