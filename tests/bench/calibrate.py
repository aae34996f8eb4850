"""Fit the ranking and abstention models from named data: `python -m tests.bench.calibrate --data ../shared/reading`.

Every question is asked over all passages as one corpus, through the product's own index and signals. Figures are
cross-validated by area: each area is judged by models that have not seen it. Writes bot/answerability.json.
"""

import argparse
import json
import pickle
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bot.answerability import gate_vector, lead
from bot.config import settings
from bot.conversation import standalone_question
from bot.question import read_question
from bot.signals import NAMES, Candidate, candidates, signal_vector
from corpus.sentences import sentence_spans
from index.build import sync
from index.encoder import Encoder, ensure_exported
from index.retriever import Evidence, Index

Row = dict[str, Any]
EASY = {"left out", "off-topic"}
HARD_WEIGHT = 0.5
UNANSWERABLE = 0.3
SHIPPED_SHARE = 0.3


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--public", type=Path, help="folder of the public sets, to fit on SQuAD 2.0 and CLAPnq as well")
    parser.add_argument("--limit", type=int, default=0, help="passages an area, 0 for all")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "bot" / "answerability.json")
    parser.add_argument("--shipped", type=Path, default=Path(__file__).parents[1] / "questions" / "first.jsonl")
    parser.add_argument("--rows", type=Path, help="rows kept by --dump, to fit again without asking")
    parser.add_argument("--dump", type=Path, help="where to keep the feature rows, to look at")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"skipped: {arguments.data} is not there; give the folder of reading sets with --data")
    if arguments.rows:
        rows: list[Row] = pickle.loads(arguments.rows.read_bytes())
    else:
        rows = collect(reading_sets(arguments.data), arguments.limit)
        for load in (squad, clapnq):
            if arguments.public and arguments.public.is_dir():
                rows += collect(load(arguments.public), arguments.limit)
    if arguments.dump:
        arguments.dump.write_bytes(pickle.dumps(rows))
    rows = [{**r, "document": {r["document"]} if isinstance(r["document"], str) else r["document"]} for r in rows]
    report(rows + collect_shipped(arguments.shipped), arguments.out)


def reading_sets(data: Path) -> dict[str, list[Row]]:
    """Load the reading sets of our own, by area."""
    return {
        p.stem: [json.loads(line) for line in p.read_text(encoding="utf-8").splitlines()]
        for p in sorted(data.glob("*.jsonl"))
    }


def squad(data: Path) -> dict[str, list[Row]]:
    """Load SQuAD 2.0 (Rajpurkar et al. 2018) as passages with questions; the evidence is the sentence of the answer."""
    rows: list[Row] = []
    for article in json.loads((data / "squad2" / "squad2.json").read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            text = paragraph["context"]
            questions = []
            for qa in paragraph["qas"]:
                at = {a["answer_start"] for a in qa["answers"]}
                evidence = [text[a:b] for a, b in sentence_spans(text) if any(a <= x < b for x in at)]
                questions.append(
                    {"question": qa["question"], "answerable": not qa["is_impossible"], "evidence": evidence}
                )
            title = article["title"].replace("_", " ")
            rows.append({"id": f"{article['title']}-{number}", "title": title, "text": text, "questions": questions})
    return {"squad2": rows}


def clapnq(data: Path) -> dict[str, list[Row]]:
    """Load CLAPnq (Rosenthal et al. 2025): natural questions with the sentences that answer them."""
    rows: list[Row] = []
    for line in (data / "clapnq" / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        question = {"question": row["question"], "answerable": row["answerable"], "evidence": row["gold_sentences"]}
        rows.append(
            {"id": row["id"], "title": row["title"], "text": "\n".join(row["sentences"]), "questions": [question]}
        )
    return {"clapnq": rows}


def collect(sets: dict[str, list[Row]], limit: int) -> list[Row]:
    """Ask every question of the sets, whose passages form one corpus; return the candidates' signals and labels.

    Each answerable question is asked a second time with its own document left out, which makes it unanswerable.
    """
    config = settings()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        corpus.mkdir()
        with (corpus / "passages.jsonl").open("w", encoding="utf-8") as file:
            for p in [p for passages in sets.values() for p in passages[: limit or None]]:
                file.write(json.dumps({"id": p["id"], "title": p["title"], "text": p["text"]}) + "\n")
        sync(Path(temporary) / "index", corpus, config.encoders, config.encoder)
        index = Index(Path(temporary) / "index", Encoder(ensure_exported(config.encoders, config.encoder)))
        for area, passages in sets.items():
            for p in passages[: limit or None]:
                for q in p["questions"]:
                    text = index.corrected(q.get("standalone") or q["question"])
                    found = index.retrieve(text, 8)
                    rows.append(_row(index, area, {p["id"]}, q, text, found, q["answerable"]))
                    if q["answerable"]:
                        others = [e for e in found if e.document.id != p["id"]]
                        rows.append(_row(index, area, {p["id"]}, {**q, "kind": "left out"}, text, others, False))
        index.close()
    return [r for r in rows if len(r["x"])]


def collect_shipped(file: Path) -> list[Row]:
    """Ask the development questions on the shipped corpus: short facts that stand alone, which the other sets lack."""
    config = settings()
    sync(config.index, config.corpus, config.encoders, config.encoder)
    index = Index(config.index, Encoder(ensure_exported(config.encoders, config.encoder)))
    rows: list[Row] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        text = index.corrected(standalone_question(case["question"], case.get("history", [])))
        found = index.retrieve(text, 8)
        evidence = [
            s.text for e in found for s in e.sentences if all(re.search(p, s.text) for p in case.get("evidence", []))
        ]
        gold = {e.document.id for e in found for s in e.sentences if s.text in evidence}
        if case["answerable"] and not gold:
            continue
        q = {"evidence": evidence, "kind": "shipped"}
        rows.append(_row(index, "shipped", gold, q, text, found, case["answerable"]))
        if case["answerable"]:
            others = [e for e in found if e.document.id not in gold]
            rows.append(_row(index, "shipped", gold, {**q, "kind": "left out"}, text, others, False))
    index.close()
    return [r for r in rows if len(r["x"])]


def _row(index: Index, area: str, gold: set[str], q: Row, text: str, found: list[Evidence], answerable: bool) -> Row:
    reading = read_question(text)
    cands = candidates(reading, found, index)
    evidence = [" ".join(e.split()) for e in q["evidence"] or []]

    def is_evidence(c: Candidate) -> bool:
        own = " ".join(c.sentence.text.split())
        return answerable and c.evidence.document.id in gold and any(own in e or e in own for e in evidence)

    return {
        "area": area, "kind": q.get("kind", ""), "answerable": answerable, "question": text, "expected": reading.expected,
        "document": gold, "x": np.array([signal_vector(c) for c in cands]), "y": np.array([is_evidence(c) for c in cands]),
        "docs": [c.evidence.document.id for c in cands], "passages": [(c.evidence.document.id, c.evidence.passage.start) for c in cands],
    }  # fmt: skip


def rank_rows(vectors: np.ndarray) -> np.ndarray:
    """Return the ranker's inputs for the candidates of one question, shape (candidates, 2 x signals)."""
    return np.concatenate([vectors, vectors - vectors.max(axis=0)], axis=1)


def fit_rank(rows: list[Row]) -> LogisticRegression:
    """Fit the ranker on answerable questions whose evidence was retrieved."""
    used = [r for r in rows if r["answerable"] and r["y"].any()]
    x = np.concatenate([rank_rows(r["x"]) for r in used])
    y = np.concatenate([r["y"] for r in used])
    weight = np.concatenate([np.where(r["y"], 10.0 / max(1, r["y"].sum()), 1.0) / len(r["y"]) for r in used])
    return _fit(x, y, weight * len(y) / weight.sum(), 0.3)


def _fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, c: float) -> LogisticRegression:
    """Fit a logistic regression on scaled signals and return it in terms of the signals themselves."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1.0
    fitted = LogisticRegression(C=c, max_iter=1000).fit((x - mean) / scale, y, sample_weight=weight)
    fitted.coef_ = fitted.coef_ / scale
    fitted.intercept_ = fitted.intercept_ - fitted.coef_ @ mean
    return fitted


def gate_rows(rows: list[Row], rank: LogisticRegression) -> tuple[np.ndarray, list[int]]:
    """Return the gate's inputs and which candidate is the best of each question."""
    xs, tops = [], []
    for r in rows:
        scores = rank.decision_function(rank_rows(r["x"]))
        top = int(np.argmax(scores))
        xs.append(
            gate_vector(
                [float(v) for v in r["x"][top]], float(scores[top]), lead([float(s) for s in scores], r["passages"])
            )
        )
        tops.append(top)
    return np.array(xs), tops


def fit_gate(rows: list[Row], rank: LogisticRegression) -> LogisticRegression:
    """Fit the gate: does the passage of the best candidate answer the question?

    Questions made unanswerable on purpose are far harder than what people ask and weigh less; all unanswerable
    ones together weigh UNANSWERABLE, the share that users are taken to ask.
    """
    x, tops = gate_rows(rows, rank)
    answerable = np.array([r["answerable"] for r in rows])
    y = np.array([r["answerable"] and r["docs"][t] in r["document"] for r, t in zip(rows, tops, strict=True)])
    weight = np.array([1.0 if r["answerable"] or r["kind"] in EASY else HARD_WEIGHT for r in rows])
    weight[answerable] *= (1 - UNANSWERABLE) / weight[answerable].sum() * len(rows)
    weight[~answerable] *= UNANSWERABLE / weight[~answerable].sum() * len(rows)
    # The shipped corpus stands beside thousands of questions with some dozens: it counts as one set of several.
    shipped = np.array([r["area"] == "shipped" for r in rows])
    if shipped.any():
        weight[shipped] *= SHIPPED_SHARE * weight[~shipped].sum() / weight[shipped].sum()
    # Where the passage was not found at all, the question says nothing about the gate.
    weight[answerable & ~y] *= 0.5
    return _fit(x, y, weight, 0.01)


def report(rows: list[Row], out: Path) -> None:
    """Print cross-validated figures as one JSON line, then fit on everything and write the model."""
    areas = sorted({r["area"] for r in rows})
    probabilities: list[float] = []
    right: list[bool] = []
    answerable: list[bool] = []
    for area in areas:
        train, test = [r for r in rows if r["area"] != area], [r for r in rows if r["area"] == area]
        rank = fit_rank(train)
        gate = fit_gate(train, rank)
        x, tops = gate_rows(test, rank)
        probabilities.extend(gate.predict_proba(x)[:, 1])
        right.extend(bool(r["y"][t]) for r, t in zip(test, tops, strict=True))
        answerable.extend(r["answerable"] for r in test)
    tested = [r for area in areas for r in rows if r["area"] == area]
    p, ok, a = np.array(probabilities), np.array(right), np.array(answerable)
    out_of = {"hard": np.array([not r["answerable"] and r["kind"] not in EASY for r in tested]),
              "left out": np.array([r["kind"] == "left out" for r in tested]),
              "off-topic": np.array([r["kind"] == "off-topic" for r in tested])}  # fmt: skip
    figures: Row = {"questions": len(rows), "sentence@1": round(float(ok[a].mean()), 3)}
    for name, mask in out_of.items():
        figures[f"auc {name}"] = round(float(roc_auc_score(a[a | mask], p[a | mask])), 3)
    for area in areas:
        figures[area] = round(float(ok[a & np.array([r["area"] == area for r in tested])].mean()), 3)
    for t in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        figures[f"at {t}"] = {"falsely refused": round(float((p[a] < t).mean()), 3),
                              "right": round(float((ok & (p >= t))[a].mean()), 3),
                              **{f"{n} refused": round(float((p[m] < t).mean()), 3) for n, m in out_of.items()}}  # fmt: skip
    print(json.dumps(figures))
    rank = fit_rank(rows)
    gate = fit_gate(rows, rank)
    model = {"signals": list(NAMES), "data": f"reading sets: {', '.join(areas)}", "figures": figures}
    for name, fitted in (("rank", rank), ("gate", gate)):
        model[name] = {
            "weights": [round(float(w), 5) for w in fitted.coef_[0]],
            "intercept": float(fitted.intercept_[0]),
        }
    out.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
