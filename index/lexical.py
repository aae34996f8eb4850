"""BM25 over passages and sentences, and the vocabulary that mends misspelt words."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from corpus.errors import IndexError_
from index.terms import STOPWORDS, stem, terms, words

_K1, _B = 1.2, 0.6


class LexicalIndex:
    """BM25 over the texts of one level (Robertson and Zaragoza 2009).

    bm25s scores every term of every text when the index is built (arXiv 2407.03618): a query only adds up columns
    of that matrix, so that asking needs neither the library nor scipy, which take long to import.
    """

    def __init__(self, folder: Path) -> None:
        """Map an index written by `build_lexical` into memory. Raises IndexError_ if it cannot be read."""
        try:
            self._scores, self._texts, self._starts = (
                np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("scores", "texts", "starts")
            )
            row = json.loads((folder / "terms.json").read_text(encoding="utf-8"))
            self._ids: list[str] = row["ids"]
            self._columns: dict[str, int] = row["columns"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexError_(f"the index in {folder} cannot be read: run `gapbot index --rebuild`") from error

    def query(self, query_terms: Sequence[str], k: int) -> list[tuple[str, float]]:
        """Return the k best units for the terms as (id, score), best first; units that share no term are left out."""
        columns = [c for t in query_terms if (c := self._columns.get(t)) is not None]
        if not columns or k < 1:
            return []
        scores = np.zeros(len(self._ids), dtype=np.float32)
        for column in columns:
            start, end = self._starts[column], self._starts[column + 1]
            scores[self._texts[start:end]] += self._scores[start:end]
        k = min(k, len(scores))
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [(self._ids[i], float(scores[i])) for i in best if scores[i] > 0]


def build_lexical(folder: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
    """Index texts under ids and write the index to a folder."""
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of every build, wherever logs go

    folder.mkdir(parents=True, exist_ok=True)
    tokens = [terms(t) for t in texts]
    if any(tokens):
        bm25 = bm25s.BM25(k1=_K1, b=_B)
        bm25.index(tokens, show_progress=False)
        arrays = {"scores": bm25.scores["data"], "texts": bm25.scores["indices"], "starts": bm25.scores["indptr"]}
        columns = {t: int(c) for t, c in bm25.vocab_dict.items()}
    else:
        arrays = {"scores": np.zeros(0, np.float32), "texts": np.zeros(0, np.int32), "starts": np.zeros(1, np.int64)}
        columns = {}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "terms.json").write_text(json.dumps({"ids": list(ids), "columns": columns}), encoding="utf-8")


_PREFIXES = frozenset(
    "over out under down fore mis with inter super counter cross back mid non sub anti up off self".split()
)


class Vocabulary:
    """The words of the corpus with the number of passages they occur in, for term weights and spelling."""

    def __init__(self, path: Path) -> None:
        """Read a vocabulary written by `build_vocabulary`. Raises IndexError_ if it cannot be read."""
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexError_(f"the index file {path} cannot be read: run `gapbot index --rebuild`") from error
        self.passages = int(row["passages"])
        self._words: dict[str, int] = row["words"]
        self._frequencies: Counter[str] = Counter()
        for word, count in self._words.items():
            self._frequencies[stem(word)] += count
        self._candidates = [w for w in self._words if len(w) >= 4 and w.isalpha()]

    def __contains__(self, word: str) -> bool:
        return word in self._words or stem(word) in self._frequencies

    def idf(self, term: str) -> float:
        """Return the inverse document frequency of a stemmed term, as BM25 has it; unknown terms are the rarest."""
        n = min(self._frequencies.get(term, 0), self.passages)
        return float(np.log(1 + (self.passages - n + 0.5) / (n + 0.5)))

    def frequency(self, term: str) -> int:
        """Return in how many passages a stemmed term occurs, at most."""
        return self._frequencies.get(term, 0)

    def corrected(self, word: str, is_word: Callable[[str], bool]) -> str | None:
        """Return the word or two words of the corpus that a misspelt word must mean, or None.

        `is_word` tells real words of the language, which are never "corrected": a question about Ghana is
        not one about China. One edit or swap (optimal string alignment) is allowed, two from nine letters on.
        """
        if len(word) < 4 or not word.isalpha() or word in self or is_word(word):
            return None
        allowed = 2 if len(word) >= 9 else 1
        found = process.extract(word, self._candidates, scorer=OSA.distance, score_cutoff=allowed, limit=8)
        if found:
            nearest = min(f[1] for f in found)
            best: str = max((f[0] for f in found if f[1] == nearest), key=lambda w: self._words[w])
            return best
        for cut in range(3, len(word) - 2):
            # "datacentre" is two words run together; "overtake" is one word that the corpus happens not to hold.
            if word[:cut] in _PREFIXES:
                continue
            if word[:cut] in self and word[cut:] in self and len(word) - cut >= 3:
                return f"{word[:cut]} {word[cut:]}"
        return None


def build_vocabulary(path: Path, texts: Sequence[str]) -> None:
    """Count in how many texts each word occurs and write the counts to a file."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({w for w in words(text) if w not in STOPWORDS})
    path.write_text(json.dumps({"passages": len(texts), "words": counts}, ensure_ascii=False), encoding="utf-8")
