"""A question that several subjects answer equally well: which of them is meant?"""

import calendar
import re
from collections.abc import Iterator, Sequence

from bot.common import is_common
from bot.question import Reading
from bot.short import fitting_kinds
from bot.signals import Candidate
from index.terms import matches, sentence_terms, stems

# How far below the best a sentence may lie that answers equally well: in the reader's signal, else in log-odds.
_READ_MARGIN, _READ_LEAST = 0.8, 0.25
_MARGIN = 0.8
_MOST = 4
_DAYS = frozenset({*calendar.day_name, *calendar.month_name})
_TITLED = re.compile(r"(?<=[\w,;:)] )[A-ZÀ-ÖØ-ÞĐ][a-zà-ỹ]\w*")


def subjects(reading: Reading, ranked: Sequence[Candidate], scores: Sequence[float]) -> list[tuple[str, Candidate]]:
    """Return the subjects that a question may mean, each with its sentence; fewer than two where it is clear.

    A question is unclear that names nothing, while sentences of different documents about different subjects answer
    it about equally well.
    """
    if not ranked or reading.names or not fitting_kinds(reading):
        return []
    close = _close(ranked, scores)
    # Typed in lower case, a name looks like any word: the sources show that it is one.
    if any(t in _named(c.sentence.text) for t in reading.terms if not is_common(t) for c in close):
        return []
    asked = frozenset(reading.terms)
    found: list[tuple[str, Candidate]] = []
    for candidate in close:
        name = next(_names(reading, candidate), None)
        own = sentence_terms(name or "") - asked
        if not name or any(own & sentence_terms(n) or candidate.passage_key == c.passage_key for n, c in found):
            continue
        found.append((name, candidate))
    return found[:_MOST]


def _close(ranked: Sequence[Candidate], scores: Sequence[float]) -> list[Candidate]:
    """Return the candidates that answer about as well as the best one."""
    if not ranked[0].read:
        return [c for c, s in zip(ranked, scores, strict=True) if scores[0] - s <= _MARGIN]
    best = max(c.signals["span"] for c in ranked)
    return [c for c in ranked if c.signals["span"] >= max(_READ_LEAST, best - _READ_MARGIN) and c.signals["type"]]


def _named(sentence: str) -> frozenset[str]:
    """Return the stems of the capitalised words of a sentence, but for its first word and acronyms."""
    return frozenset(t for m in _TITLED.finditer(sentence) for t in sentence_terms(m.group()))


def asked_of(question: str, subject: str) -> str:
    """Return a question with its subject.

    >>> asked_of("How many data centers are there?", "Viettel")
    'How many data centers are there – Viettel?'
    """
    return f"{question.rstrip(' ?!.')} – {subject}?"


def _names(reading: Reading, candidate: Candidate) -> Iterator[str]:
    """Yield what a sentence is about and the question does not name: its recorded subject, then its names.

    What answers the question is not what it is about.
    """
    answer = candidate.pointed or "\n"
    recorded = [s.subject for s in candidate.statements]
    for name in [*recorded, *(s.text for s in candidate.spans if s.kind == "name" and not _is_plain(s.text))]:
        if name and not re.fullmatch(r"[\d\W]+", name) and name not in answer and answer not in name:
            own = sentence_terms(name)
            if own and not all(matches(t, frozenset(reading.terms)) for t in own):
                yield name


def _is_plain(text: str) -> bool:
    """Tell what only looks like a name: a day, a month or a common word that a heading or a list writes big."""
    return text.capitalize() in _DAYS or (re.fullmatch(r"\w+", text) is not None and all(map(is_common, stems(text))))
