"""Measure the citation checker: `python -m tests.bench.checker [--half development] [--failures]`.

The pairs in checker_pairs.jsonl are written by hand; what is tuned is tuned on the development half alone. Beside them,
every sentence of the shipped corpus is changed by rule, thousands of times: a figure, or a name for another. The baseline
flags what shares too few words with what it cites. Prints one line of JSON.
"""

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.citations import checked
from bot.claims import Token, claims_of
from bot.common import is_common
from bot.support import COVERED, Passage, supported
from corpus import SHIPPED_CORPUS
from corpus.loaders import load_corpus
from corpus.passages import split_document
from corpus.sentences import sentence_spans
from index.terms import terms

PAIRS = Path(__file__).with_name("checker_pairs.jsonl")
HALVES = ("development", "report", "held out")
"""The parts of the pairs; "held out" was written later, over other texts, and nothing was ever tuned by it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=HALVES, help="one part of the pairs alone")
    parser.add_argument("--failures", action="store_true", help="print the pairs judged wrongly")
    options = parser.parse_args()
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    figures: dict[str, Any] = {}
    for half in HALVES:
        if options.half in (None, half):
            chosen = [r for r in rows if r["half"] == half]
            figures[half] = caught(chosen, flaw, options.failures) | {"by shared words alone": caught(chosen, unshared)}
    changed = {kind: f"{flagged} of {total}" for kind, (flagged, total) in changed_by_rule().items()}
    print(json.dumps({**figures, "shipped sentences changed by rule, flagged": changed}))


def caught(
    rows: list[dict[str, Any]], judge: Callable[[dict[str, Any]], str], failures: bool = False
) -> dict[str, Any]:
    """Return how many are flagged by kind, precision of flagging each, and both for all that is not supported."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        reason = judge(row)
        counts[row["kind"]][0] += bool(reason)
        counts[row["kind"]][1] += 1
        if failures and bool(reason) == (row["kind"] == "supported"):
            print(f"  {row['id']} {row['kind']}: {row['sentence']}{f' -- {reason}' if reason else ''}", file=sys.stderr)
    wrongly, good = counts.pop("supported")
    figures: dict[str, Any] = {"supported": f"{wrongly} of {good}"}
    for kind, (flagged, total) in sorted(counts.items()):
        precision = flagged / (flagged + wrongly) if flagged + wrongly else 0.0
        figures[kind] = f"{flagged} of {total}, precision {precision:.3f}"
    rightly, total = (sum(c[i] for c in counts.values()) for i in (0, 1))
    return figures | {
        "recall": round(rightly / total, 3),
        "precision": round(rightly / (rightly + wrongly), 3) if rightly + wrongly else 0.0,
    }


def unshared(row: dict[str, Any]) -> str:
    """The baseline: flag a sentence that cites nothing, or shares less than half of its words with all that was given."""
    words = terms(re.sub(r"\[\d+\]", "", row["sentence"]))
    held = set(terms(" ".join(f"{p['title']} {p['text']}" for p in row["passages"])))
    cites = re.search(r"\[\d+\]", row["sentence"])
    return "" if cites and sum(w in held for w in words) >= COVERED * len(words) else "too few words"


def flaw(row: dict[str, Any]) -> str:
    """Return why the checker does not let a pair's sentence stand, or an empty string."""
    passages = [
        Passage(tuple(p["text"][a:b] for a, b in sentence_spans(p["text"])), p["title"]) for p in row["passages"]
    ]
    said = checked(row["sentence"], passages)
    return "" if said.support else said.support.reason


def changed_by_rule(seed: int = 1) -> dict[str, tuple[int, int]]:
    """Return, for figures changed, names changed and sentences left as they are, how many are flagged of how many."""
    documents, _ = load_corpus(SHIPPED_CORPUS)
    chance = random.Random(seed)
    passages = []
    for document in documents:
        for p in split_document(document):
            sentences = tuple(document.text[a:b] for a, b in p.sentences)
            passages.append(Passage(sentences, " ".join((document.title, *p.headings))))
    # A name for a name: common words and abbreviations in capitals are none, though they may be parts of one.
    names = sorted(
        {t.text for p in passages for s in p.sentences for t in claims_of(s).tokens if t.name and _is_telling(t)}
    )
    counts = {"as it stands": [0, 0], "reordered": [0, 0], "figure changed": [0, 0], "name changed": [0, 0]}
    for passage in passages:
        for sentence in passage.sentences:
            for kind, text in _changes(sentence, passage, names, chance):
                counts[kind][0] += not supported(text, [passage])
                counts[kind][1] += 1
    return {k: (a, b) for k, (a, b) in counts.items()}


def _changes(sentence: str, passage: Passage, names: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    yield "as it stands", sentence
    claims = claims_of(sentence)
    opening = re.match(r"(.{10,80}?), (.+?)([.!?])$", sentence)
    if opening and not re.search(r"\d,$", opening.group(1) + ","):
        yield "reordered", f"{opening.group(2)[:1].upper()}{opening.group(2)[1:]}, {opening.group(1)}{opening.group(3)}"
    for match in re.finditer(r"\d[\d,]*(?:\.\d+)?", claims.text):
        value = float(match.group().replace(",", ""))
        other = (
            f"{value + chance.choice((1, 2, 3, 5, 10)):g}" if chance.random() < 0.5 else match.group()[::-1].strip(",.")
        )
        if (
            other != match.group()
            and not re.search(rf"(?<![\d.,]){re.escape(other)}(?![\d])", sentence)
            and other[0] not in "0."
        ):
            yield "figure changed", claims.text[: match.start()] + other + claims.text[match.end() :]
    everything = " ".join((*passage.sentences, passage.context)).lower()
    for token in claims.tokens:
        other = chance.choice(names)
        if token.name and _is_telling(token) and other.lower() not in everything:
            yield "name changed", claims.text[: token.start] + other + claims.text[token.start + len(token.text) :]


def _is_telling(token: Token) -> bool:
    return len(token.text) > 3 and not is_common(token.stem) and token.text.isalpha() and not token.text.isupper()


if __name__ == "__main__":
    main()
