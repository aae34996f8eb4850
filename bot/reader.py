"""The reader: a small network that reads a question beside a passage and points at the words that answer.

The encoder's transformer, trained further for extractive reading as in BERT's (Devlin et al. 2019) with a head for
answerability (Rajpurkar et al. 2018) and one for evidence; see training/ and its model card.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from index.encoder import PassageText
from index.export import BUNDLED, model_files
from index.runtime import Session
from index.threads import at_once, threads_here

FILE = Path(__file__).parent / "reader.onnx"
SHA256 = "d6b9b9c7c0b0c88f0bc003e512c22aa6702b0506db17858b1129673b59ff82d1"
"""Of the shipped file."""
MOST_TOKENS = 320
_MOST_SPAN = 24
_EMBEDDINGS = "embeddings.word_embeddings.weight"
MOST_QUESTION = 400
SCALE = (6.0, 10.0, 5.0)
"""What brings the log-odds of evidence, span and answerability to about -1 to 1."""


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """How a sentence answers: log-odds that it is evidence, and of its best span over no answer; the span's offsets.

    `starts` and `ends` are the logits of where else an answer may start and end, by offset, a token each.
    """

    evidence: float
    span_score: float
    start: int
    end: int
    starts: Mapping[int, float] = field(default_factory=dict, repr=False)
    ends: Mapping[int, float] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """Log-odds that a passage answers the question, and what its sentences say; spans are offsets of its text."""

    answerable: float
    sentences: tuple[ReadSentence, ...]


class Reader:
    """The shipped reader. Thread-safe: one session serves all threads.

    Each passage is read by one thread, and several passages at once: two threads at one passage wait for each other at
    every layer, and take a third more time.
    """

    def __init__(self, file: Path = FILE) -> None:
        """Load the reader and the word embeddings of the bundled encoder. Raises EncoderError if they are missing."""
        folder = model_files(BUNDLED)
        self._session = Session(file, threads=1)
        self._pool = ThreadPoolExecutor(threads_here(), "reader")
        self._embeddings = _tensor(folder / "model.safetensors", _EMBEDDINGS)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS, strategy="only_second")

    def read(self, question: str, passages: Sequence[PassageText]) -> list[ReadPassage]:
        """Read a question beside each passage."""
        return self.read_pairs([(question, p) for p in passages])

    def read_pairs(self, pairs: Sequence[tuple[str, PassageText]]) -> list[ReadPassage]:
        """Read each question beside its passage.

        Each by itself: what comes into a layer is brought to 8 bits by the widest value of all, so that in a batch one
        passage would change what is read in another. It takes no longer, since nothing is padded.
        """
        return at_once(self._pool, self._read, pairs)

    def _read(self, pair: tuple[str, PassageText]) -> ReadPassage:
        question, passage = pair
        context = beginning(passage.context)
        encoding = self._tokenizer.encode(question[:MOST_QUESTION], context + passage.text)
        tokens, answerable = self._run(encoding)
        return ReadPassage(float(answerable[0]), tuple(_sentences(tokens[0], encoding, passage, len(context))))

    def _run(self, encoding: Encoding) -> list[npt.NDArray[np.float32]]:
        return self._session.run(
            embeddings=np.asarray(self._embeddings[[encoding.ids]]),
            attention_mask=np.array([encoding.attention_mask]),
            token_type_ids=np.array([encoding.type_ids]),
        )


def _sentences(
    logits: npt.NDArray[np.float32], encoding: Encoding, passage: PassageText, shift: int
) -> list[ReadSentence]:
    offsets = np.array(encoding.offsets) - shift
    inside = np.array([s == 1 for s in encoding.sequence_ids]) & (offsets[:, 0] >= 0) & (offsets[:, 1] > offsets[:, 0])
    nothing = float(logits[0, 0] + logits[0, 1])
    result = []
    for a, b in passage.sentences:
        own = np.flatnonzero(inside & (offsets[:, 0] >= a) & (offsets[:, 0] < b))
        if not len(own):  # beyond what the reader sees
            result.append(ReadSentence(-8.0, -16.0, a, a))
            continue
        first, last = best_span(logits[own, 0], logits[own, 1])
        score = float(logits[own[first], 0] + logits[own[last], 1]) - nothing
        sentence = ReadSentence(
            float(logits[own, 2].mean()), score, int(offsets[own[first], 0]), int(offsets[own[last], 1]),
            {int(offsets[i, 0]): float(logits[i, 0]) for i in own}, {int(offsets[i, 1]): float(logits[i, 1]) for i in own},
        )  # fmt: skip
        result.append(sentence)
    return result


def beginning(context: str) -> str:
    """Return how a passage begins that the reader reads: with its title and headings. It was trained on this form."""
    return f"{context}. " if context else ""


def best_span(starts: npt.NDArray[np.float32], ends: npt.NDArray[np.float32]) -> tuple[int, int]:
    """Return the first and last token of the best span of at most 24 tokens, from their logits, each of shape (tokens,)."""
    pairs = starts[:, None] + ends[None, :]
    ones = np.ones_like(pairs, dtype=bool)
    pairs = np.where(np.triu(ones) & ~np.triu(ones, _MOST_SPAN), pairs, -np.inf)
    first, last = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
    return int(first), int(last)


def _tensor(file: Path, name: str) -> npt.NDArray[np.float32]:
    """Map one float32 tensor of a safetensors file into memory: eight bytes of length, a JSON header, then the data."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        facts = json.loads(opened.read(length))[name]
    start, _ = facts["data_offsets"]
    return np.memmap(file, np.float32, "r", offset=8 + length + start, shape=tuple(facts["shape"]))
