"""BM25 over passages and sentences, and the vocabulary that mends misspelt words."""

import json
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from corpus.errors import IndexError_
from index.terms import STOPWORDS, stem, terms, words

_K1, _B = 1.2, 0.6
_ID = np.dtype("S24")
_ENTRY = np.dtype([("column", np.int32), ("text", np.int32), ("count", np.int32)])
_BLOCK = 1_000_000
"""Counts sorted at a time."""


class LexicalIndex:
    """BM25 over the texts of one level (Robertson and Zaragoza 2009).

    Every term of every text is scored when the index is built (as in bm25s, arXiv 2407.03618): a query only adds up
    columns of that matrix. It begins with the rarest term and stops to look for further texts where the terms that
    are left cannot lift one among the best: MaxScore (Turtle and Flood 1995). What the frequent terms would cost grows
    with the corpus.
    """

    def __init__(self, folder: Path) -> None:
        """Map an index written by `build_lexical` into memory. Raises IndexError_ if it cannot be read."""
        try:
            self._scores, self._texts, self._starts, self._ceilings, self._ids = (
                np.load(folder / f"{name}.npy", mmap_mode="r")
                for name in ("scores", "texts", "starts", "ceilings", "ids")
            )
            self._columns: dict[str, int] = json.loads((folder / "terms.json").read_text(encoding="utf-8"))["columns"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexError_(f"the index in {folder} cannot be read: run `gapbot index --rebuild`") from error

    def query(self, query_terms: Sequence[str], k: int) -> list[tuple[str, float]]:
        """Return the k best units for the terms as (id, score), best first; units that share no term are left out."""
        columns = [c for t in query_terms if (c := self._columns.get(t)) is not None]
        if not columns or k < 1:
            return []
        columns.sort(key=lambda c: -self._ceilings[c])
        # What the terms from each one on can add at most.
        rest = np.cumsum([0.0, *(self._ceilings[c] for c in reversed(columns))])[::-1]
        scores = np.zeros(len(self._ids), dtype=np.float32)
        found, threshold, done = [], 0.0, 0
        while done < len(columns) and rest[done] >= threshold:
            texts, added = self._column(columns[done])
            scores[texts] += added
            found.append(texts)
            if len(texts) >= k:
                threshold = max(threshold, float(np.partition(scores[texts], -k)[-k]))
            done += 1
        texts = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        for number in range(done, len(columns)):
            texts = texts[scores[texts] + rest[number] >= threshold]
            others, added = self._column(columns[number])
            at = np.minimum(np.searchsorted(others, texts), len(others) - 1)
            same = others[at] == texts
            scores[texts[same]] += added[at[same]]
        best = scores[texts]
        if len(best) > k:
            kept = np.argpartition(-best, k - 1)[:k]
            texts, best = texts[kept], best[kept]
        order = np.lexsort((texts, -best))
        return [(self._ids[texts[i]].decode(), float(best[i])) for i in order if best[i] > 0]

    def _column(self, column: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return the texts that hold a term, in order, and its score in each."""
        start, end = self._starts[column], self._starts[column + 1]
        return np.asarray(self._texts[start:end]), np.asarray(self._scores[start:end])


def build_lexical(folder: Path, units: Iterable[tuple[str, str]]) -> int:
    """Index (id, text) pairs and write the index to a folder; return their number. Ids have at most 24 bytes.

    Memory holds the vocabulary and some bytes a text: what is counted goes to disk, to be sorted by term in blocks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, int] = {}
    lengths = array("i")
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        counted, named = Path(temporary, "counted"), Path(temporary, "ids")
        with counted.open("wb") as entries, named.open("wb") as ids:
            for number, (identity, text) in enumerate(units):
                counts = Counter(terms(text))
                rows = np.empty(len(counts), _ENTRY)
                rows["column"] = [columns.setdefault(t, len(columns)) for t in counts]
                rows["text"], rows["count"] = number, list(counts.values())
                entries.write(rows.tobytes())
                ids.write(np.array(identity, _ID).tobytes())
                lengths.append(counts.total())
        np.save(folder / "ids.npy", _mapped(named, _ID))
        _score(folder, _mapped(counted, _ENTRY), len(columns), np.array(lengths, np.float64))
    (folder / "terms.json").write_text(json.dumps({"columns": columns}, ensure_ascii=False), encoding="utf-8")
    return len(lengths)


def _score(folder: Path, entries: npt.NDArray[np.void], columns: int, lengths: npt.NDArray[np.float64]) -> None:
    """Score the terms of all texts and write them in the order of terms, and of texts within each."""
    blocks = [entries[start : start + _BLOCK] for start in range(0, len(entries), _BLOCK)]
    frequency = np.zeros(columns, np.int64)
    for block in blocks:
        frequency += np.bincount(block["column"], minlength=columns)
    starts = np.concatenate([[0], np.cumsum(frequency)])
    idf = np.log(1 + (len(lengths) - frequency + 0.5) / (frequency + 0.5))
    norm = _K1 * (1 - _B + _B * lengths / max(1.0, lengths.mean() if len(lengths) else 0.0))
    ceilings = np.zeros(columns, np.float32)
    for name, kind in (("scores", np.float32), ("texts", np.int32)):
        # Written before it is mapped: a disk that is full says so to whoever writes, and kills who writes to a map.
        np.save(folder / f"{name}.npy", np.broadcast_to(np.zeros(1, kind), (len(entries),)))
    scores, texts = (np.load(folder / f"{name}.npy", mmap_mode="r+") for name in ("scores", "texts"))
    free = starts[:-1].copy()
    for block in blocks:
        rows = block[np.argsort(block["column"], kind="stable")]
        column, text, count = rows["column"], rows["text"], rows["count"]
        first = np.flatnonzero(np.diff(column, prepend=-1))
        run = np.diff(first, append=len(column))
        place = np.repeat(free[column[first]] - first, run) + np.arange(len(column))
        score = (idf[column] * count / (count + norm[text])).astype(np.float32)
        scores[place], texts[place] = score, text
        free[column[first]] += run
        ceilings[column[first]] = np.maximum(ceilings[column[first]], np.maximum.reduceat(score, first))
    np.save(folder / "starts.npy", starts)
    np.save(folder / "ceilings.npy", ceilings)


def _mapped(file: Path, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    return np.memmap(file, kind, "r") if file.stat().st_size else np.zeros(0, kind)


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


def build_vocabulary(path: Path, texts: Iterable[str]) -> None:
    """Count in how many texts each word occurs and write the counts to a file."""
    counts: Counter[str] = Counter()
    passages = 0
    for text in texts:
        counts.update({w for w in words(text) if w not in STOPWORDS})
        passages += 1
    path.write_text(json.dumps({"passages": passages, "words": counts}, ensure_ascii=False), encoding="utf-8")
