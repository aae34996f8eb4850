"""Reading and abstaining: `python -m tests.bench.squad2 --data ../shared/bench`.

SQuAD 2.0 (Rajpurkar et al. 2018). Each question is asked twice: against the paragraph that it was written for, and
over all paragraphs as one corpus. Beside the first stands the sentence of the highest cosine, encoded by itself.
"unread" are articles that the shipped reader was not trained on, the only unseen questions. Prints one JSON line.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.training.data import half_of
from bot.training.squad import f1, normalised
from corpus.sentences import sentence_spans
from index.encoder import Encoder
from tests.bench.measures import Span, encode, mean, overlaps, refusal, risks
from tests.bench.sets import (
    Asked,
    Asker,
    Row,
    Within,
    fitted_on,
    indexed,
    needed,
    parser,
    print_figures,
    progress,
    sample,
)

PUBLISHED = {"MiniLM-L6-H384 f1": 0.756, "DistilBERT f1": 0.682}
"""On the full development set, fine-tuned to read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: a score of confidence, what is said as the answer, and what was cited."""

    question: Row
    paragraph: str
    score: float
    said: str
    cites_answer: bool
    cited: int
    short: str = ""
    answered: bool = True


def main() -> None:
    options = parser(__doc__).parse_args()
    (file,) = needed(options.data, "squad2/squad2.json")
    paragraphs = read_squad(file, options.limit)
    trained = fitted_on()
    unread = {p["id"] for p in paragraphs if half(p["id"]) not in trained["reader"]}
    with indexed(paragraphs) as index:
        ask = Asker(index)
        given = outcomes(paragraphs, lambda p: product(index, ask, p, within=True), "given paragraph")
        plain = outcomes(paragraphs, lambda p: nearest_in(index.encoder, p), "top cosine")
        opened = outcomes(paragraphs, lambda p: product(index, ask, p, within=False), "all paragraphs")
    figures = {
        "given paragraph": product_figures(given),
        "given paragraph, unread": product_figures([o for o in given if o.paragraph in unread]),
        "given paragraph, top cosine": shared_figures(plain),
        "open": product_figures(opened),
        "open, unread": product_figures([o for o in opened if o.paragraph in unread]),
    }
    counts = {"paragraphs": len(paragraphs), "unread": len(unread), "questions": len(given), "fitted on": trained}
    print_figures("squad2", options, counts | figures | {"published": PUBLISHED})


def read_squad(path: Path, limit: int = 0) -> list[Row]:
    """Read paragraphs in SQuAD's format as {"id", "title", "text", "questions"}, `limit` of them if given.

    A question has {"id", "question", "answerable", "answers": its texts, "spans": their places}.
    """
    rows: list[Row] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            questions = [
                {
                    "id": q["id"], "question": q["question"], "answerable": not q.get("is_impossible", False),
                    "answers": [a["text"] for a in q["answers"]],
                    "spans": [(a["answer_start"], a["answer_start"] + len(a["text"])) for a in q["answers"]],
                }
                for q in paragraph["qas"]
            ]  # fmt: skip
            row = {"id": f"{article['title']}-{number}", "title": article["title"].replace("_", " ")}
            rows.append({**row, "text": paragraph["context"], "questions": questions})
    return sample(rows, limit)


def half(paragraph: str) -> str:
    """Return which half of the set an article belongs to, as the reader's training names it."""
    return f"squad2-{half_of(paragraph.rpartition('-')[0])}"


def outcomes(paragraphs: Sequence[Row], answer: Callable[[Row], list[Outcome]], label: str) -> list[Outcome]:
    """Return the outcomes of the questions of all paragraphs."""
    return [o for p in progress(paragraphs, label) for o in answer(p)]


def product(index: Within, ask: Asker, paragraph: Row, *, within: bool) -> list[Outcome]:
    """Ask the product a paragraph's questions, of that paragraph alone or of all."""
    index.document = paragraph["id"] if within else None
    return [_outcome(q, ask(q["question"]), paragraph["id"]) for q in paragraph["questions"]]


def _outcome(question: Row, asked: Asked, paragraph: str) -> Outcome:
    citations = asked.forced.citations
    quote = citations[0].quote if citations else ""
    short = asked.forced.short or ""
    right = any(c.document == paragraph and holds(question, (c.start, c.end)) for c in citations)
    return Outcome(question, paragraph, asked.confidence, short or quote, right, len(citations), short, asked.answered)


def holds(question: Row, span: Span) -> bool:
    """Tell whether a span of the paragraph holds one of the gold answers."""
    return any(overlaps(span, s) == s[1] - s[0] for s in question["spans"])


def nearest_in(encoder: Encoder, paragraph: Row) -> list[Outcome]:
    """Answer a paragraph's questions with the sentence of the highest cosine, which is the confidence as well."""
    spans = sentence_spans(paragraph["text"])
    texts = [paragraph["text"][a:b] for a, b in spans]
    vectors, result = encode(encoder, texts), []
    for q in paragraph["questions"]:
        cosines = vectors @ encoder.encode_query(q["question"])
        best = int(np.argmax(cosines))
        result.append(Outcome(q, paragraph["id"], float(cosines[best]), texts[best], holds(q, spans[best]), 1))
    return result


def product_figures(found: Sequence[Outcome]) -> Row:
    """Return the figures of the product: those it shares with the baseline, its short answers and its refusals."""
    answerable = [o for o in found if o.question["answerable"]]
    others = [o for o in found if not o.question["answerable"]]
    return shared_figures(found) | {
        "short given": mean(bool(o.short) for o in answerable),
        "short em": mean(exact(o.question, o.short) for o in answerable),
        "short f1": mean(best_f1(o.question, o.short) for o in answerable),
        "em as asked": mean(as_asked(o, exact) for o in found),
        "f1 as asked": mean(as_asked(o, best_f1) for o in found),
        "answered and right sentence": mean(o.answered and o.cites_answer for o in answerable),
        "answerable refused": mean(not o.answered for o in answerable),
        "unanswerable refused": mean(not o.answered for o in others),
    }


def shared_figures(found: Sequence[Outcome]) -> Row:
    """Return answerability AUC, sentence accuracy without abstention, and the best overall F1 over thresholds."""
    answerable = [o for o in found if o.question["answerable"]]
    others = [o.score for o in found if not o.question["answerable"]]
    f1_best, threshold = best_overall(found)
    return {
        **refusal([o.score for o in answerable], others),
        **risks((o.score, o.question["answerable"] and o.cites_answer) for o in found),
        "sentence": mean(o.cites_answer for o in answerable),
        "sentences cited": mean(o.cited for o in answerable),
        "best f1": f1_best,
        "at": threshold,
    }


def as_asked(outcome: Outcome, score: Callable[[Row, str], float]) -> float:
    """Score what users get: a refusal is right of an unanswerable question alone."""
    if not outcome.answered or not outcome.question["answerable"]:
        return float(outcome.answered == outcome.question["answerable"])
    return score(outcome.question, outcome.said)


def best_overall(found: Sequence[Outcome]) -> tuple[float, float]:
    """Return the best F1 of all questions over thresholds, and its threshold, as SQuAD 2.0's own script finds it.

    Below the threshold nothing is said, which is right for a question without an answer.
    """
    ordered = sorted(found, key=lambda o: -o.score)
    total = float(sum(not o.question["answerable"] for o in ordered))
    best, threshold = total, 1.0
    for o in ordered:
        total += best_f1(o.question, o.said) if o.question["answerable"] else -float(bool(o.said))
        if total > best:
            best, threshold = total, o.score
    return round(best / max(1, len(ordered)), 4), round(threshold, 4)


def exact(question: Row, said: str) -> float:
    """Return 1 where what is said is one of the gold answers, by SQuAD's normalisation."""
    return float(any(normalised(said) == normalised(a) for a in question["answers"]))


def best_f1(question: Row, said: str) -> float:
    """Return the best F1 of what is said against the gold answers."""
    return max((f1(said, a) for a in question["answers"]), default=0.0)


if __name__ == "__main__":
    main()
