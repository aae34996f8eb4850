"""Does this sentence answer this question? A calibrated probability, and the ways to say no."""

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from bot.signals import NAMES, Candidate, signal_vector

ANSWER = 0.5
"""The calibrated probability from which a question counts as answered."""

# Log-odds that a defining sentence gains where a definition is asked for: too rare in the data to be fitted.
_DEFINES = 1.5
_PAIRS = (
    ("cosine", "coverage"), ("cosine", "names"), ("coverage", "type"), ("context_coverage", "context_names"), ("cosine", "type"),
    ("unknown", "cosine"), ("context_coverage", "cosine"),
)  # fmt: skip


@lru_cache(maxsize=1)
def _model() -> dict[str, dict[str, list[float] | float]]:
    text = resources.files("bot").joinpath("answerability.json").read_text(encoding="utf-8")
    model: dict[str, dict[str, list[float] | float]] = json.loads(text)
    if model["signals"] != list(NAMES):  # type: ignore[comparison-overlap]
        raise ValueError("bot/answerability.json was fitted with other signals: run tests/bench/calibrate.py")
    return model


def rank_scores(found: Sequence[Candidate]) -> list[float]:
    """Return, for each candidate of one question, the log-odds that it is the evidence.

    A candidate is seen by its signals and by how far each lies below the best of all candidates.
    """
    vectors = [signal_vector(c) for c in found]
    best = [max(column) for column in zip(*vectors, strict=True)]
    scores = [_dot("rank", [*v, *(x - b for x, b in zip(v, best, strict=True))]) for v in vectors]
    return [s + _DEFINES * c.signals["defines"] for s, c in zip(scores, found, strict=True)]


def gate_vector(values: Sequence[float], score: float, lead: float) -> list[float]:
    """Return what the gate sees of the best candidate: its signals, their squares, telling products, score and lead."""
    s = dict(zip(NAMES, values, strict=True))
    products = [s[a] * s[b] for a, b in _PAIRS]
    return [*values, *(v * v for v in values), *products, score, lead]


def lead(scores: Sequence[float], passages: Sequence[object]) -> float:
    """Return how far the best score lies above the best of another passage; 2 where there is no other."""
    top = max(range(len(scores)), key=lambda i: scores[i])
    others = [s for s, p in zip(scores, passages, strict=True) if p != passages[top]]
    return scores[top] - max(others, default=scores[top] - 2.0)


def probability(ranked: Sequence[Candidate], scores: Sequence[float]) -> float:
    """Return the calibrated probability that the best-ranked candidate's passage answers the question."""
    passages = [(c.evidence.document.id, c.evidence.passage.start) for c in ranked]
    vector = gate_vector(signal_vector(ranked[0]), scores[0], lead(scores, passages))
    return 1 / (1 + math.exp(-_dot("gate", vector)))


def _dot(name: str, values: Sequence[float]) -> float:
    part = _model()[name]
    weights, intercept = part["weights"], part["intercept"]
    assert isinstance(weights, list)
    assert isinstance(intercept, float)
    return sum(w * v for w, v in zip(weights, values, strict=True)) + intercept
