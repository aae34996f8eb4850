"""The passages that the project's own retriever mistakes for evidence: the mistakes that the reader will meet."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.config import settings
from bot.training.data import Asked, Example
from index.build import sync
from index.encoder import Encoder, ensure_exported
from index.retriever import Index

_MOST = 3


def mine(examples: Sequence[Example], cache: Path) -> list[Asked]:
    """Return every question with the best-ranked passages of other texts; `cache` keeps them between runs."""
    known: dict[str, list[tuple[str, str]]] = json.loads(cache.read_text()) if cache.is_file() else {}
    unknown = [e for e in examples if _key(e) not in known]
    if unknown:
        known |= _retrieved(unknown, examples)
        cache.write_text(json.dumps(known))
    return [Asked(e, tuple((t, x) for t, x in known[_key(e)])) for e in examples]


def _key(example: Example) -> str:
    return f"{example.question}\n{example.title}\n{example.text[:80]}"


def _retrieved(asked: Sequence[Example], examples: Sequence[Example]) -> dict[str, list[tuple[str, str]]]:
    """Ask some questions over the texts of all."""
    config = settings()
    texts = {(e.title, e.text): str(i) for i, e in enumerate(examples)}
    titles = {i: text for text, i in texts.items()}
    found: dict[str, list[tuple[str, str]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        corpus = Path(temporary) / "corpus"
        corpus.mkdir()
        rows = [{"id": i, "title": title, "text": text} for (title, text), i in texts.items()]
        (corpus / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        sync(Path(temporary) / "index", corpus, config.encoders, config.encoder)
        index = Index(Path(temporary) / "index", Encoder(ensure_exported(config.encoders, config.encoder)))
        for e in asked:
            others = [v for v in index.retrieve(e.question, 8) if v.document.id != texts[e.title, e.text]]
            kept = dict.fromkeys(titles[v.document.id] for v in others)
            found[_key(e)] = list(kept)[:_MOST]
        index.close()
    return found
