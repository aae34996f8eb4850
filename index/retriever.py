"""Hybrid retrieval: dense passages, dense sentences and BM25 over both, fused, as a LangChain retriever."""

import re
import shutil
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from corpus.documents import Document
from corpus.errors import IndexError_, IndexMismatch, IndexReadOnly
from corpus.passages import Passage
from index.catalogue import Catalogue, passage_context, sentence_id
from index.encoder import Encoder, Vectors
from index.generations import held_generation, live_name
from index.lexical import LexicalIndex, Vocabulary
from index.store import Store
from index.terms import STOPWORDS, stem, terms, words
from index.threads import at_once

# How many candidates each leg brings.
_PASSAGES, _SENTENCES = 60, 120
# Convex combination of normalised scores, which beats reciprocal rank fusion once its weights are known
# (Bruch, Gai and Ingber 2023, arXiv 2210.11934); chosen on the development halves of tests/bench.
_WEIGHTS = {"passages": 0.25, "sentences": 0.25, "bm25_passages": 0.25, "bm25_sentences": 0.25}
# A follow-up as it was read, as it was typed, and as read together with the question before it.
_FOLLOW_UP = {"query": 0.35, "typed": 0.25, "joined": 0.4}


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence of a retrieved passage: `document.text[start:end]`, its cosine and BM25 score for the query."""

    start: int
    end: int
    text: str
    cosine: float
    bm25: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A retrieved passage with its fused score (0 to 1, best first) and all its sentences in order."""

    document: Document
    passage: Passage
    context: str
    score: float
    cosine: float
    bm25: float
    sentences: tuple[ScoredSentence, ...]

    @property
    def text(self) -> str:
        return self.document.text[self.passage.start : self.passage.end]


class Index:
    """One opened generation: everything that a question needs. Safe for several threads."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        """Open the live generation of the index in `folder`.

        Raises IndexMissing, IndexMismatch (another encoder) or IndexError_ (damaged).
        """
        self.published = live_name(folder)
        path, self.generation, held = held_generation(folder)
        # Given up with the last thread that answers from it, once a newer one has taken its place.
        given_up = ExitStack()
        self._release = weakref.finalize(self, given_up.close)
        self._release.atexit = False
        if held:
            given_up.callback(held.close)
        if self.generation.encoder != encoder.fingerprint:
            raise IndexMismatch(
                "the index was built with another encoder than the one configured: run `gapbot index --rebuild`"
            )
        self.encoder = encoder
        try:
            self.store = Store(path / "chroma", encoder.fingerprint)
        except IndexReadOnly:
            # Chroma writes to what it reads: where that is forbidden it gets a copy, for as long as the index is open.
            copy = tempfile.TemporaryDirectory(prefix="gapbot-")
            self.store = Store(_copied(path / "chroma", Path(copy.name)), encoder.fingerprint)
            given_up.callback(copy.cleanup)
        self.catalogue = Catalogue(path / "catalogue.sqlite")
        # Counted here, by one thread: several that load a graph at once each add what is not saved yet to what is to be
        # saved, and Chroma writes then into a generation that is published.
        counts = self.store.count("passages"), self.store.count("sentences")
        if counts != (self.generation.passages, self.generation.sentences):
            raise IndexError_("the index is not whole: run `gapbot index` to build it anew")
        self._pool = ThreadPoolExecutor(thread_name_prefix="retriever")
        self._passages = LexicalIndex(path / "words" / "passages")
        self._sentences = LexicalIndex(path / "words" / "sentences")
        self.vocabulary = Vocabulary(path / "words" / "vocabulary.json")

    @property
    def stands_in(self) -> bool:
        """Whether the published generation was damaged when it was to be opened, and this is a former one."""
        return self.generation.name != self.published

    def corrected(self, query: str) -> str:
        """Mend misspelt words of a query that can only mean a word of the corpus; the rest stays as typed."""

        def mend(match: re.Match[str]) -> str:
            word = match.group()
            lower = word.lower()
            if word.isupper():
                return word
            return self.vocabulary.corrected(lower, self.encoder.knows_word) or word

        # Of four letters every second one makes another word: "bake" and "take".
        return re.sub(r"[^\W\d_]{5,}", mend, query)

    def retrieve(self, query: str, k: int = 8, before: str = "", typed: str = "") -> list[Evidence]:
        """Return the k best passages for a query, best first; an empty corpus gives none.

        `before` is what was asked before it in a conversation, and `typed` the query as it was typed: what these find
        counts as well, for a reading of a follow-up may be mistaken (weights chosen on MTRAG and CAsT).
        """
        if not self.generation.passages:
            return []
        vector = self.encoder.encode_query(query)
        legs = self._legs(query, vector, k)
        scores = legs.fused()
        if before:
            joined = f"{before} {query}"
            beside = {"joined": dict(self._legs(joined, self.encoder.encode_query(joined), k).fused())}
            beside["typed"] = dict(scores)
            # "Why?" names nothing to look for.
            if typed != query and terms(typed):
                beside["typed"] = dict(self._legs(typed, self.encoder.encode_query(typed), k).fused())
            scores = fuse({"query": dict(scores), **beside}, _FOLLOW_UP)
        fused = scores[:k]
        cosines, bm25 = legs.passages, legs.bm25_passages
        sentence_cosines, sentence_bm25 = legs.sentences, legs.bm25_sentences
        rows = self.catalogue.rows([int(number) for number, _ in fused])
        wanted = [sentence_id(row.number, i) for row in rows.values() for i in range(len(row.passage.sentences))]
        missing = [i for i in wanted if i not in sentence_cosines]
        vectors = self.store.vectors("sentences", missing)
        sentence_cosines |= {i: float(v @ vector) for i, v in vectors.items()}
        absent = [number for number, _ in fused if number not in cosines]
        cosines |= {i: float(v @ vector) for i, v in self.store.vectors("passages", absent).items()}
        result = []
        for number, score in fused:
            row = rows.get(int(number))
            document = self.catalogue.document(row.passage.document) if row else None
            if row is None or document is None:
                raise IndexError_("the index is damaged: run `gapbot index --rebuild`")
            sentences = tuple(
                ScoredSentence(a, b, document.text[a:b], sentence_cosines.get(i, 0.0), sentence_bm25.get(i, 0.0))
                for j, (a, b) in enumerate(row.passage.sentences)
                for i in (sentence_id(row.number, j),)
            )
            context = passage_context(document, row.passage)
            cosine = cosines.get(number, 0.0)
            result.append(Evidence(document, row.passage, context, score, cosine, bm25.get(number, 0.0), sentences))
        return result

    def _legs(self, query: str, vector: Vectors, k: int) -> "_Legs":
        generation = self.generation
        query_terms = terms(query) or [stem(w) for w in words(query) if w not in STOPWORDS]
        passages, sentences = max(_PASSAGES, k), max(_SENTENCES, 2 * k)
        wanted = {"passages": min(passages, generation.passages), "sentences": min(sentences, generation.sentences)}
        # Chroma looks for passages and for sentences at once.
        near, near_sentences = at_once(self._pool, lambda n: self.store.query(n, vector, wanted[n]), wanted)
        return _Legs(
            dict(near),
            dict(near_sentences),
            dict(self._passages.query(query_terms, passages)),
            dict(self._sentences.query(query_terms, sentences)),
        )

    def close(self) -> None:
        """Release the generation's files."""
        self._pool.shutdown()
        self.store.close()
        self.catalogue.close()
        self._release()


def _copied(folder: Path, into: Path) -> Path:
    target = into / folder.name
    shutil.copytree(folder, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return target


@dataclass(frozen=True, slots=True)
class _Legs:
    """The scores that each leg brings for one query, by the ids of passages or sentences."""

    passages: dict[str, float]
    sentences: dict[str, float]
    bm25_passages: dict[str, float]
    bm25_sentences: dict[str, float]

    def fused(self) -> list[tuple[str, float]]:
        """Return one ranking of passages, best first."""
        legs = {
            "passages": self.passages, "sentences": _best_of_passage(self.sentences),
            "bm25_passages": self.bm25_passages, "bm25_sentences": _best_of_passage(self.bm25_sentences),
        }  # fmt: skip
        return fuse(legs, _WEIGHTS)


class Retriever(BaseRetriever):
    """An index as a LangChain retriever: passages with their best sentences and exact offsets in the metadata."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    index: Index
    k: int = 8

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        return [to_langchain(e) for e in self.index.retrieve(query, self.k)]


def to_langchain(evidence: Evidence) -> LangChainDocument:
    """Return retrieved evidence as a LangChain document; its sentences are best first."""
    document, passage = evidence.document, evidence.passage
    best = sorted(evidence.sentences, key=lambda s: s.cosine, reverse=True)
    return LangChainDocument(
        page_content=evidence.text,
        metadata={
            "document": document.id,
            "start": passage.start,
            "end": passage.end,
            "title": document.title,
            "publisher": document.publisher,
            "url": document.url,
            "date": document.date,
            "headings": list(passage.headings),
            "score": evidence.score,
            "sentences": [{"start": s.start, "end": s.end, "text": s.text, "cosine": s.cosine} for s in best],
        },
    )


def fuse(legs: dict[str, dict[str, float]], weights: dict[str, float]) -> list[tuple[str, float]]:
    """Combine the scores of several legs into one ranking, best first.

    Each leg is scaled to 0..1 between the lowest and the highest score that it brings; a candidate that a leg
    does not bring has 0 there.

    >>> fuse({"a": {"x": 3.0, "y": 1.0}, "b": {"y": 8.0}}, {"a": 0.5, "b": 0.5})
    [('x', 0.5), ('y', 0.5)]
    """
    total: dict[str, float] = {}
    for name, scores in legs.items():
        if not scores:
            continue
        low, high = min(scores.values()), max(scores.values())
        # BM25 has a true zero; a cosine has not, so the weakest candidate of the leg stands for it.
        low = 0.0 if name.startswith("bm25") else low
        for key, score in scores.items():
            scaled = (score - low) / (high - low) if high > low else 1.0
            total[key] = total.get(key, 0.0) + weights[name] * scaled
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _best_of_passage(sentences: dict[str, float]) -> dict[str, float]:
    best: dict[str, float] = {}
    for identifier, score in sentences.items():
        number = identifier.partition(".")[0]
        best[number] = max(score, best.get(number, score))
    return best
