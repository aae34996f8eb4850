"""How near the words of a text come to the terms of a question."""

from collections.abc import Iterable
from functools import lru_cache

from bot.question import Reading
from index.encoder import Encoder
from index.terms import STOPWORDS, matches, sentence_terms, words


class Closeness:
    """The closeness of texts to each term of a question: 1 for the term itself, else the best cosine of any word.

    Late interaction in the manner of ColBERT's MaxSim (Khattab and Zaharia 2020), with static word vectors.
    """

    def __init__(self, reading: Reading, texts: Iterable[str], encoder: Encoder) -> None:
        """Prepare for `texts`, from which all that is asked later must be parts."""
        self._terms = reading.terms
        known = {w for text in texts for w in _content_words(text)}
        self._column = {w: i for i, w in enumerate(sorted(known))}
        wanted = encoder.word_vectors(reading.words)
        self._cosines = wanted @ encoder.word_vectors(list(self._column)).T
        # A figure or a name is the same or another: France answers nothing about Brazil, near as the two words lie.
        for i, (term, word) in enumerate(zip(reading.terms, reading.words, strict=True)):
            if word[0].isdigit() or term in reading.names:
                self._cosines[i] = 0.0
        self._known: dict[str, dict[str, float]] = {}

    def of(self, text: str) -> dict[str, float]:
        """Return the closeness of a text to each term, 0 to 1."""
        if text not in self._known:
            columns = [self._column[w] for w in _content_words(text) if w in self._column]
            stems = sentence_terms(text)
            best = self._cosines[:, columns].max(axis=1) if columns else [0.0] * len(self._terms)
            self._known[text] = {
                t: 1.0 if matches(t, stems) else min(1.0, max(0.0, float(b)))
                for t, b in zip(self._terms, best, strict=True)
            }
        return self._known[text]


@lru_cache(maxsize=20_000)
def _content_words(text: str) -> frozenset[str]:
    return frozenset(w for w in words(text) if w not in STOPWORDS and w != "us_")
