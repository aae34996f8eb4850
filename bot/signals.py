"""What speaks for a sentence as the answer to a question: the signals that rank candidates and decide to abstain."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.acronyms import ASKS, acronyms, expansion
from bot.astray import astray
from bot.closeness import Closeness
from bot.cues import gives_cause, negates, opposed, prospective
from bot.misfit import misfit
from bot.named import names_apart, opening, weakest_name
from bot.pointing import pointed_at
from bot.question import Reading
from bot.reader import SCALE, ReadPassage, ReadSentence
from bot.short import fitting_kinds, repeats_question, span_score
from bot.spans import Typed, typed_spans
from bot.years import another_year, year_match
from corpus.documents import Statement
from index.encoder import PassageText
from index.retriever import Evidence, Index, ScoredSentence
from index.terms import matches, sentence_terms, stems

NAMES = (
    "cosine", "passage_cosine", "fused", "first", "coverage", "near_coverage", "context_coverage", "names", "context_names", "numbers", "years",
    "wrong_year", "type", "bm25", "rarest", "unknown", "length", "best_cosine_gap", "asks_type", "soft", "soft_near", "soft_context", "attribute", "soft_attribute",
    "weakest", "weakest_near", "weakest_name", "cause", "opposed", "negated", "unit", "proximity", "context_numbers", "asks_reason", "asks_yes_no", "clause", "prospect", "asks_prospect",
)  # fmt: skip
"""The signals in the order of the vectors that `signal_vector` returns."""
READ_NAMES = ("evidence", "span", "answerable", "span_fits", "astray", "span_unit", "misfit")
"""The signals that the reader adds."""

_DEFINING = re.compile(r"(.{1,90}?),? (?:is|are|means?|refers? to|stands? for|describes?)\b")


# What stands behind is a place and nobody: "in Quillport, Kesmar".
_PLACED = re.compile(r"\b(?:in|at|near) (?:[A-ZÀ-ÖØ-ÞĐ][\w’-]+, )?$")
_FIGURES = frozenset({"quantity", "duration", "money", "percent"})
_CLAUSE_END = re.compile(r"[,;:] |\b(?:which|while|whereas|but|than|and)\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with its passage, its signals by name (each about 0 to 1) and its typed spans.

    `read` is what the reader says of it, if it has read it; then the signals hold those of `READ_NAMES` too.
    """

    evidence: Evidence
    sentence: ScoredSentence
    signals: dict[str, float]
    spans: tuple[Typed, ...]
    read: ReadSentence | None = None

    @property
    def pointed(self) -> str | None:
        """What the reader points at within the sentence."""
        if not self.read:
            return None
        start = self.evidence.passage.start
        return self.evidence.document.text[start + self.read.start : start + self.read.end]

    @property
    def statements(self) -> list[Statement]:
        """What the corpus records of its sentence."""
        return self.evidence.document.statements_at(self.sentence.start, self.sentence.end)

    @property
    def passage_key(self) -> tuple[str, int]:
        """What tells its passage from all others."""
        return self.evidence.document.id, self.evidence.passage.start


def candidates(reading: Reading, found: Sequence[Evidence], index: Index) -> list[Candidate]:
    """Return every sentence of the retrieved passages with its signals, in the order of retrieval."""
    weights = {t: index.vocabulary.idf(t) for t in reading.terms}
    total = sum(weights.values()) or 1.0
    unknown = sum(w for t, w in weights.items() if not index.vocabulary.frequency(t)) / total
    rarest = max(weights, key=lambda t: weights[t]) if weights else None
    best = max((s.cosine for e in found for s in e.sentences), default=0.0)
    fits = fitting_kinds(reading)
    closeness = Closeness(reading, (f"{e.context} {e.text}" for e in found), index.encoder)
    attributes = [t for t in reading.terms if t not in reading.names]
    asked, ahead = sentence_terms(reading.text), prospective(reading.text)
    openings = [opening(e.document) for e in found]
    texts = ["\n\n".join((e.context, e.text, o)) for e, o in zip(found, openings, strict=True)]
    apart = names_apart(reading, texts)
    result = []
    for position, evidence in enumerate(found):
        whole = f"{evidence.context} {evidence.text}"
        context = sentence_terms(whole)
        # A text names its subject where it begins and goes on with "we", "the firm" or nothing.
        subject = context | sentence_terms(openings[position])
        in_context = closeness.of(whole)
        named = weakest_name(reading, subject, whole, index.vocabulary.idf, apart[position])
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
            fitting = [s for s in spans if s.kind in fits and not repeats_question(s, reading)]
            as_of = _as_of(evidence, sentence)
            signals = {
                "cosine": sentence.cosine,
                "passage_cosine": evidence.cosine,
                "fused": evidence.score,
                "first": 1.0 / (1 + position),
                "coverage": sum(weights[t] for t in covered) / total,
                "near_coverage": sum(weights[t] for t in covered_near) / total,
                "context_coverage": sum(weights[t] for t in covered_in_context) / total,
                "names": _share(reading.names, own),
                "context_names": _share(reading.names, own | subject),
                "numbers": _share(reading.numbers, own),
                "context_numbers": _share(reading.numbers, own | context),
                "years": year_match(reading.years, sentence.text, whole, as_of),
                "wrong_year": float(another_year(reading.years, sentence.text, as_of)),
                "type": float(not fits or bool(fitting)),
                "unit": _unit(reading, spans, own),
                "proximity": min(1.0, max((span_score(reading, sentence.text, s) for s in fitting), default=0.0) / 3),
                "clause": _clause(sentence.text, fitting, weights, total),
                "bm25": min(1.0, sentence.bm25 / (total + 1.0)),
                "rarest": 1.0
                if rarest is None or rarest in covered
                else (0.5 if rarest in covered_in_context else 0.0),
                "unknown": unknown,
                "length": min(1.0, len(sentence.text) / 300),
                "best_cosine_gap": best - sentence.cosine,
                "asks_type": float(bool(fits)),
                "asks_reason": float(reading.expected == "reason"),
                "asks_yes_no": float(reading.expected == "yes_no"),
                "soft": sum(weights[t] * soft[t] for t in reading.terms) / total,
                "soft_near": sum(weights[t] * soft_near[t] for t in reading.terms) / total,
                "soft_context": sum(weights[t] * in_context[t] for t in reading.terms) / total,
                "attribute": _share(attributes, near),
                "soft_attribute": _mean([soft_near[t] for t in attributes]),
                "weakest": min(in_context.values(), default=1.0),
                "weakest_near": min(soft_near.values(), default=1.0),
                "weakest_name": named,
                "cause": float(reading.expected != "reason" or any(gives_cause(s.text) for s in around)),
                "opposed": float(opposed(asked, own)),
                "negated": float(negates(reading.text) != negates(sentence.text)),
                "prospect": float(ahead != prospective(sentence.text)),
                "asks_prospect": float(ahead),
                "defines": _defines(sentence.text, reading) if reading.expected == "definition" else 0.0,
            }
            result.append(Candidate(evidence, sentence, signals, spans))
    return result


def with_reading(
    reading: Reading, found: Sequence[Candidate], read: Mapping[tuple[str, int], ReadPassage]
) -> list[Candidate]:
    """Return the candidates of the passages that have been read, with the reader's signals; the others are left out."""
    result = []
    for candidate in found:
        passage = read.get(candidate.passage_key)
        if passage:
            own = passage.sentences[candidate.evidence.sentences.index(candidate.sentence)]
            shift = candidate.evidence.passage.start - candidate.sentence.start
            pointed = pointed_at(reading, candidate.sentence.text, candidate.spans, own, shift)
            added = read_signals(reading, passage, own, candidate.sentence.text, candidate.spans, pointed)
            own = replace(own, start=pointed[0] - shift, end=pointed[1] - shift)
            result.append(replace(candidate, signals=candidate.signals | added, read=own))
    return result


def read_signals(
    reading: Reading,
    passage: ReadPassage,
    own: ReadSentence,
    text: str,
    spans: Sequence[Typed],
    pointed: tuple[int, int],
) -> dict[str, float]:
    """Return the reader's signals of a sentence by the names of `READ_NAMES`.

    `own` is what it says of the sentence, `text`, whose typed spans are `spans`; `pointed` is where it points in it.
    """
    said = (own.evidence, own.span_score, passage.answerable)
    fits = fitting_kinds(reading)
    fitting = [s for s in spans if s.kind in fits and s.start < pointed[1] and s.end > pointed[0]]
    if reading.expected == "person":
        fitting = [s for s in fitting if not re.search(r"\d", s.text) and not s.text.isupper()]
        fitting = [s for s in fitting if not _PLACED.search(text[: s.start])]
    signals = {n: max(-1.5, min(1.5, v / s)) for n, v, s in zip(READ_NAMES, said, SCALE, strict=False)}
    return signals | {
        "span_fits": float(not fits or any(not repeats_question(s, reading) for s in fitting)),
        "astray": float(astray(text, *pointed, {*reading.names, *reading.numbers})),
        "misfit": float(misfit(reading, text, spans, pointed)),
        "span_unit": _span_unit(reading, text, spans, pointed),
    }


def signal_vector(candidate: Candidate) -> list[float]:
    """Return the signals of a candidate in the order of `NAMES`, then of `READ_NAMES` if it has been read."""
    return [candidate.signals[name] for name in (NAMES + READ_NAMES if candidate.read else NAMES)]


def passage_text(evidence: Evidence) -> PassageText:
    """Return a passage as the reader reads it."""
    start = evidence.passage.start
    return PassageText(
        evidence.context, evidence.text, tuple((s.start - start, s.end - start) for s in evidence.sentences)
    )


@lru_cache(maxsize=20_000)
def spans_of(text: str) -> tuple[Typed, ...]:
    """Return the typed spans of a sentence."""
    return tuple(typed_spans(text))


def _as_of(evidence: Evidence, sentence: ScoredSentence) -> str | None:
    return next((s.as_of for s in evidence.document.statements_at(sentence.start, sentence.end) if s.as_of), None)


def _unit(reading: Reading, spans: Sequence[Typed], own: frozenset[str]) -> float:
    """Return whether a figure of the sentence counts what the question counts: 1 also where it counts nothing."""
    if not reading.counted:
        return 1.0
    noun = reading.counted[-1]
    best = 0.3 if matches(noun, own) else 0.0
    for span in spans:
        if span.kind in ("quantity", "duration", "money", "percent"):
            unit = stems(span.unit or span.text)
            if matches(noun, unit):
                return 1.0
            if any(matches(t, unit) for t in reading.counted):
                best = 0.7
    return best


def _span_unit(reading: Reading, text: str, spans: Sequence[Typed], pointed: tuple[int, int]) -> float:
    """Return whether the figure pointed at counts what the question counts: 0.5 where nothing says what it counts."""
    if not reading.counted or reading.expected != "quantity":
        return 1.0
    unit = stems(text[slice(*pointed)])
    for span in spans:
        if span.kind in _FIGURES and span.start < pointed[1] and span.end > pointed[0]:
            unit |= stems(span.unit or span.text)
    if matches(reading.counted[-1], unit):
        return 1.0
    if any(matches(t, unit) for t in reading.counted):
        return 0.8
    return 0.0 if any(w.isalpha() for w in unit) else 0.5


def _clause(sentence: str, fitting: Sequence[Typed], weights: Mapping[str, float], total: float) -> float:
    """Return the share of a question that one clause covers, of those that hold a fitting span if any does."""
    best, start = 0.0, 0
    for end in [*(m.start() for m in _CLAUSE_END.finditer(sentence)), len(sentence)]:
        if not fitting or any(start <= s.start < end for s in fitting):
            own = sentence_terms(sentence[start:end])
            best = max(best, sum(w for t, w in weights.items() if matches(t, own)))
        start = end
    return best / total


def _covered(wanted: Sequence[str], others: frozenset[str]) -> set[str]:
    return {t for t in wanted if matches(t, others)}


def _share(wanted: Sequence[str], others: frozenset[str]) -> float:
    return sum(matches(t, others) for t in wanted) / len(wanted) if wanted else 1.0


def _defines(sentence: str, reading: Reading) -> float:
    """Tell how far a sentence says what the subject of a question is: the subject opens it, "is" or "means" follows.

    1 where the subject is the very thing, "a graphics processing unit (GPU)" for GPU, 0.5 where it is more than that;
    where it is asked what an acronym stands for, 1 where the sentence says it.
    """
    if ASKS.search(reading.text):
        return float(any(expansion(sentence, a) for a in acronyms(reading.text)))
    defined = _DEFINING.match(sentence)
    if not defined or not reading.terms:
        return 0.0
    text = defined.group(1)
    names = [re.sub(r"\([^)]*\)", " ", text), *re.findall(r"\(([^)]*)\)", text)]
    best = 0.0
    for own in map(sentence_terms, names):
        if all(matches(t, own) for t in reading.terms) and len(own) <= 2 * len(reading.terms):
            best = max(best, 1.0 if len(own) <= len(reading.terms) else 0.5)
    return best


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0
