"""Fit the ranking and abstention models from named data: `python -m tests.bench.calibrate`.

Every question is asked over all passages as one corpus, through the product's own index, signals and reader. Figures
are cross-validated by area: each area is judged by models that have not seen it, and none is one that the reader was
trained on. Writes bot/answerability.json, and with --figure a reliability diagram.
"""

import argparse
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.metrics import roc_auc_score

from bot.answerability import DOUBTFUL
from bot.reader import Reader
from bot.second_look import LOOK_NAMES
from bot.signals import NAMES, READ_NAMES
from bot.training.data import LEFT_OUT, OWN
from tests.bench.asked import (
    Asked,
    ask_sets,
    ask_shipped,
    in_sentences,
    look_rows,
    read_rows,
    reading_sets,
    squad,
)
from tests.bench.fitting import (
    EASY,
    cross_validated,
    fit_gates,
    fit_rank,
    gate_rows,
    inputs,
    narrowed,
    probabilities,
    rank_rows,
)
from tests.bench.squad2 import half

BOT = Path(__file__).parents[2] / "bot"
QUESTIONS = Path(__file__).parents[1] / "questions"
# Areas that the shipped reader was not trained on: what it says of its own training data tells nothing.
UNREAD = frozenset({*LEFT_OUT, "reports in sentences", "shipped"})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--public", type=Path, help="folder of the public sets, to fit on SQuAD 2.0 as well")
    parser.add_argument("--rows", type=Path, help="where rows are kept: there already, they are not asked again")
    parser.add_argument("--read", action="store_true", help="let the reader read the kept rows anew: it has changed")
    parser.add_argument("--out", type=Path, default=BOT / "answerability.json")
    parser.add_argument("--figure", type=Path, help="draw the reliability diagram")
    arguments = parser.parse_args()
    kept = bool(arguments.rows) and arguments.rows.is_file()
    rows: list[Asked] = pickle.loads(arguments.rows.read_bytes()) if kept else collect(arguments.public)
    if not kept or arguments.read:
        let_read(rows)
        if arguments.rows:
            arguments.rows.write_bytes(pickle.dumps(rows))
    model: dict[str, Any] = {"signals": [*NAMES, *READ_NAMES, *LOOK_NAMES], "data": sorted({r.area for r in rows})}
    for name in ("unread", "read"):
        used = [narrowed(r) for r in rows] if name == "read" else rows
        p, right = cross_validated(used, name)
        model[name] = {"figures": figures(used, p, right)}
        print(json.dumps({"model": name, **model[name]["figures"]}))
        if arguments.figure:
            draw(p, right, arguments.figure.with_stem(f"{arguments.figure.stem}-{name}"))
        rank = fit_rank(used, name)
        for part, fitted in {"rank": rank, **fit_gates(used, rank, name)}.items():
            weights = [round(float(w), 5) for w in fitted.coef_[0]]
            model[name][part] = {"weights": weights, "intercept": float(fitted.intercept_[0])}
    arguments.out.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


def collect(public: Path | None) -> list[Asked]:
    """Ask the questions of every area that the reader has not seen."""
    own = reading_sets(OWN)
    # A theme is a corpus of its own, as people have one: its subject is named in every question, and not in every text.
    themes = {name: own.pop(name) for name in list(own) if name.startswith("theme_")}
    rows = ask_sets(own, UNREAD)
    for name in sorted(UNREAD & themes.keys()):
        rows += ask_sets({name: themes[name]}, UNREAD)
    rows += ask_sets({f"{name} in sentences": in_sentences(p) for name, p in own.items() if name == "reports"}, UNREAD)
    if public and public.is_dir():
        halves: dict[str, list[dict[str, Any]]] = {"squad2-a": [], "squad2-b": []}
        for p in squad(public, 5):
            halves[half(p["id"])].append(p)
        rows += ask_sets(halves, UNREAD)
    return rows + ask_shipped(sorted([QUESTIONS / "first.jsonl", *QUESTIONS.glob("development_*.jsonl")]))


def let_read(rows: Sequence[Asked]) -> None:
    """Let the reader read the best passages of each question, and then look again at the best sentence."""
    for row in rows:
        row.looked.clear()
    rank = fit_rank(rows, "unread")
    reader = Reader()
    read_rows(rows, [rank.decision_function(rank_rows(inputs(r, "unread"))) for r in rows], reader)
    look_again(rows, reader)


def look_again(rows: Sequence[Asked], reader: Reader) -> None:
    """Let the reader look again at the best candidate of each question that might be answered by it."""
    used = [narrowed(r) for r in rows]
    rank = fit_rank(used, "read")
    gates = fit_gates(used, rank, "read")
    x, tops = gate_rows(used, rank, "read")
    p = probabilities(used, tops, x, gates, "read")
    # A narrowed row shares what is seen by a second look with the row that it was made of.
    doubtful = np.flatnonzero(p >= DOUBTFUL)
    look_rows([used[i] for i in doubtful], [tops[i] for i in doubtful], reader)


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
            given = a & right
            row["auc hard, evidence first"] = roc_auc_score(answerable[given | hard], p[given | hard])
            for share in (0.05, 0.1):
                row[f"hard refused at {share:.0%} false refusals"] = (p[hard] < np.quantile(p[given], share)).mean()
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
