"""Follow-ups beside people's rewrites: `python -m tests.bench.cast --data ../shared/bench`.

TREC CAsT 2019 and 2020 (Dalton et al. 2020) come without their passages here, so that retrieval is measured by proxy:
all rewrites are the documents, a turn's own rewrite the relevant one, and those of its topic hard negatives. The
retrieval is the product's. Also how near the reading comes to the rewrite, by cosine and by the F1 of its words. First
turns, which need no reading, are left out of the figures. Prints one JSON line.
"""

from collections.abc import Sequence

from bot.conversation import standalone_question
from bot.training.squad import f1
from tests.bench.measures import mean
from tests.bench.sets import (
    Row,
    Within,
    documents,
    indexed,
    needed,
    parser,
    print_figures,
    progress,
    read_jsonl,
    sample,
)

_DEPTH = 60


def main() -> None:
    options = parser(__doc__).parse_args()
    (file,) = needed(options.data, "cast/utterances.jsonl")
    turns = with_queries(read_jsonl(file))
    # One title for all: without one a row's id would be indexed, which names the topic.
    with indexed({"id": t["id"], "title": "Question", "text": t["rewrite"]} for t in turns) as index:
        follow_ups = sample([t for t in turns if t["turn"] > 1], options.limit)
        found = [measured(index, t) for t in progress(follow_ups, "retrieving")]
    methods = {name: {m: mean(r[name][m] for r in found) for m in of} for name, of in found[0].items()} if found else {}
    print_figures("cast", options, {"rewrites": len(turns), "follow-ups": len(found), **methods})


def with_queries(rows: Sequence[Row]) -> list[Row]:
    """Return the turns with their ids and the queries that each way of reading them makes."""
    turns: list[Row] = []
    earlier: list[str] = []
    for n, row in enumerate(rows):
        if n and (rows[n - 1]["year"], rows[n - 1]["topic"]) != (row["year"], row["topic"]):
            earlier = []
        queries = {
            "raw utterance": row["utterance"],
            "product reading": standalone_question(row["utterance"], earlier),
            "last two turns": " ".join([*earlier[-1:], row["utterance"]]),
            "all turns": " ".join([*earlier, row["utterance"]]),
            "people's rewrite": row["rewrite"],
        }
        identifier = f"{row['year']}-{row['topic']}-{row['turn']}"
        turns.append({**row, "id": identifier, "queries": queries, "before": earlier[-1] if earlier else ""})
        earlier.append(row["utterance"])
    return turns


def measured(index: Within, turn: Row) -> dict[str, dict[str, float]]:
    """Return the measures of each query of a turn: rank of its rewrite, cosine and F1 of words against it."""
    rewrite = index.encoder.encode_query(turn["rewrite"])
    result = {}
    for method, query in turn["queries"].items():
        # The product looks a follow-up up as it was typed as well, and together with the question before it.
        product = method == "product reading"
        before, typed = (turn["before"], turn["utterance"]) if product else ("", "")
        ranked = documents(index.retrieve(query, _DEPTH, before, typed))
        result[method] = {
            "mrr": 1 / (1 + ranked.index(turn["id"])) if turn["id"] in ranked else 0.0,
            "r@1": float(ranked[:1] == [turn["id"]]),
            "cosine": float(index.encoder.encode_query(query) @ rewrite),
            "f1": f1(query, turn["rewrite"]),
            "same words": float(f1(query, turn["rewrite"]) == 1.0),
            "as typed": float(query == turn["utterance"]),
        }
    return result


if __name__ == "__main__":
    main()
