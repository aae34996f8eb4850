"""Fit the models that rank sentences and decide to answer, on questions that have been asked and read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.answerability import CERTAIN, DOUBTFUL, UNNAMED, both, gate_vector, lead, penalty
from bot.second_look import LOOK_NAMES
from bot.signals import NAMES, READ_NAMES
from tests.bench.asked import Array, Asked

EASY = {"left out", "off-topic", "far"}
# The share of questions that users are taken to ask in vain, half of them of what is not there at all.
UNANSWERABLE = 0.35
SHIPPED_SHARE = 0.35
SUBJECT_C, FACT_C = 0.03, 0.03
LIKENESS = frozenset(
    "cosine passage_cosine fused first coverage near_coverage context_coverage names context_names numbers context_numbers years type "
    "bm25 rarest soft soft_near soft_context attribute soft_attribute weakest weakest_near weakest_name unit proximity clause".split()
)
READ_LIKENESS = frozenset({"evidence", "span", "answerable", "span_fits", "span_unit"})
"""Signals of how well a sentence and the question go together, by words and vectors (0 to 1) and by the reader."""


def narrowed(row: Asked) -> Asked:
    """Keep the candidates that the reader has read, as the product does where two passages do not settle a question."""
    assert row.r is not None
    kept = np.flatnonzero(~np.isnan(row.r[:, 0]))
    return replace(
        row, x=row.x[kept], y=row.y[kept], keys=[row.keys[i] for i in kept], places=[row.places[i] for i in kept],
        r=row.r[kept],
    )  # fmt: skip


def inputs(row: Asked, name: str) -> Array:
    """Return the signals of a question's candidates as the model of this name sees them."""
    if name == "unread":
        return row.x
    assert row.r is not None
    return np.concatenate([row.x, row.r], axis=1)


def rank_rows(vectors: Array) -> Array:
    """Return the ranker's inputs for the candidates of one question, shape (candidates, 2 x signals)."""
    return np.concatenate([vectors, vectors - vectors.max(axis=0)], axis=1)


def fit_rank(rows: Sequence[Asked], name: str) -> LogisticRegression:
    """Fit the ranker on answerable questions whose evidence was retrieved."""
    used = [r for r in rows if r.answerable and r.y.any()]
    x = np.concatenate([rank_rows(inputs(r, name)) for r in used])
    y = np.concatenate([r.y for r in used])
    others = sum(r.area != "shipped" for r in used)
    share = SHIPPED_SHARE * others / (len(used) - others) if 0 < others < len(used) else 1.0
    weight = np.concatenate([
        np.where(r.y, 10.0 / max(1, r.y.sum()), 10.0 / len(r.y)) * (share if r.area == "shipped" else 1.0) for r in used
    ])  # fmt: skip
    own = _likeness(name)
    return _fit(x, y, weight * len(y) / weight.sum(), 0.3, [*own, *(x.shape[1] // 2 + i for i in own)])


def _fit(x: Array, y: np.ndarray, weight: np.ndarray, c: float, rising: Sequence[int] = ()) -> LogisticRegression:
    """Fit a logistic regression on scaled signals and return it in terms of the signals themselves.

    Columns that are `rising` get no negative weight: one that would have is left out, and the others are fitted again.
    """
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    x = (x - mean) / scale
    kept = np.ones(x.shape[1], bool)
    while True:
        fitted = LogisticRegression(C=c, max_iter=1000).fit(x * kept, y, sample_weight=weight)
        falling = [i for i in rising if kept[i] and fitted.coef_[0, i] < 0]
        if not falling:
            break
        kept[falling] = False
    fitted.coef_ = fitted.coef_ * kept / scale
    fitted.intercept_ = fitted.intercept_ - fitted.coef_ @ mean
    return fitted


def gate_rows(rows: Sequence[Asked], rank: LogisticRegression, name: str) -> tuple[np.ndarray, list[int]]:
    """Return the gate's inputs and which candidate is the best of each question."""
    xs, tops = [], []
    names = [*NAMES, *READ_NAMES]
    for r in rows:
        vectors = inputs(r, name)
        scores = rank.decision_function(rank_rows(vectors))
        ordered = scores - UNNAMED * (1 - vectors[:, NAMES.index("weakest_name")])
        top = int(np.argmax(ordered))
        signals = dict(zip(names, map(float, vectors[top]), strict=False))
        xs.append(gate_vector(signals, float(scores[top]), lead([float(s) for s in ordered], r.keys)))
        tops.append(top)
    return np.array(xs), tops


def fit_gates(rows: Sequence[Asked], rank: LogisticRegression, name: str) -> dict[str, LogisticRegression]:
    """Fit the parts of the gate, each on the questions whose evidence comes first and on one kind that has no answer.

    "subject": those whose document is not there, and those off the topic; "fact": those that were made unanswerable on
    purpose, whose passage all but answers; "looked": the same with a second look. One model of both kinds would learn
    from the first that many shared words make an answer, which near misses have more of than answers do.
    """
    x, tops = gate_rows(rows, rank, name)
    answerable = np.array([r.answerable for r in rows])
    right = answerable & np.array([bool(r.y[t]) for r, t in zip(rows, tops, strict=True)])
    easy = ~answerable & np.array([r.kind in EASY for r in rows])
    hard = ~answerable & ~easy
    shipped = np.array([r.area == "shipped" for r in rows])
    parts = {"subject": (x, right | easy, SUBJECT_C), "fact": (x, right | hard, FACT_C)}
    again = seen_again(rows, tops)
    known = ~np.isnan(again[:, 0])
    # Without a reader there is nobody to look again.
    if name == "read" and known.any():
        parts["looked"] = (np.concatenate([x, again], axis=1), (right | hard) & known, FACT_C)
    return {
        part: _fit(signals[used], right[used], _weights(right[used], shipped[used]), c, rising(name))
        for part, (signals, used, c) in parts.items()
    }


def rising(name: str) -> list[int]:
    """Return the columns of the gate's inputs that may only speak for an answer.

    A sentence that holds more of the question must never be less likely to answer it. In sets made to mislead it would be:
    their unanswerable questions share more words with the passage than the others do, those of people do not.
    """
    names = [*NAMES, *(READ_NAMES if name == "read" else ())]
    squares = [len(names) + i for i, n in enumerate(names) if n in LIKENESS]
    return [*_likeness(name), *squares]


def _likeness(name: str) -> list[int]:
    names = [*NAMES, *(READ_NAMES if name == "read" else ())]
    return [i for i, n in enumerate(names) if n in LIKENESS | READ_LIKENESS]


def _weights(right: np.ndarray, shipped: np.ndarray) -> np.ndarray:
    """Return weights by which the unanswerable are one half of UNANSWERABLE, and the shipped corpus is one set of several."""
    weight = np.where(right, (1 - UNANSWERABLE) / max(1, right.sum()), UNANSWERABLE / 2 / max(1, (~right).sum()))
    if shipped.any() and not shipped.all():
        # It stands with some hundreds of questions beside thousands.
        weight[shipped] *= SHIPPED_SHARE * weight[~shipped].sum() / weight[shipped].sum()
    weighted: np.ndarray = weight * len(weight) / weight.sum()
    return weighted


def seen_again(rows: Sequence[Asked], tops: Sequence[int]) -> np.ndarray:
    """Return the signals of a second look at the candidates `tops`, shape (rows, LOOK_NAMES); not a number where none was taken."""
    none = [np.nan] * len(LOOK_NAMES)
    return np.array([r.looked.get((r.keys[t], r.places[t]), none) for r, t in zip(rows, tops, strict=True)])


def probabilities(
    rows: Sequence[Asked], tops: Sequence[int], x: np.ndarray, gates: dict[str, LogisticRegression], name: str
) -> np.ndarray:
    """Return the probability of each question that its best candidate answers, as the product does where it reads all."""
    names = [*NAMES, *READ_NAMES]
    signals = [dict(zip(names, map(float, inputs(r, name)[t]), strict=False)) for r, t in zip(rows, tops, strict=True)]
    subject, fact = (gates[part].decision_function(x) for part in ("subject", "fact"))
    p = np.array([both(a, b, penalty(s)) for a, b, s in zip(subject, fact, signals, strict=True)])
    if "looked" in gates:
        again = seen_again(rows, tops)
        for i in np.flatnonzero((p >= DOUBTFUL) & (p < CERTAIN) & ~np.isnan(again[:, 0])):
            odds = float(gates["looked"].decision_function([[*x[i], *again[i]]])[0])
            p[i] = both(subject[i], odds, penalty(signals[i]))
    return p


def cross_validated(rows: Sequence[Asked], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return for each question its probability by models fitted on the other areas, and whether evidence came first.

    The shipped questions are cut into five parts, since no other area is like them.
    """
    groups = np.array(
        [f"shipped {hash_part(r.question)}" if r.area == "shipped" else r.area.split(" in ")[0] for r in rows]
    )
    probability, right = np.zeros(len(rows)), np.zeros(len(rows), bool)
    for group in sorted(set(groups)):
        train, test = (
            [r for r, g in zip(rows, groups, strict=True) if g != group],
            np.flatnonzero(groups == group).tolist(),
        )
        rank = fit_rank(train, name)
        x, tops = gate_rows([rows[i] for i in test], rank, name)
        probability[test] = probabilities([rows[i] for i in test], tops, x, fit_gates(train, rank, name), name)
        right[test] = [bool(rows[i].y[t]) for i, t in zip(test, tops, strict=True)]
    return probability, right


def hash_part(text: str, parts: int = 5) -> int:
    """Return which part a question belongs to, the same in every run."""
    return sum(map(ord, text)) % parts
