"""Reading sets of our own: `python -m tests.bench.reading --data ../shared/reading [--area [NAME …]]`.

All passages are one corpus. A question is answered right where a cited sentence is evidence. Every question is asked as
it stands alone; follow-ups once more as they were typed, with the turns before them. Beside the product stands the
sentence of the highest cosine among the passages that its retrieval brings, with that cosine as its confidence. The
shipped models were fitted on some of the areas, which "fitted on" names. Prints one JSON line.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.evaluation import latency
from bot.training.squad import f1
from tests.bench.measures import Span, about_the_same, mean, nearest, recall, refusal, risks
from tests.bench.sets import (
    Asker,
    Row,
    Within,
    documents,
    fitted_on,
    indexed,
    parser,
    print_figures,
    progress,
    read_jsonl,
    reading,
    sample,
)
from tests.bench.squad2 import best_f1, exact

_K = 20
"""Passages that are retrieved, as the chain does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question. `right` is what its best answer is, given or not; `top` is the baseline's."""

    question: Row
    answered: bool
    score: float
    right: bool
    cited: int
    short: str
    ranked: list[str]
    top: tuple[float, bool]
    read_as: str
    milliseconds: float


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--area", nargs="*", metavar="NAME", help="report each area by itself, or ask of these alone")
    options = made.parse_args()
    files = sorted(options.data.glob("*.jsonl")) if options.data else []
    if not files:
        place = options.data or "DATA"
        print(f"skipped: no reading sets in {place}; give the folder that holds them with --data DIR", file=sys.stderr)
        return
    areas = {f.stem: read_jsonl(f) for f in files}
    unknown = set(options.area or ()) - areas.keys()
    if unknown:
        sys.exit(f"there is no area {', '.join(sorted(unknown))}: the areas are {', '.join(areas)}")
    questions = sample([q for a in options.area or areas for p in areas[a] for q in of_passage(a, p)], options.limit)
    with indexed(p for passages in areas.values() for p in passages) as index:
        ask = Asker(index)
        alone = [asked(index, ask, q, q["standalone"] or q["question"]) for q in progress(questions, "asking")]
        follow_ups = [q for q in questions if q["history"]]
        typed = [asked(index, ask, q, q["question"], q["history"]) for q in progress(follow_ups, "follow-ups")]
    result = {
        "passages": sum(map(len, areas.values())), "fitted on": fitted_on(), **figures(alone), **kinds(alone),
        "top cosine": baseline(alone),
        "follow-ups": {
            "standing alone": figures([o for o in alone if o.question["history"]]),
            "with their history": figures(typed),
            "f1 of the reading": mean(f1(o.read_as, o.question["standalone"]) for o in typed),
            "f1 as typed": mean(f1(q["question"], q["standalone"]) for q in follow_ups),
        },
    }  # fmt: skip
    if options.area is not None:
        found = {a: [o for o in alone if o.question["area"] == a] for a in options.area or areas}
        result["areas"] = {a: figures(of) for a, of in found.items() if of}
    print_figures("reading", options, result)


def of_passage(area: str, passage: Row) -> list[Row]:
    """Return the questions of a passage with what is needed to judge answers: spans of its text that are evidence."""
    rows = []
    for q in passage["questions"]:
        starts = [(passage["text"].index(e), len(e)) for e in q["evidence"]]
        spans = [(start, start + length) for start, length in starts]
        rows.append({**q, "area": area, "passage": passage["id"], "text": passage["text"], "spans": spans})
    return rows


def asked(index: Within, ask: Asker, question: Row, text: str, history: Sequence[str] = ()) -> Outcome:
    """Ask one question of all passages."""
    result = ask(text, history)
    found = index.retrieve(reading(result.answer), _K)
    top = nearest(found)
    citations = result.forced.citations
    right = any(is_evidence(question, c.document, (c.start, c.end), c.quote) for c in citations)
    return Outcome(
        question, result.answered, result.confidence, right, len(citations), result.forced.short or "",
        documents(found),
        (top[1].cosine, is_evidence(question, top[0].document.id, (top[1].start, top[1].end), top[1].text)) if top else (0.0, False),
        reading(result.answer), result.answer.milliseconds,
    )  # fmt: skip


def is_evidence(question: Row, document: str, span: Span, quote: str) -> bool:
    """Tell whether a quoted span of a document is evidence for a question."""
    if document != question["passage"]:
        return False
    assert question["text"][span[0] : span[1]] == quote, "the loader reads another text than the set has"
    return any(about_the_same(span, gold) for gold in question["spans"])


def figures(found: Sequence[Outcome]) -> Row:
    """Return what is answered right, wrong and not at all, and how well confidence tells the two sides apart."""
    answerable, others = sides(found)
    spans = [o for o in answerable if o.question["answer"]]
    return {
        "questions": len(found),
        "answerable right": mean(o.answered and o.right for o in answerable),
        "answerable wrong": mean(o.answered and not o.right for o in answerable),
        "answerable refused": mean(not o.answered for o in answerable),
        "unanswerable refused": mean(not o.answered for o in others),
        "right, never refusing": mean(o.right for o in answerable),
        **{f"r@{k}": mean(recall(o.ranked, [o.question["passage"]], k) for o in answerable) for k in (1, 5, _K)},
        "sentences cited": mean(o.cited for o in answerable),
        "short given": mean(bool(o.short) for o in spans),
        "short em": mean(gold_score(o, exact) for o in spans),
        "short f1": mean(gold_score(o, best_f1) for o in spans),
        **refusal([o.score for o in answerable], [o.score for o in others]),
        **risks((o.score, o.question["answerable"] and o.right) for o in found),
        **latency([o.milliseconds for o in found]),
    }


def sides(found: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Return the outcomes of answerable and of unanswerable questions."""
    return [o for o in found if o.question["answerable"]], [o for o in found if not o.question["answerable"]]


def gold_score(outcome: Outcome, score: Callable[[Row, str], float]) -> float:
    """Score the short answer of a question, given or not, against its span, as SQuAD does."""
    return score({"answers": [outcome.question["answer"]]}, outcome.short)


def kinds(found: Sequence[Outcome]) -> Row:
    """Return by kind how many answerable questions are answered right, and how many of the others are refused."""
    answerable, others = sides(found)
    return {
        "answerable right by kind": by_kind(answerable, lambda o: o.answered and o.right),
        "answerable refused by kind": by_kind(answerable, lambda o: not o.answered),
        "unanswerable refused by kind": by_kind(others, lambda o: not o.answered),
    }


def by_kind(found: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> dict[str, float | None]:
    """Return the share of outcomes of each kind of question for which something holds."""
    names = sorted({o.question["kind"] for o in found})
    return {name: mean(holds(o) for o in found if o.question["kind"] == name) for name in names}


def baseline(found: Sequence[Outcome]) -> Row:
    """Return the figures of the top cosine, with the threshold that refuses as many answerable ones as the product."""
    answerable, others = sides(found)
    refused = mean(not o.answered for o in answerable) or 0.0
    return {
        "right, never refusing": mean(o.top[1] for o in answerable),
        **refusal([o.top[0] for o in answerable], [o.top[0] for o in others], refused),
        **risks((o.top[0], o.question["answerable"] and o.top[1]) for o in found),
    }


if __name__ == "__main__":
    main()
