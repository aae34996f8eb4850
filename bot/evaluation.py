"""Measure answers on a question set: what is right, what is wrong, what is refused, and which rows failed."""

import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
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


def verdict(case: Case, answer: Answer) -> str:
    """Return "right", "wrong" or "refused"; a refused unanswerable question is right."""
    answered = answer.status == "answered"
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
    """Ask every question; return counts by kind, latency in milliseconds, citation checks and the failed rows."""
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"questions": 0, "right": 0, "wrong": 0, "refused": 0})
    failed, times, broken = [], [], 0
    for case in cases:
        answer = chain.ask(case.question)
        result = verdict(case, answer)
        kinds[case.kind]["questions"] += 1
        kinds[case.kind][result] += 1
        times.append(answer.milliseconds)
        holds = citations_hold(chain, answer)
        broken += not holds
        if result != "right" or not holds:
            failed.append(
                {
                    "id": case.question.id, "kind": case.kind, "question": case.question.text, "read_as": answer.read_as,
                    "verdict": result, "citations_hold": holds, "status": answer.status, "short": answer.short,
                    "text": answer.text, "confidence": round(answer.confidence, 3),
                }
            )  # fmt: skip
    times.sort()
    return {
        "questions": len(cases),
        "right": sum(k["right"] for k in kinds.values()),
        "kinds": dict(sorted(kinds.items())),
        "p50_ms": round(statistics.median(times), 1) if times else None,
        "p95_ms": round(times[int(0.95 * (len(times) - 1))], 1) if times else None,
        "broken_citations": broken,
        "failed": failed,
    }


def print_report(result: dict[str, Any]) -> None:
    """Print the table by kind and the rows that failed."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("kind", "questions", "right", "wrong", "refused")
    for kind, counts in result["kinds"].items():
        table.add_row(kind, *(str(counts[k]) for k in ("questions", "right", "wrong", "refused")))
    console = Console(highlight=False, emoji=False)
    console.print(table)
    for row in result["failed"]:
        console.print(escape(f"{row['verdict']}: {row['id']} {row['question']} → [{row['status']}] {row['text']}"))
    console.print(
        f"{result['right']} of {result['questions']} right; p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms; "
        f"{result['broken_citations']} answers with a broken citation"
    )
