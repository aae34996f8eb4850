"""Measures and baselines of the benches over question sets."""

import re
import string
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import bm25s
import numpy as np
from sklearn.metrics import ndcg_score

from index.encoder import Encoder, PassageText, Vectors
from index.terms import terms

Span = tuple[int, int]


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


def normalised(text: str) -> str:
    """Normalise an answer as SQuAD does (Rajpurkar et al. 2016): no case, punctuation, articles, nor extra space.

    >>> normalised("The  Norman-French.")
    'normanfrench'
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(said: str, gold: str) -> float:
    """Return SQuAD's F1 of the words of an answer; two empty answers agree."""
    a, b = normalised(said).split(), normalised(gold).split()
    if not a or not b:
        return float(a == b)
    common = sum((Counter(a) & Counter(b)).values())
    return 2 * common / (len(a) + len(b))


def overlaps(a: Span, b: Span) -> int:
    """Return how many characters two spans share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))
