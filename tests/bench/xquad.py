"""English and Vietnamese questions: `python -m tests.bench.xquad --data ../shared/bench`.

XQuAD (Artetxe et al. 2020), whose paragraphs and questions are the same in each language. English questions on
English paragraphs, Vietnamese on Vietnamese and Vietnamese on English, each language's paragraphs as one corpus
through the chain, beside BM25 over whole paragraphs. Prints one JSON line.
"""

import json
from collections.abc import Sequence

from bot.answer import Citation
from tests.bench.measures import Bm25, mean, normalised, recall
from tests.bench.sets import (
    WIDTH,
    Asker,
    Row,
    Within,
    documents,
    indexed,
    needed,
    parser,
    progress,
    read_squad,
    reading,
)


def main() -> None:
    options = parser(__doc__).parse_args()
    files = needed(options.data, "xquad/xquad.en.json", "xquad/xquad.vi.json")
    english, vietnamese = (read_squad(f, options.limit) for f in files)
    with indexed(english) as index:
        lexical = bm25(english)
        figures = {
            "en on en": measured(index, lexical, english, english, "English on English"),
            "vi on en": measured(index, lexical, vietnamese, english, "Vietnamese on English"),
        }
    with indexed(vietnamese) as index:
        figures["vi on vi"] = measured(index, bm25(vietnamese), vietnamese, vietnamese, "Vietnamese on Vietnamese")
    print(json.dumps({"set": "xquad", "paragraphs": len(english), **figures}))


def bm25(paragraphs: Sequence[Row]) -> Bm25:
    """Return BM25 over the titles and texts of paragraphs."""
    return Bm25([p["id"] for p in paragraphs], (f"{p['title']}\n{p['text']}" for p in paragraphs))


def measured(index: Within, lexical: Bm25, asked_in: Sequence[Row], answered_in: Sequence[Row], label: str) -> Row:
    """Ask the questions of one language over paragraphs of another; gold answers are in the paragraphs' language."""
    ask = Asker(index)
    gold = {q["id"]: (p["id"], q["answers"]) for p in answered_in for q in p["questions"]}
    rows = []
    for q in progress([q for p in asked_in for q in p["questions"]], label):
        paragraph, answers = gold[q["id"]]
        asked = ask(q["question"])
        found = documents(index.retrieve(reading(asked.answer), WIDTH))
        rows.append(
            {
                "answered": asked.answered,
                "answered and contains gold": asked.answered and contains(asked.answer.citations, answers),
                "contains gold, never refusing": contains(asked.forced.citations, answers),
                "r@1": recall(found, [paragraph], 1),
                "r@5": recall(found, [paragraph], 5),
                "bm25 r@5": recall(lexical.rank(q["question"], 5), [paragraph], 5),
            }
        )
    return {"questions": len(rows), **{name: mean(r[name] for r in rows) for name in rows[0]}}


def contains(citations: Sequence[Citation], answers: Sequence[str]) -> bool:
    """Tell whether the cited text contains one of the gold answers as whole words."""
    cited = f" {' '.join(normalised(c.quote) for c in citations)} "
    return any(f" {normalised(a)} " in cited for a in answers)


if __name__ == "__main__":
    main()
