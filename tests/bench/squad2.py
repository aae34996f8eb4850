"""Reading and abstaining: `python -m tests.bench.squad2 --data ../shared/bench`.

SQuAD 2.0 (Rajpurkar et al. 2018). Each question is asked twice: against the paragraph that it was written for, and
over all paragraphs as one corpus. Beside the first stands the sentence of the highest cosine, encoded by itself.
Prints one JSON line.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from corpus.sentences import sentence_spans
from index.encoder import Encoder, Vectors
from tests.bench.measures import Span, encode, f1, mean, normalised, overlaps
from tests.bench.sets import Asked, Asker, Row, Within, indexed, needed, parser, progress, read_squad

PUBLISHED = {"MiniLM-L6-H384 f1": 0.756, "DistilBERT f1": 0.682}
"""On the full development set, fine-tuned to read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: a score of confidence, what is said as the answer, and what was cited."""

    question: Row
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
    with indexed(paragraphs) as index:
        given = outcomes(paragraphs, lambda p: product(index, p, within=True), "given paragraph")
        plain = outcomes(paragraphs, lambda p: nearest(index.encoder, p), "top cosine")
        opened = outcomes(paragraphs, lambda p: product(index, p, within=False), "all paragraphs")
    figures = {"given paragraph": product_figures(given), "open": product_figures(opened), "given paragraph, top cosine": shared_figures(plain)}  # fmt: skip
    print(json.dumps({"set": "squad2", "paragraphs": len(paragraphs), "questions": len(given), **figures, "published": PUBLISHED}))  # fmt: skip


def outcomes(paragraphs: Sequence[Row], answer: Callable[[Row], list[Outcome]], label: str) -> list[Outcome]:
    """Return the outcomes of the questions of all paragraphs."""
    return [o for p in progress(paragraphs, label) for o in answer(p)]


def product(index: Within, paragraph: Row, *, within: bool) -> list[Outcome]:
    """Ask the product a paragraph's questions, of that paragraph alone or of all."""
    index.document = paragraph["id"] if within else None
    ask = Asker(index)
    return [_outcome(q, ask(q["question"]), paragraph["id"]) for q in paragraph["questions"]]


def _outcome(question: Row, asked: Asked, paragraph: str) -> Outcome:
    citations = asked.forced.citations
    quote = citations[0].quote if citations else ""
    short = asked.forced.short or ""
    right = any(c.document == paragraph and holds(question, (c.start, c.end)) for c in citations)
    return Outcome(question, asked.confidence, short or quote, right, len(citations), short, asked.answered)


def holds(question: Row, span: Span) -> bool:
    """Tell whether a span of the paragraph holds one of the gold answers."""
    return any(overlaps(span, s) == s[1] - s[0] for s in question["spans"])


def nearest(encoder: Encoder, paragraph: Row) -> list[Outcome]:
    """Answer a paragraph's questions with the sentence of the highest cosine, which is the confidence as well."""
    spans = sentence_spans(paragraph["text"])
    texts = [paragraph["text"][a:b] for a, b in spans]
    vectors: Vectors = encode(encoder, texts)
    result = []
    for q in paragraph["questions"]:
        cosines = vectors @ encoder.encode_query(q["question"])
        best = int(np.argmax(cosines))
        result.append(Outcome(q, float(cosines[best]), texts[best], holds(q, spans[best]), 1))
    return result


def product_figures(found: Sequence[Outcome]) -> Row:
    """Return the figures of the product: those it shares with the baseline, its short answers and its refusals."""
    answerable = [o for o in found if o.question["answerable"]]
    others = [o for o in found if not o.question["answerable"]]
    return shared_figures(found) | {
        "short given": mean(bool(o.short) for o in answerable),
        "short em": mean(exact(o.question, o.short) for o in answerable),
        "short f1": mean(best_f1(o.question, o.short) for o in answerable),
        "answered and right sentence": mean(o.answered and o.cites_answer for o in answerable),
        "answerable refused": mean(not o.answered for o in answerable),
        "unanswerable refused": mean(not o.answered for o in others),
    }


def shared_figures(found: Sequence[Outcome]) -> Row:
    """Return answerability AUC, sentence accuracy without abstention, and the best overall F1 over thresholds."""
    answerable = [o for o in found if o.question["answerable"]]
    labels = [o.question["answerable"] for o in found]
    f1_best, threshold = best_overall(found)
    return {
        "auc": round(float(roc_auc_score(labels, [o.score for o in found])), 4) if len(set(labels)) > 1 else None,
        "sentence": mean(o.cites_answer for o in answerable),
        "sentences cited": mean(o.cited for o in answerable),
        "best f1": f1_best,
        "at": threshold,
    }


def best_overall(found: Sequence[Outcome]) -> tuple[float, float]:
    """Return the best F1 of all questions over thresholds, and its threshold, as SQuAD 2.0's own script finds it.

    Below the threshold nothing is said, which is right for a question without an answer.
    """
    ordered = sorted(found, key=lambda o: -o.score)
    total = float(sum(not o.question["answerable"] for o in ordered))
    best, threshold = total, 1.0
    for o in ordered:
        total += best_f1(o.question, o.said) if o.question["answerable"] else -1.0
        if total > best:
            best, threshold = total, o.score
    return round(best / len(ordered), 4), round(threshold, 4)


def exact(question: Row, said: str) -> float:
    """Return 1 where what is said is one of the gold answers, by SQuAD's normalisation."""
    return float(any(normalised(said) == normalised(a) for a in question["answers"]))


def best_f1(question: Row, said: str) -> float:
    """Return the best F1 of what is said against the gold answers."""
    return max((f1(said, a) for a in question["answers"]), default=0.0)


if __name__ == "__main__":
    main()
