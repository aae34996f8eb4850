"""Text to vectors: a sentence-transformers model, exported to ONNX once and run with onnxruntime."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from tokenizers import Tokenizer

from corpus.errors import EncoderError
from corpus.sentences import Span
from index.export import BUNDLED, file_sha256, model_folder
from index.runtime import Session

Vectors = npt.NDArray[np.float32]
# Of 32 a pass takes a sixth more time, and twice the memory: what a layer gives no longer stays in the cache.
_BATCH = 8


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage as the encoder reads it: `context` (title, headings) before `text`; `sentences` are spans of `text`."""

    context: str
    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """Unit vectors of a passage (dimension,) and of its sentences (sentences, dimension)."""

    passage: Vectors
    sentences: Vectors


class Encoder:
    """An exported model. Thread-safe: one onnxruntime session serves all threads."""

    def __init__(self, folder: Path) -> None:
        """Load the exported model in `folder`. Raises EncoderError if it is missing or damaged."""
        facts = read_facts(folder)
        self.dimension = int(facts["dimension"])
        self.max_tokens = int(facts["max_tokens"])
        self.fingerprint = fingerprint(facts)
        self._pooling = str(facts["pooling"])
        self._query_prompt = str(facts["query_prompt"])
        self._document_prompt = str(facts["document_prompt"])
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._pieces = np.load(folder / "words.npy", mmap_mode="r")
            self._session = Session(folder / "model.onnx")
        except Exception as error:
            raise EncoderError(
                f"the encoder in {folder} is damaged: delete that folder and run `gapbot index`"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_tokens)
        self._known = lru_cache(maxsize=10_000)(self._is_known)
        self._word = lru_cache(maxsize=20_000)(self._word_vector)

    def encode_query(self, text: str) -> Vectors:
        """Return the unit vector of a question, shape (dimension,)."""
        encoding = self._tokenizer.encode(_clean(self._query_prompt + text))
        return _unit(self._pool(self._run([encoding.ids])[0]))

    def encode_passages(
        self, passages: Sequence[PassageText], progress: Callable[[int], None] | None = None
    ) -> list[PassageVectors]:
        """Encode passages and, from the same pass, their sentences (late chunking, arXiv 2409.04701).

        `progress` is called with the number of passages done after each batch. A sentence beyond the
        model's limit of tokens gets the vector of its passage.
        """
        prefixes = [self._document_prompt + (p.context + ". " if p.context else "") for p in passages]
        encodings = self._tokenizer.encode_batch([_clean(a + p.text) for a, p in zip(prefixes, passages, strict=True)])
        results: list[PassageVectors | None] = [None] * len(passages)
        # Batches of similar length waste no work on padding.
        order = sorted(range(len(passages)), key=lambda i: len(encodings[i].ids))
        for batch in _batches(order, _BATCH):
            outputs = self._run([encodings[i].ids for i in batch])
            for i, tokens in zip(batch, outputs, strict=True):
                results[i] = self._late_chunks(tokens, encodings[i].offsets, len(prefixes[i]), passages[i])
            if progress:
                progress(len(batch))
        return [r for r in results if r is not None]

    def knows_word(self, word: str) -> bool:
        """Tell whether a word is one piece of the model's vocabulary: an ordinary word or well-known name."""
        return self._known(word)

    def word_vectors(self, words: Sequence[str]) -> Vectors:
        """Return unit vectors of single words without context, shape (words, dimension): related words lie near."""
        if not words:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([self._word(w) for w in words])

    def _word_vector(self, word: str) -> Vectors:
        ids = self._tokenizer.encode(_clean(word), add_special_tokens=False).ids
        return _unit(self._pieces[ids].astype(np.float32).mean(axis=0)) if ids else np.zeros(self.dimension, np.float32)

    def _is_known(self, word: str) -> bool:
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids) == 1

    def _late_chunks(self, tokens: Vectors, offsets: list[Span], shift: int, passage: PassageText) -> PassageVectors:
        whole = _unit(self._pool(tokens))
        starts = np.array([a if b > a else -1 for a, b in offsets]) - shift
        if len(passage.sentences) == 1:
            return PassageVectors(whole, whole[None, :])
        rows = []
        for a, b in passage.sentences:
            inside = (starts >= a) & (starts < b)
            rows.append(_unit(tokens[inside].mean(axis=0)) if inside.any() else whole)
        return PassageVectors(whole, np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32))

    def _pool(self, tokens: Vectors) -> Vectors:
        pooled: Vectors = tokens.mean(axis=0) if self._pooling == "mean" else tokens[0]
        return pooled

    def _run(self, rows: list[list[int]]) -> list[Vectors]:
        width = max(len(row) for row in rows)
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        (output,) = self._session.run(input_ids=ids, attention_mask=mask)
        return [output[i, : len(row)] for i, row in enumerate(rows)]


def encoder_folder(encoders: Path, model: str) -> Path:
    """Return where the exported form of a model lies: models of different folders never share one."""
    if model == BUNDLED:
        return encoders / BUNDLED
    source = Path(model).expanduser().resolve()
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", source.name)[:40].strip("-.")
    digest = hashlib.sha256(str(source).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return encoders / f"{slug}-{digest}".lstrip("-")


def ensure_exported(encoders: Path, model: str) -> Path:
    """Export a model unless it has been; return its folder. Takes up to a minute the first time.

    A model whose weights have changed since is exported anew. Raises EncoderError with the exporter's one line.
    """
    folder = encoder_folder(encoders, model)
    encoders.mkdir(parents=True, exist_ok=True)
    # Two first runs at once must not both export: the second waits and finds it done.
    with FileLock(encoders / "lock"):
        if _is_current(folder, model):
            return folder
        for left_over in encoders.glob(".export-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=encoders, prefix=".export-") as temporary:
            built = Path(temporary) / "encoder"
            built.mkdir()
            command = [sys.executable, "-m", "index.export", model, str(built)]
            done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
            if done.returncode != 0:
                lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
                raise EncoderError(lines[-1])
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(built, folder)
    return folder


def _is_current(folder: Path, model: str) -> bool:
    try:
        facts = read_facts(folder)
    except EncoderError:
        return False
    # The bundled weights are pinned; those of another model are a folder that its owner may have trained further.
    return model == BUNDLED or facts["weights"] == file_sha256(model_folder(model) / "model.safetensors")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read encoder.json and check that the model beside it is whole. Raises EncoderError otherwise."""
    try:
        facts: dict[str, Any] = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        whole = (folder / "model.onnx").stat().st_size == facts["size"] and all(
            (folder / name).is_file() for name in ("tokenizer.json", "words.npy")
        )
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        raise EncoderError(f"the encoder in {folder} is missing or damaged: run `gapbot index` to make it anew")
    return facts


def fingerprint(facts: dict[str, Any]) -> str:
    """Identify the vectors a model makes: indexes of different fingerprints never mix."""
    keys = ("weights", "dimension", "max_tokens", "pooling", "query_prompt", "document_prompt")
    return hashlib.sha256(json.dumps([facts[k] for k in keys]).encode()).hexdigest()[:16]


def _clean(text: str) -> str:
    # A lone surrogate has no UTF-8 form, and the tokenizer refuses it; one character stays one character.
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)


def _unit(vector: Vectors) -> Vectors:
    norm = float(np.linalg.norm(vector))
    return (vector / norm if norm else vector).astype(np.float32)


def _batches(items: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
