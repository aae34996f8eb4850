"""Measure answers on a question set: what is right, what is wrong, what is refused, and which rows failed."""

import json
import math
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.answer import Answer, Question
from bot.chain import Chain
from corpus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what its answer must match: all `gold` patterns the text, all `evidence` the quotes."""

    question: Question
    kind: str
    gold: tuple[str, ...]
    evidence: tuple[str, ...]
    answerable: bool


def read_questions(rows: Sequence[tuple[int, dict[str, object]]], path: str) -> list[Case]:
    """Read rows {"id", "kind", "question", "history", "gold", "evidence", "answerable"}. Raises UsageError by line."""
    cases = []
    for number, row in rows:
        text, history = row.get("question"), row.get("history") or []
        if not isinstance(text, str) or not text.strip() or not isinstance(history, list):
            raise UsageError(f'{path}, line {number}: needs "question", a text, and "history", a list if given')
        patterns = {}
        for key in ("gold", "evidence"):
            value = row.get(key) or []
            value = [value] if isinstance(value, str) else value
            if not isinstance(value, list):
                raise UsageError(f'{path}, line {number}: "{key}" must be a list of regular expressions')
            try:
                for pattern in value:
                    re.compile(pattern)
            except (re.error, TypeError):
                raise UsageError(f'{path}, line {number}: "{key}" holds no valid regular expression') from None
            patterns[key] = tuple(value)
        question = Question(text, tuple(map(str, history)), str(row.get("id", number)))
        answerable = bool(row.get("answerable", True))
        cases.append(Case(question, str(row.get("kind", "all")), patterns["gold"], patterns["evidence"], answerable))
    return cases


def read_result(path: str) -> dict[str, Any]:
    """Read the result of a former run, as `gapbot eval --json` wrote it. Raises UsageError for anything else."""
    try:
        result: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        if not {"rows", "right", "p50_ms"} <= result.keys():
            raise ValueError
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, AttributeError):
        raise UsageError(f"{path} is not what `gapbot eval --json` writes") from None
    return result


def verdict(case: Case, answer: Answer) -> str:
    """Return "right", "wrong" or "refused"; a refused unanswerable question is right.

    A question of the kind "ambiguous" wants its readings offered, and nothing else.
    """
    answered = answer.status == "answered"
    if case.kind == "ambiguous":
        return "right" if answer.status == "ambiguous" else "wrong" if answered else "refused"
    if not case.answerable:
        return "wrong" if answered else "right"
    if not answered:
        return "refused"
    said = f"{answer.short or ''}\n{answer.text}"
    quotes = "\n".join(c.quote for c in answer.citations)
    fits = all(re.search(p, said, re.I) for p in case.gold) and all(re.search(p, quotes, re.I) for p in case.evidence)
    return "right" if fits else "wrong"


def citations_hold(chain: Chain, answer: Answer) -> bool:
    """Tell whether every quote is its document's slice and markers and citations match one to one."""
    for citation in answer.citations + answer.closest:
        document = chain.source(citation.document)
        if document is None or document.text[citation.start : citation.end] != citation.quote:
            return False
    return set(re.findall(r"\[(\d+)\]", answer.text)) == {str(c.marker) for c in answer.citations}


def evaluate(chain: Chain, cases: Sequence[Case]) -> dict[str, Any]:
    """Ask every question; return counts and latency in milliseconds by kind, citation checks and one row a question.

    A question that is refused is asked once more of a chain that never refuses, so that the risk of every
    coverage is known.
    """
    bold = chain.without_doubts()
    rows: list[dict[str, Any]] = []
    for case in cases:
        answer = chain.ask(case.question)
        forced = answer if answer.status == "answered" else bold.ask(case.question)
        rows.append(
            {
                "id": case.question.id, "kind": case.kind, "question": case.question.text, "read_as": answer.read_as,
                "verdict": verdict(case, answer), "citations_hold": citations_hold(chain, answer),
                "status": answer.status, "short": answer.short, "text": answer.text,
                "confidence": round(answer.confidence, 4), "milliseconds": round(answer.milliseconds, 1),
                "right_if_answered": case.answerable and verdict(case, forced) == "right",
            }
        )  # fmt: skip
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    asked = [r for r, c in zip(rows, cases, strict=True) if c.answerable]
    others = [r for r, c in zip(rows, cases, strict=True) if not c.answerable]
    return {
        "questions": len(rows),
        "right": _count(rows, "right"),
        "answerable_right": _share(_count(asked, "right"), len(asked)),
        "answerable_refused": _share(_count(asked, "refused"), len(asked)),
        "unanswerable_refused": _share(sum(r["status"] != "answered" for r in others), len(others)),
        "kinds": {
            kind: {
                "questions": len(of), **{v: _count(of, v) for v in ("right", "wrong", "refused")},
                "p50_ms": round(statistics.median(r["milliseconds"] for r in of), 1),
            }
            for kind, of in sorted(kinds.items())
        },
        **latency([r["milliseconds"] for r in rows]),
        "unchecked": sum(c.answerable and c.kind != "ambiguous" and not (c.gold or c.evidence) for c in cases),
        "broken_citations": sum(not r["citations_hold"] for r in rows),
        "aurc": area_under_risk(rows),
        "rows": rows,
    }  # fmt: skip


def latency(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 95th percentile."""
    times = sorted(milliseconds)
    return {
        "p50_ms": round(statistics.median(times), 1) if times else None,
        "p95_ms": round(times[math.ceil(0.95 * len(times)) - 1], 1) if times else None,
    }


def risk_coverage(rows: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return (coverage, risk) as ever less confident answers are given (El-Yaniv and Wiener 2010).

    Coverage is the share of questions answered, risk the share of those answers that are wrong; an answer to an
    unanswerable question is wrong.
    """
    points, wrong = [], 0
    for n, row in enumerate(sorted(rows, key=lambda r: -r["confidence"]), start=1):
        wrong += not row["right_if_answered"]
        points.append((n / len(rows), wrong / n))
    return points


def area_under_risk(rows: Sequence[dict[str, Any]]) -> float | None:
    """Return the area under the risk–coverage curve: lower is better."""
    points = risk_coverage(rows)
    return round(sum(risk for _, risk in points) / len(points), 4) if points else None


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for every question whose verdict differs between two results, and for new and missing ones."""
    old = {str(r["id"]): r for r in before["rows"]}
    new = {str(r["id"]): r for r in after["rows"]}
    lines = [
        f"{old[i]['verdict']} → {row['verdict']}: {i} {row['question']} → {row['text']}"
        for i, row in new.items()
        if i in old and old[i]["verdict"] != row["verdict"]
    ]
    for name, ids in (("new", new.keys() - old.keys()), ("no longer asked", old.keys() - new.keys())):
        if ids:
            lines.append(f"{name}: {len(ids)} questions")
    gained = after["right"] - before["right"]
    return [
        *sorted(lines),
        f"right {before['right']} → {after['right']} ({gained:+d}); p50 {before['p50_ms']} → {after['p50_ms']} ms",
    ]


def draw(result: dict[str, Any], file: Path) -> None:
    """Draw the risk–coverage curve of a result as a PNG."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    points = risk_coverage(result["rows"])
    figure, axes = pyplot.subplots(figsize=(6, 4), dpi=150)
    axes.plot([c for c, _ in points], [r for _, r in points], color="#0b7285")
    answered = [r for r in result["rows"] if r["status"] == "answered"]
    if answered:
        share = len(answered) / len(result["rows"])
        wrong = sum(r["verdict"] == "wrong" for r in answered) / len(answered)
        axes.plot(
            [share], [wrong], "o", color="#c92a2a", label=f"as shipped: {share:.0%} answered, {wrong:.0%} of them wrong"
        )
        axes.legend(frameon=False)
    axes.set(xlabel="coverage: share of questions answered", ylabel="risk: share of answers that are wrong")
    axes.set(xlim=(0, 1), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def print_report(result: dict[str, Any]) -> None:
    """Print the table by kind and the rows that failed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    columns = ("questions", "right", "wrong", "refused", "p50_ms")
    table = Table("kind", *columns)
    for kind, counts in result["kinds"].items():
        table.add_row(kind, *(str(counts[k]) for k in columns))
    console = Console(highlight=False, emoji=False)
    console.print(table)
    for row in result["rows"]:
        if row["verdict"] != "right" or not row["citations_hold"]:
            asked = f"{row['question']} (read as: {row['read_as']})" if row["read_as"] else row["question"]
            line = f"{row['verdict']} {row['confidence']:.2f}: {row['id']} {asked} → [{row['status']}] {row['text']}"
            console.print(escape(line))
    console.print(
        f"{result['right']} of {result['questions']} right; answerable: {_percent(result['answerable_right'])} right, "
        f"{_percent(result['answerable_refused'])} refused; unanswerable: {_percent(result['unanswerable_refused'])} refused; "
        f"p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms; "
        f"{result['broken_citations']} answers with a broken citation; area under risk–coverage {result['aurc']}"
    )
    if result["unchecked"]:
        console.print(f"{result['unchecked']} rows have neither gold nor evidence: any answer to them counts as right.")


def _count(rows: Sequence[dict[str, Any]], found: str) -> int:
    return sum(r["verdict"] == found for r in rows)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
