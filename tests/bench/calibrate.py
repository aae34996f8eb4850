"""Fit the ranking and abstention models from named data: `python -m tests.bench.calibrate --data ../shared/reading`.

Every question is asked over all passages as one corpus, through the product's own index, signals and reader. Figures
are cross-validated by area: each area is judged by models that have not seen it, and none is one that the reader was
trained on. Writes bot/answerability.json, and with --figure a reliability diagram.
"""

import argparse
import json
import pickle
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bot.answerability import UNNAMED, gate_vector, lead, penalty
from bot.reader import Reader
from bot.signals import NAMES, READ_NAMES
from bot.training.data import LEFT_OUT
from tests.bench.asked import Array, Asked, ask_sets, ask_shipped, in_sentences, read_rows, reading_sets, squad
from tests.bench.squad2 import half

BOT = Path(__file__).parents[2] / "bot"
QUESTIONS = Path(__file__).parents[1] / "questions"
# Areas that the shipped reader was not trained on: what it says of its own training data tells nothing.
UNREAD = frozenset({*LEFT_OUT, "reports in sentences", "shipped"})
EASY = {"left out", "off-topic", "far"}
HARD_WEIGHT = 0.6
UNANSWERABLE = 0.35
SHIPPED_SHARE = 0.35


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--public", type=Path, help="folder of the public sets, to fit on SQuAD 2.0 as well")
    parser.add_argument("--rows", type=Path, help="where rows are kept: there already, they are not asked again")
    parser.add_argument("--out", type=Path, default=BOT / "answerability.json")
    parser.add_argument("--figure", type=Path, help="draw the reliability diagram")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"skipped: {arguments.data} is not there; give the folder of reading sets with --data")
    if arguments.rows and arguments.rows.is_file():
        rows: list[Asked] = pickle.loads(arguments.rows.read_bytes())
    else:
        rows = collect(arguments.data, arguments.public)
        if arguments.rows:
            arguments.rows.write_bytes(pickle.dumps(rows))
    model: dict[str, Any] = {"signals": [*NAMES, *READ_NAMES], "data": sorted({r.area for r in rows})}
    for name in ("unread", "read"):
        used = [narrowed(r) for r in rows] if name == "read" else rows
        probabilities, right = cross_validated(used, name)
        model[name] = {"figures": figures(used, probabilities, right)}
        print(json.dumps({"model": name, **model[name]["figures"]}))
        if arguments.figure:
            draw(probabilities, right, arguments.figure.with_stem(f"{arguments.figure.stem}-{name}"))
        rank = fit_rank(used, name)
        gate = fit_gate(used, rank, name)
        for part, fitted in (("rank", rank), ("gate", gate)):
            weights = [round(float(w), 5) for w in fitted.coef_[0]]
            model[name][part] = {"weights": weights, "intercept": float(fitted.intercept_[0])}
    arguments.out.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


def collect(data: Path, public: Path | None) -> list[Asked]:
    """Ask the questions of every area that the reader has not seen, then let the reader read."""
    own = reading_sets(data) | reading_sets(BOT / "training" / "data")
    rows = ask_sets(own, UNREAD)
    rows += ask_sets({f"{name} in sentences": in_sentences(p) for name, p in own.items() if name == "reports"}, UNREAD)
    if public and public.is_dir():
        halves: dict[str, list[dict[str, Any]]] = {"squad2-a": [], "squad2-b": []}
        for p in squad(public, 5):
            halves[half(p["id"])].append(p)
        rows += ask_sets(halves, UNREAD)
    rows += ask_shipped(sorted([QUESTIONS / "first.jsonl", *QUESTIONS.glob("development_*.jsonl")]))
    rank = fit_rank(rows, "unread")
    read_rows(rows, [rank.decision_function(rank_rows(inputs(r, "unread"))) for r in rows], Reader())
    return rows


def narrowed(row: Asked) -> Asked:
    """Keep the candidates that the reader has read, as the product does."""
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
    return _fit(x, y, weight * len(y) / weight.sum(), 0.3)


def _fit(x: Array, y: np.ndarray, weight: np.ndarray, c: float) -> LogisticRegression:
    """Fit a logistic regression on scaled signals and return it in terms of the signals themselves."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    fitted = LogisticRegression(C=c, max_iter=1000).fit((x - mean) / scale, y, sample_weight=weight)
    fitted.coef_ = fitted.coef_ / scale
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


def fit_gate(rows: Sequence[Asked], rank: LogisticRegression, name: str) -> LogisticRegression:
    """Fit the gate: is the best candidate evidence?

    Questions made unanswerable on purpose are far harder than what people ask and weigh less; all unanswerable
    ones together weigh UNANSWERABLE, the share that users are taken to ask.
    """
    x, tops = gate_rows(rows, rank, name)
    answerable = np.array([r.answerable for r in rows])
    y = np.array([bool(r.y[t]) for r, t in zip(rows, tops, strict=True)])
    weight = np.array([1.0 if r.answerable or r.kind in EASY else HARD_WEIGHT for r in rows])
    weight[answerable] *= (1 - UNANSWERABLE) / weight[answerable].sum() * len(rows)
    weight[~answerable] *= UNANSWERABLE / weight[~answerable].sum() * len(rows)
    # The shipped corpus stands beside thousands of questions with some hundreds: it counts as one set of several.
    shipped = np.array([r.area == "shipped" for r in rows])
    if shipped.any() and not shipped.all():
        weight[shipped] *= SHIPPED_SHARE * weight[~shipped].sum() / weight[shipped].sum()
    # Where the evidence was not found at all, or a neighbour of it was, the question says little about the gate.
    weight[answerable & ~y] *= 0.5
    return _fit(x, y, weight, 0.01)


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
        best = [inputs(rows[i], name)[t] for i, t in zip(test, tops, strict=True)]
        lost = [penalty(dict(zip([*NAMES, *READ_NAMES], map(float, v), strict=False))) for v in best]
        odds = fit_gate(train, rank, name).decision_function(x) - np.array(lost)
        probability[test] = 1 / (1 + np.exp(-odds))
        right[test] = [bool(rows[i].y[t]) for i, t in zip(test, tops, strict=True)]
    return probability, right


def hash_part(text: str, parts: int = 5) -> int:
    """Return which part a question belongs to, the same in every run."""
    return sum(map(ord, text)) % parts


def figures(rows: Sequence[Asked], p: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Return what the models reach, by area and by kind of unanswerable question."""
    answerable = np.array([r.answerable for r in rows])
    areas = np.array([r.area for r in rows])
    kinds = np.array(["left out" if r.kind == "left out" else "far" if r.kind in EASY else "hard" for r in rows])
    result: dict[str, Any] = {"questions": len(rows)}
    for area in sorted(set(areas)):
        a, hard = answerable & (areas == area), ~answerable & (areas == area) & (kinds == "hard")
        row: dict[str, Any] = {"evidence first": right[a].mean()}
        if hard.any():
            row["auc hard"] = roc_auc_score(answerable[a | hard], p[a | hard])
        for t in (0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
            row[str(t)] = {
                "right": (right & (p >= t))[a].mean(), "falsely refused": (p < t)[a].mean(),
                **{f"{k} refused": (p < t)[m].mean() for k in ("hard", "left out", "far")
                   if (m := ~answerable & (areas == area) & (kinds == k)).any()},
            }  # fmt: skip
        result[area] = row
    rounded: dict[str, Any] = _rounded(result)
    return rounded


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return round(float(value), 3) if isinstance(value, float | np.floating) else value


def draw(p: np.ndarray, right: np.ndarray, file: Path) -> None:
    """Draw how often answers of each probability are right."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    edges = np.linspace(0, 1, 11)
    bins = np.clip(np.digitize(p, edges) - 1, 0, 9)
    figure, axes = pyplot.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="#999999")
    kept = [b for b in range(10) if (bins == b).any()]
    axes.plot([p[bins == b].mean() for b in kept], [right[bins == b].mean() for b in kept], marker="o")
    axes.set_xlabel("probability given")
    axes.set_ylabel("share that was right")
    figure.savefig(file, dpi=120, bbox_inches="tight")
    pyplot.close(figure)


if __name__ == "__main__":
    main()
