"""What speaks for a sentence as the answer to a question: the signals that rank candidates and decide to abstain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.question import Reading
from bot.spans import Typed, typed_spans
from index.retriever import Evidence, ScoredSentence
from index.terms import terms

NAMES = (
    "cosine", "passage_cosine", "fused", "first", "coverage", "near_coverage", "context_coverage", "names", "context_names", "numbers", "years",
    "wrong_year", "type", "bm25", "rarest", "unknown", "length", "best_cosine_gap", "asks_type",
)  # fmt: skip
"""The signals in the order of the vectors that `signal_vector` returns."""

Idf = Callable[[str], float]
# Which spans can answer which kind of question.
_FITS = {
    "money": {"money"}, "percent": {"percent", "quantity"}, "date": {"date"}, "duration": {"duration", "date"},
    "rank": {"rank", "quantity"}, "quantity": {"quantity", "percent", "money", "duration"}, "person": {"name"},
    "organisation": {"name"}, "place": {"name"},
}  # fmt: skip


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


def candidates(reading: Reading, found: Sequence[Evidence], idf: Idf, frequency: Callable[[str], int]) -> list[Candidate]:
    """Return every sentence of the retrieved passages with its signals, in the order of retrieval."""
    weights = {t: idf(t) for t in reading.terms}
    total = sum(weights.values()) or 1.0
    unknown = sum(w for t, w in weights.items() if not frequency(t)) / total
    rarest = max(weights, key=lambda t: weights[t]) if weights else None
    best = max((s.cosine for e in found for s in e.sentences), default=0.0)
    fits = fitting_kinds(reading)
    result = []
    for position, evidence in enumerate(found):
        context = sentence_terms(evidence.context) | sentence_terms(evidence.text)
        for place, sentence in enumerate(evidence.sentences):
            own = sentence_terms(sentence.text)
            near = own.union(*(sentence_terms(s.text) for s in evidence.sentences[max(0, place - 1) : place + 2]))
            spans = spans_of(sentence.text)
            covered = _covered(reading.terms, own)
            covered_in_context = covered | _covered(reading.terms, context)
            years = {s.text for s in spans if s.kind == "date"}
            joined = " ".join(years)
            signals = {
                "cosine": sentence.cosine,
                "passage_cosine": evidence.cosine,
                "fused": evidence.score,
                "first": 1.0 / (1 + position),
                "coverage": sum(weights[t] for t in covered) / total,
                "near_coverage": sum(weights[t] for t in covered | _covered(reading.terms, near)) / total,
                "context_coverage": sum(weights[t] for t in covered_in_context) / total,
                "names": _share(reading.names, own),
                "context_names": _share(reading.names, own | context),
                "numbers": _share(reading.numbers, own),
                "years": 1.0 if all(y in sentence.text or y in evidence.text or y in evidence.context for y in reading.years) else 0.0,
                "wrong_year": 1.0 if reading.years and years and not any(y in joined for y in reading.years) else 0.0,
                "type": 1.0 if not fits or any(s.kind in fits and not _in_question(s, reading) for s in spans) else 0.0,
                "bm25": min(1.0, sentence.bm25 / (total + 1.0)),
                "rarest": 1.0 if rarest is None or rarest in covered else (0.5 if rarest in covered_in_context else 0.0),
                "unknown": unknown,
                "length": min(1.0, len(sentence.text) / 300),
                "best_cosine_gap": best - sentence.cosine,
                "asks_type": 1.0 if fits else 0.0,
            }  # fmt: skip
            result.append(Candidate(evidence, sentence, signals, spans))
    return result


def signal_vector(candidate: Candidate) -> list[float]:
    """Return the signals of a candidate in the order of `NAMES`."""
    return [candidate.signals[name] for name in NAMES]


@lru_cache(maxsize=20_000)
def sentence_terms(text: str) -> frozenset[str]:
    """Return the set of index terms of a text."""
    return frozenset(terms(text))


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
