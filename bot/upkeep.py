"""The commands of the one who keeps the corpus and its index: `gapbot index | eval | gaps`."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bot.batch import read_rows
from bot.config import Settings
from bot.library import watch
from bot.opening import open_chain, print_json


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to the parser; each sets `run` to a function that returns its exit status."""
    index = commands.add_parser("index", help="bring the index up to date with the corpus")
    index.add_argument("--rebuild", action="store_true", help="build it anew from nothing")
    index.add_argument("--json", action="store_true")
    index.add_argument("--watch", action="store_true", help="go on, and follow every change of the corpus folder")
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


def _index(config: Settings, options: argparse.Namespace) -> int:
    from bot.render import build_index, print_summary

    summary = build_index(config, rebuild=options.rebuild)
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
        return 0
    found = log.gaps()
    for gap in found:
        if options.json:
            print_json(asdict(gap))
        else:
            print(f"{gap.count:5}  {gap.last[:10]}  {gap.question}")
    if not found and not options.json:
        print("No question has gone unanswered" + ("." if config.logs_gaps else ": the log is off (GAPBOT_GAPS)."))
    return 0
