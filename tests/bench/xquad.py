"""English and Vietnamese questions: `python -m tests.bench.xquad --data ../shared/bench`.

XQuAD (Artetxe et al. 2020), whose paragraphs and questions are the same in each language. English questions on
English paragraphs, Vietnamese on Vietnamese and Vietnamese on English, each language's paragraphs as one corpus
through the chain, beside BM25 over whole paragraphs and the sentence of the highest cosine. Prints one JSON line.
"""

from collections.abc import Sequence

from bot.training.squad import normalised
from tests.bench.measures import Bm25, mean, nearest, recall
from tests.bench.sets import (
    WIDTH,
    Asker,
    Row,
    Within,
    documents,
    fitted_on,
    indexed,
    needed,
    parser,
    print_figures,
    progress,
    reading,
)
from tests.bench.squad2 import best_f1, exact, read_squad


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
    print_figures("xquad", options, {"paragraphs": len(english), "fitted on": fitted_on(), **figures})


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
        passages = index.retrieve(reading(asked.answer), WIDTH)
        found, top = documents(passages), nearest(passages)
        cited, short = [c.quote for c in asked.forced.citations], asked.forced.short or ""
        rows.append(
            {
                "answered": asked.answered,
                "answered and contains gold": asked.answered and contains(cited, answers),
                "contains gold, never refusing": contains(cited, answers),
                "contains gold, top cosine": top is not None and contains([top[1].text], answers),
                "sentences cited": len(cited),
                "short em, never refusing": exact({"answers": answers}, short),
                "short f1, never refusing": best_f1({"answers": answers}, short),
                "r@1": recall(found, [paragraph], 1),
                "r@5": recall(found, [paragraph], 5),
                "bm25 r@5": recall(lexical.rank(q["question"], 5), [paragraph], 5),
            }
        )
    return {"questions": len(rows), **{name: mean(r[name] for r in rows) for name in rows[0]}}


def contains(quotes: Sequence[str], answers: Sequence[str]) -> bool:
    """Tell whether quoted text contains one of the gold answers as whole words."""
    cited = f" {' '.join(map(normalised, quotes))} "
    return any(f" {normalised(a)} " in cited for a in answers)


if __name__ == "__main__":
    main()
