"""Questions asked of an index and kept as numbers: what the ranking and abstention models are fitted on."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import track

from bot.answerability import PASSAGES_READ
from bot.chain import RETRIEVED
from bot.conversation import standalone_question
from bot.pointing import pointed_at
from bot.question import Reading, understood
from bot.reader import Reader
from bot.second_look import second_look
from bot.signals import NAMES, READ_NAMES, candidates, passage_text, read_signals, spans_of
from corpus import SHIPPED_CORPUS
from corpus.sentences import sentence_spans
from index.encoder import PassageText
from index.retriever import Evidence, Index
from tests.bench.sets import indexed, opened, read_jsonl, temporary_home
from tests.bench.squad2 import read_squad

Array = npt.NDArray[np.float32]
Key = tuple[str, int]
Passages = list[dict[str, Any]]


@dataclass
class Asked:
    """One question with its candidates: `x` (candidates, NAMES), `y` evidence, `r` (candidates, READ_NAMES).

    `r` is not a number where the reader has not read; `kind` "left out" is a question without its own document.
    `looked` holds the signals of a second look at candidates, by passage and place.
    """

    area: str
    kind: str
    answerable: bool
    question: str
    gold: frozenset[str]
    x: Array
    y: npt.NDArray[np.bool_]
    keys: list[Key]
    texts: dict[Key, PassageText] = field(repr=False)
    places: list[int] = field(repr=False)
    reading: Reading = field(repr=False)
    r: Array | None = None
    looked: dict[tuple[Key, int], list[float]] = field(default_factory=dict)


def reading_sets(data: Path) -> dict[str, Passages]:
    """Load reading sets of our own, by area."""
    return {
        p.stem: [json.loads(line) for line in p.read_text(encoding="utf-8").splitlines()]
        for p in sorted(data.glob("*.jsonl"))
    }


def in_sentences(passages: Passages) -> Passages:
    """Return each sentence as a passage of its own, as recorded facts are, with the questions that one answers."""
    rows: Passages = []
    for p in passages:
        spans = sentence_spans(p["text"])
        for number, (a, b) in enumerate(spans):
            text = p["text"][a:b]
            questions = [
                q for q in p["questions"] if q["answerable"] and len(q["evidence"]) == 1 and q["evidence"][0] in text
            ]
            if number == 0:
                questions += [q for q in p["questions"] if not q["answerable"]]
            rows.append({"id": f"{p['id']}-{number}", "title": p["title"], "text": text, "questions": questions})
    return rows


def squad(data: Path, most: int) -> Passages:
    """Load SQuAD 2.0 (Rajpurkar et al. 2018), `most` questions a passage; evidence is the sentence of the answer."""
    rows: Passages = []
    for p in read_squad(data / "squad2" / "squad2.json"):
        sentences = sentence_spans(p["text"])
        for q in p["questions"]:
            q["evidence"] = [p["text"][a:b] for a, b in sentences if any(a <= start < b for start, _ in q["spans"])]
        rows.append({**p, "questions": p["questions"][:most]})
    return rows


def ask_sets(sets: dict[str, Passages], asked_of: frozenset[str]) -> list[Asked]:
    """Ask the questions of the areas `asked_of` over all passages as one corpus.

    Each answerable question is asked a second time with its own document left out, which makes it unanswerable.
    """
    rows: list[Asked] = []
    with indexed(p for passages in sets.values() for p in passages) as index:
        wanted = [(area, p, q) for area in sets if area in asked_of for p in sets[area] for q in p["questions"]]
        for area, p, q in track(wanted, "asking"):
            text = index.corrected(q.get("standalone") or q["question"])
            found = index.retrieve(text, RETRIEVED)
            evidence = [" ".join(e.split()) for e in q["evidence"] or []]
            gold = frozenset({p["id"]} if q["answerable"] else ())
            rows += _rows(index, area, q.get("kind", ""), text, found, gold, evidence)
    return rows


def ask_shipped(files: Sequence[Path]) -> list[Asked]:
    """Ask the development questions of the shipped corpus: short facts that stand alone, which the other sets lack."""
    rows: list[Asked] = []
    with temporary_home(SHIPPED_CORPUS) as made, opened(made) as index:
        for case in track([c for file in files for c in read_jsonl(file)], "asking of the shipped corpus"):
            if case["kind"] != "ambiguous":
                rows += _asked_of_shipped(case, index)
    return rows


def _asked_of_shipped(case: dict[str, Any], index: Index) -> Iterator[Asked]:
    answerable = case.get("answerable", True)
    text = index.corrected(standalone_question(case["question"], case.get("history", [])))
    typed = index.corrected(case["question"])
    found = index.retrieve(text, RETRIEVED, (case.get("history") or [""])[-1], typed)
    hits = [
        (e, s)
        for e in found
        for s in e.sentences
        if any(re.search(p, s.text) for p in case.get("evidence", []))
        and (not case.get("gold") or any(re.search(g, s.text) for g in case["gold"]))
    ]
    gold = frozenset(e.document.id for e, _ in hits) if answerable else frozenset()
    if gold or not answerable:
        evidence = [" ".join(s.text.split()) for _, s in hits]
        yield from _rows(index, "shipped", case["kind"], text, found, gold, evidence)


def _rows(
    index: Index, area: str, kind: str, text: str, found: list[Evidence], gold: frozenset[str], evidence: list[str]
) -> Iterator[Asked]:
    reading = understood(text, index)
    for name, given in ((kind, found), ("left out", [e for e in found if e.document.id not in gold])):
        if not given or (name == "left out" and not gold):
            continue
        cands = candidates(reading, given, index)
        own = [" ".join(c.sentence.text.split()) for c in cands]
        yield Asked(
            area, name, bool(gold) and name != "left out", text, gold,
            np.array([[c.signals[n] for n in NAMES] for c in cands], np.float32),
            np.array([c.evidence.document.id in gold and any(o in e or e in o for e in evidence)
                      for c, o in zip(cands, own, strict=True)]),
            [c.passage_key for c in cands], {c.passage_key: passage_text(c.evidence) for c in cands},
            [c.evidence.sentences.index(c.sentence) for c in cands], reading,
        )  # fmt: skip


def read_rows(rows: Sequence[Asked], scores: Sequence[Array], reader: Reader) -> None:
    """Let the reader read the best passages of each question by `scores`, and keep what it says."""
    known: dict[tuple[str, Key], Any] = {}
    for row, score in track(list(zip(rows, scores, strict=True)), "reading"):
        keys = list(dict.fromkeys(row.keys[i] for i in np.argsort(-score)))[:PASSAGES_READ]
        unread = [k for k in keys if (row.question, k) not in known]
        for k, passage in zip(unread, reader.read(row.question, [row.texts[k] for k in unread]), strict=True):
            known[row.question, k] = passage
        row.r = np.full((len(row.keys), len(READ_NAMES)), np.nan, np.float32)
        reading = row.reading
        for i, (key, place) in enumerate(zip(row.keys, row.places, strict=True)):
            if key in keys:
                passage, text = known[row.question, key], row.texts[key]
                (start, end), own = text.sentences[place], passage.sentences[place]
                sentence = text.text[start:end]
                pointed = pointed_at(reading, sentence, spans_of(sentence), own, -start)
                signals = read_signals(reading, passage, own, sentence, spans_of(sentence), pointed)
                row.r[i] = [signals[n] for n in READ_NAMES]


def look_rows(rows: Sequence[Asked], tops: Sequence[int], reader: Reader) -> None:
    """Let the reader look again at the candidate `tops` of each question, and keep what it says."""
    for row, top in track(list(zip(rows, tops, strict=True)), "looking again"):
        key, place = row.keys[top], row.places[top]
        row.looked[key, place] = second_look(row.reading, row.texts[key], place, reader)
