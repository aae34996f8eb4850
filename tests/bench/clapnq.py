"""Long answers made of sentences: `python -m tests.bench.clapnq --data ../shared/bench`.

CLAPnq (Rosenthal et al. 2025): real questions to a search engine, each asked of its own passage. The cited sentences
are measured against the gold ones, and refusal against unanswerable questions, beside the first three sentences and
those of the highest cosine, encoded by themselves. Prints one JSON line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoder
from tests.bench.measures import Span, about_the_same, encode, mean, refusal
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
    read_jsonl,
    sample,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: which sentences of its passage are given, and with what confidence."""

    question: Row
    given: frozenset[int]
    score: float
    answered: bool = True


def main() -> None:
    options = parser(__doc__).parse_args()
    (file,) = needed(options.data, "clapnq/questions.jsonl")
    questions = [{**q, "text": " ".join(q["sentences"])} for q in sample(read_jsonl(file), options.limit)]
    with indexed(questions) as index:
        ask = Asker(index)
        found = [product(index, ask, q) for q in progress(questions, "asking")]
        ranked = [by_cosine(index.encoder, q) for q in progress(questions, "top cosine")]
    plain = {"lead 3": [Outcome(q, frozenset(range(min(3, len(q["sentences"])))), 0.0) for q in questions]}
    for n in (1, 2, 3):
        plain[f"top cosine {n}"] = [
            Outcome(q, frozenset(r[:n]), s) for q, (r, s) in zip(questions, ranked, strict=True)
        ]
    beside = {name: cited_figures(outcomes) for name, outcomes in plain.items()}
    figures: Row = {
        "product": cited_figures(found) | refusal_figures(found) | {
            "answerable refused": mean(not o.answered for o in found if o.question["answerable"]),
            "unanswerable refused": mean(not o.answered for o in found if not o.question["answerable"]),
        },
        **beside,
        "top cosine as confidence": refusal_figures(plain["top cosine 1"]),
        "best baseline": max(beside, key=lambda name: beside[name]["f1"] or 0.0),
    }  # fmt: skip
    print_figures("clapnq", options, {"questions": len(questions), "fitted on": fitted_on(), **figures})


def product(index: Within, ask: Asker, question: Row) -> Outcome:
    """Ask the product a question of its own passage."""
    index.document = question["id"]
    asked: Asked = ask(question["question"])
    given: set[int] = set()
    for c in asked.forced.citations:
        given |= sentences_in(question["sentences"], (c.start, c.end))
    return Outcome(question, frozenset(given), asked.confidence, asked.answered)


def sentences_in(sentences: Sequence[str], cited: Span) -> set[int]:
    """Return the numbers of the set's sentences that a cited span is about: half of it or of them is shared.

    The product cuts the running text by its own rules, so that its sentences are not always those of the set.

    >>> sentences_in(["One .", "Two and more ."], (6, 20))
    {1}
    """
    found, start = set(), 0
    for number, sentence in enumerate(sentences):
        own = (start, start + len(sentence))
        if about_the_same(own, cited):
            found.add(number)
        start = own[1] + 1
    return found


def by_cosine(encoder: Encoder, question: Row) -> tuple[list[int], float]:
    """Return the sentences of a passage, nearest to the question first, and the cosine of the nearest."""
    cosines = encode(encoder, question["sentences"]) @ encoder.encode_query(question["question"])
    order = [int(i) for i in np.argsort(-cosines)]
    return order, float(cosines[order[0]])


def cited_figures(found: Sequence[Outcome]) -> dict[str, float | None]:
    """Return the mean precision, recall and F1 of given sentences, of answerable questions and without abstention."""
    rows = []
    for o in found:
        gold = {i for i, s in enumerate(o.question["sentences"]) if s in o.question["gold_sentences"]}
        if o.question["answerable"] and gold:
            hit = len(gold & o.given)
            precision, recall = hit / len(o.given) if o.given else 0.0, hit / len(gold)
            rows.append((precision, recall, 2 * hit / (len(gold) + len(o.given)), len(o.given)))
    return {name: mean(r[i] for r in rows) for i, name in enumerate(("precision", "recall", "f1", "sentences"))}


def refusal_figures(found: Sequence[Outcome]) -> Row:
    """Return answerability AUC, and refusal of the unanswerable where a tenth of the answerable is refused."""
    answerable = [o.score for o in found if o.question["answerable"]]
    return refusal(answerable, [o.score for o in found if not o.question["answerable"]])


if __name__ == "__main__":
    main()
