"""Follow-ups in conversations: `python -m tests.bench.mtrag --data ../shared/bench`.

MTRAG-UN (Katsis et al. 2025): R@5 and nDCG@5 of the last turn, all passages as one corpus, where a turn is read by
the product, taken alone, or joined with the user's earlier turns; each with the product's retrieval and with BM25
alone. Also which last turns the chain refuses, by what the set says of them. Prints one JSON line.
"""

from collections.abc import Sequence

from tests.bench.measures import Bm25, mean, ndcg, recall
from tests.bench.sets import (
    WIDTH,
    Asker,
    Row,
    Within,
    documents,
    indexed,
    needed,
    parser,
    print_figures,
    progress,
    read_jsonl,
    reading,
    sample,
)

PUBLISHED = {"last turn": 0.742, "all user turns": 0.751, "last two turns": 0.794}
"""R@5 of BM25 over pooled passages, full set."""

_K = 5


def main() -> None:
    options = parser(__doc__).parse_args()
    passages_file, conversations_file = needed(options.data, "mtrag/passages.jsonl", "mtrag/conversations.jsonl")
    passages = read_jsonl(passages_file)
    conversations = sample(read_jsonl(conversations_file), options.limit)
    with indexed(passages) as index:
        rows = asked(index, conversations)
        lexical = Bm25([p["id"] for p in passages], (f"{p['title']}\n{p['text']}" for p in passages))
        figures = retrieval_figures(index, lexical, [r for r in rows if r["relevant"]])
    kinds = sorted({r["answerability"] for r in rows})
    refused = {kind: mean(r["status"] != "answered" for r in rows if r["answerability"] == kind) for kind in kinds}
    changed = mean(r["queries"]["product reading"] != r["queries"]["last turn"] for r in rows)
    print_figures("mtrag", options, {
        "passages": len(passages), "conversations": len(rows), "with relevant": sum(bool(r["relevant"]) for r in rows),
        **figures, "reading differs from last turn": changed, "refused": refused, "published bm25 r@5": PUBLISHED,
    })  # fmt: skip


def asked(index: Within, conversations: Sequence[Row]) -> list[Row]:
    """Ask the last turn of every conversation, and return the queries that each way of reading it makes."""
    ask = Asker(index)
    rows = []
    for c in progress(conversations, "asking"):
        turns = [t["text"] for t in c["turns"] if t["speaker"] == "user"]
        answer = ask(turns[-1], turns[:-1]).answer
        queries = {
            "product reading": reading(answer),
            "last turn": " ".join(turns[-1].split()),
            "last two turns": " ".join(turns[-2:]),
            "all user turns": " ".join(turns),
        }
        rows.append({**c, "status": answer.status, "queries": queries, "before": " ".join(turns[-2:-1])})
    return rows


def retrieval_figures(index: Within, lexical: Bm25, rows: Sequence[Row]) -> Row:
    """Return R@5 and nDCG@5 of each way of reading, by the product's retrieval and by BM25."""
    scores: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for r in progress(rows, "retrieving"):
        for method, query in r["queries"].items():
            # The product looks a follow-up up as it was typed as well, and together with the question before it.
            product = method == "product reading"
            before, typed = (r["before"], index.corrected(r["queries"]["last turn"])) if product else ("", "")
            found = {
                "hybrid": documents(index.retrieve(index.corrected(query), WIDTH, before, typed)),
                "bm25": lexical.rank(query, _K),
            }
            for leg, ranked in found.items():
                values = recall(ranked, r["relevant"], _K), ndcg(ranked, r["relevant"], _K)
                scores.setdefault(leg, {}).setdefault(method, []).append(values)
    return {
        leg: {method: {"r@5": mean(v[0] for v in of), "ndcg@5": mean(v[1] for v in of)} for method, of in methods.items()}
        for leg, methods in scores.items()
    }  # fmt: skip


if __name__ == "__main__":
    main()
