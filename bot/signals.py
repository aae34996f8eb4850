"""What speaks for a sentence as the answer to a question: the signals that rank candidates and decide to abstain."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.question import Reading
from bot.spans import Typed, typed_spans
from index.retriever import Evidence, Index, ScoredSentence
from index.terms import STOPWORDS, terms, words

NAMES = (
    "cosine", "passage_cosine", "fused", "first", "coverage", "near_coverage", "context_coverage", "names", "context_names", "numbers", "years",
    "wrong_year", "type", "bm25", "rarest", "unknown", "length", "best_cosine_gap", "asks_type", "soft", "soft_near", "soft_context", "attribute", "soft_attribute",
    "weakest", "weakest_near",
)  # fmt: skip
"""The signals in the order of the vectors that `signal_vector` returns."""

# Which spans can answer which kind of question.
_FITS = {
    "money": {"money"}, "percent": {"percent", "quantity"}, "date": {"date"}, "duration": {"duration", "quantity", "date"},
    "rank": {"rank", "quantity"}, "quantity": {"quantity", "percent", "money", "duration"}, "person": {"name"},
    "organisation": {"name"}, "place": {"name"},
}  # fmt: skip
_DEFINING = re.compile(r"(.{1,90}?),? (?:is|are|means?|refers? to|stands? for|describes?)\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with its passage and its signals by name (each about 0 to 1)."""

    evidence: Evidence
    sentence: ScoredSentence
    signals: dict[str, float]
    spans: tuple[Typed, ...]


def fitting_kinds(reading: Reading) -> set[str]:
    """Return the kinds of span that can be the short answer; empty when any sentence will do."""
    return _FITS.get(reading.expected, set())


def candidates(reading: Reading, found: Sequence[Evidence], index: Index) -> list[Candidate]:
    """Return every sentence of the retrieved passages with its signals, in the order of retrieval."""
    weights = {t: index.vocabulary.idf(t) for t in reading.terms}
    total = sum(weights.values()) or 1.0
    unknown = sum(w for t, w in weights.items() if not index.vocabulary.frequency(t)) / total
    rarest = max(weights, key=lambda t: weights[t]) if weights else None
    best = max((s.cosine for e in found for s in e.sentences), default=0.0)
    fits = fitting_kinds(reading)
    closeness = _Closeness(reading, found, index)
    attributes = [t for t in reading.terms if t not in reading.names]
    result = []
    for position, evidence in enumerate(found):
        context = sentence_terms(evidence.context) | sentence_terms(evidence.text)
        in_context = closeness.of(f"{evidence.context} {evidence.text}")
        for place, sentence in enumerate(evidence.sentences):
            own = sentence_terms(sentence.text)
            around = evidence.sentences[max(0, place - 1) : place + 2]
            near = own.union(*(sentence_terms(s.text) for s in around))
            spans = spans_of(sentence.text)
            covered = _covered(reading.terms, own)
            covered_near = covered | _covered(reading.terms, near)
            covered_in_context = covered_near | _covered(reading.terms, context)
            soft = closeness.of(sentence.text)
            soft_near = {t: max(closeness.of(s.text)[t] for s in around) for t in reading.terms}
            years = {s.text for s in spans if s.kind == "date"}
            joined = " ".join(years)
            signals = {
                "cosine": sentence.cosine,
                "passage_cosine": evidence.cosine,
                "fused": evidence.score,
                "first": 1.0 / (1 + position),
                "coverage": sum(weights[t] for t in covered) / total,
                "near_coverage": sum(weights[t] for t in covered_near) / total,
                "context_coverage": sum(weights[t] for t in covered_in_context) / total,
                "names": _share(reading.names, own),
                "context_names": _share(reading.names, own | context),
                "numbers": _share(reading.numbers, own),
                "years": float(
                    all(any(y in t for t in (sentence.text, evidence.text, evidence.context)) for y in reading.years)
                ),
                "wrong_year": float(bool(reading.years and years) and not any(y in joined for y in reading.years)),
                "type": float(not fits or any(s.kind in fits and not _in_question(s, reading) for s in spans)),
                "bm25": min(1.0, sentence.bm25 / (total + 1.0)),
                "rarest": 1.0
                if rarest is None or rarest in covered
                else (0.5 if rarest in covered_in_context else 0.0),
                "unknown": unknown,
                "length": min(1.0, len(sentence.text) / 300),
                "best_cosine_gap": best - sentence.cosine,
                "asks_type": float(bool(fits)),
                "soft": sum(weights[t] * soft[t] for t in reading.terms) / total,
                "soft_near": sum(weights[t] * soft_near[t] for t in reading.terms) / total,
                "soft_context": sum(weights[t] * in_context[t] for t in reading.terms) / total,
                "attribute": _share(attributes, near),
                "soft_attribute": _mean([soft_near[t] for t in attributes]),
                "weakest": min(in_context.values(), default=1.0),
                "weakest_near": min(soft_near.values(), default=1.0),
                "defines": float(reading.expected == "definition" and _defines(sentence.text, reading)),
            }
            result.append(Candidate(evidence, sentence, signals, spans))
    return result


class _Closeness:
    """How near the words of texts come to each term of a question: 1 for the term itself, else the best cosine.

    Late interaction in the manner of ColBERT's MaxSim (Khattab and Zaharia 2020), with static word vectors.
    """

    def __init__(self, reading: Reading, found: Sequence[Evidence], index: Index) -> None:
        self._terms = reading.terms
        known = {w for e in found for w in _content_words(f"{e.context} {e.text}")}
        self._column = {w: i for i, w in enumerate(sorted(known))}
        wanted = index.encoder.word_vectors(reading.words)
        self._cosines = wanted @ index.encoder.word_vectors(list(self._column)).T
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


def signal_vector(candidate: Candidate) -> list[float]:
    """Return the signals of a candidate in the order of `NAMES`."""
    return [candidate.signals[name] for name in NAMES]


@lru_cache(maxsize=20_000)
def sentence_terms(text: str) -> frozenset[str]:
    """Return the set of index terms of a text."""
    return frozenset(terms(text))


@lru_cache(maxsize=20_000)
def _content_words(text: str) -> frozenset[str]:
    return frozenset(w for w in words(text) if w not in STOPWORDS and w != "us_")


@lru_cache(maxsize=20_000)
def spans_of(text: str) -> tuple[Typed, ...]:
    """Return the typed spans of a sentence."""
    return tuple(typed_spans(text))


def matches(term: str, others: frozenset[str]) -> bool:
    """Tell whether a stem is among others, or shares a long beginning with one: `invest` and `investor`."""
    if term in others:
        return True
    if len(term) < 5 or not term.isalpha():
        return False
    return any(
        len(o) >= 5 and o.isalpha() and _common_prefix(term, o) >= max(5, 0.75 * max(len(term), len(o))) for o in others
    )


def _covered(wanted: Sequence[str], others: frozenset[str]) -> set[str]:
    return {t for t in wanted if matches(t, others)}


def _share(wanted: Sequence[str], others: frozenset[str]) -> float:
    return sum(matches(t, others) for t in wanted) / len(wanted) if wanted else 1.0


def _defines(sentence: str, reading: Reading) -> bool:
    """Tell a sentence that says what the subject of a question is: the subject opens it, "is" or "means" follows."""
    opening = _DEFINING.match(sentence)
    if not opening or not reading.terms:
        return False
    subject = sentence_terms(opening.group(1))
    return all(matches(t, subject) for t in reading.terms) and len(subject) <= 2 * len(reading.terms)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0


def _in_question(span: Typed, reading: Reading) -> bool:
    own = sentence_terms(span.text)
    return bool(own) and own <= set(reading.terms) | set(reading.numbers) | set(reading.years) | set(reading.frame)


def _common_prefix(a: str, b: str) -> int:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n
