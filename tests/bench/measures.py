"""Measures and baselines of the benches over question sets."""

import re
from collections.abc import Collection, Iterable, Sequence

import bm25s
import numpy as np
from sklearn.metrics import ndcg_score, roc_auc_score

from bot.evaluation import area_under_risk, risk_coverage
from index.encoder import Encoder, PassageText, Vectors
from index.retriever import Evidence, ScoredSentence
from index.terms import terms

Span = tuple[int, int]

FALSE_REFUSALS = 0.1
"""The share of answerable questions that may be refused where two ways of refusing are compared."""


class Bm25:
    """BM25 over whole texts with the index's own terms: the lexical baseline."""

    def __init__(self, ids: Sequence[str], texts: Iterable[str]) -> None:
        self._ids = list(ids)
        self._bm25 = bm25s.BM25(k1=1.2, b=0.75)
        self._bm25.index([terms(t) for t in texts], show_progress=False)

    def rank(self, query: str, k: int) -> list[str]:
        """Return the ids of the k best texts, best first; those that share no term are left out."""
        known = [t for t in terms(query) if t in self._bm25.vocab_dict]
        if not known:
            return []
        found, scores = self._bm25.retrieve([known], k=min(k, len(self._ids)), show_progress=False)
        return [self._ids[int(i)] for i, score in zip(found[0], scores[0], strict=True) if score > 0]


def encode(encoder: Encoder, texts: Sequence[str], contexts: Sequence[str] | None = None) -> Vectors:
    """Return the unit vectors of texts as passages without sentences, shape (texts, dimension)."""
    pairs = zip(contexts or [""] * len(texts), texts, strict=True)
    return np.stack([v.passage for v in encoder.encode_passages([PassageText(c, t, ()) for c, t in pairs])])


def nearest(found: Iterable[Evidence]) -> tuple[Evidence, ScoredSentence] | None:
    """Return the sentence of the highest cosine among retrieved passages: the baseline that answers always."""
    pairs = [(e, s) for e in found for s in e.sentences]
    return max(pairs, key=lambda pair: pair[1].cosine, default=None)


def mean(values: Iterable[float]) -> float | None:
    """Return the mean to four places, or None of nothing."""
    kept = [float(v) for v in values]
    return round(sum(kept) / len(kept), 4) if kept else None


def recall(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of the relevant that is among the first k."""
    return len(set(ranked[:k]) & set(relevant)) / len(set(relevant))


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the normalised discounted cumulative gain of the first k (Järvelin and Kekäläinen 2002), by scikit-learn."""
    # What was not found stands after k fillers, beyond what counts.
    ids = [*ranked, *[""] * k, *(set(relevant) - set(ranked))]
    gains = [float(i in relevant) for i in ids]
    return float(ndcg_score([gains], [range(len(ids), 0, -1)], k=k, ignore_ties=True))


def word_run(text: str) -> str:
    """Return the words of a text between single spaces, in lower case."""
    return " " + " ".join(re.findall(r"\w+", text.lower())) + " "


def overlaps(a: Span, b: Span) -> int:
    """Return how many characters two spans share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def about_the_same(a: Span, b: Span) -> bool:
    """Tell whether two spans of a text share at least half of the shorter: one cut by other rules than its like."""
    shorter = min(a[1] - a[0], b[1] - b[0])
    return shorter > 0 and 2 * overlaps(a, b) >= shorter


def refusal(
    answerable: Sequence[float], others: Sequence[float], false_refusals: float = FALSE_REFUSALS
) -> dict[str, float | None]:
    """Return AUC of scores that tell answerable questions from others, and how many others a fair threshold refuses."""
    if not answerable or not others:
        return {"auc": None}
    labels = [True] * len(answerable) + [False] * len(others)
    threshold = float(np.quantile(answerable, false_refusals))
    return {
        "auc": round(float(roc_auc_score(labels, [*answerable, *others])), 4),
        f"unanswerable refused at {false_refusals:.0%} false": mean(s < threshold for s in others),
    }


def risks(
    found: Iterable[tuple[float, bool]], coverages: Sequence[float] = (0.25, 0.5, 0.75)
) -> dict[str, float | None]:
    """Return the area under the risk–coverage curve of (confidence, right if answered), and some of its points."""
    rows = [{"confidence": score, "right_if_answered": right} for score, right in found]
    points = risk_coverage(rows)
    reached = {c: next((risk for share, risk in points if share >= c), None) for c in coverages}
    return {"aurc": area_under_risk(rows), **{f"risk at {c:.0%}": r and round(r, 4) for c, r in reached.items()}}
