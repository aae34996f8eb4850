"""Answers made of exact sentences of the sources: which ones, in which order, and the span that answers."""

import re
from collections.abc import Sequence

from bot.question import Reading
from bot.signals import Candidate, fitting_kinds, matches, sentence_terms
from bot.spans import Typed
from index.terms import stem, words

SEVERAL = frozenset({"list", "reason", "comparison", "explanation"})
"""Kinds of question that are answered by several sentences."""

_MOST_WORDS = 120
_ASKS_DOING = re.compile(r"(?:and |so )?what (?:do|does|did)\b", re.I)
_MOST_SENTENCES = 4


def choose(reading: Reading, ranked: Sequence[Candidate], scores: Sequence[float]) -> list[Candidate]:
    """Choose the sentences of the answer from candidates ranked best first, without repeating a statement.

    A fact needs one sentence, or two where the second covers what the first leaves out. Lists, reasons,
    comparisons and explanations gather up to four by maximal marginal relevance (Carbonell and Goldstein 1998).
    """
    chosen = [ranked[0]]
    length = len(ranked[0].sentence.text.split())
    covered = _covered(reading, ranked[0])
    several = reading.expected in SEVERAL
    pool = list(zip(ranked, scores, strict=True))[1:]
    margin = {"comparison": 4.0}.get(reading.expected, 2.0 if several else 1.2)
    while pool and len(chosen) < (_MOST_SENTENCES if several else 2):
        best, value = None, float("-inf")
        for candidate, score in pool:
            if scores[0] - score > margin or any(_same_statement(candidate, c) for c in chosen):
                continue
            gain = len(_covered(reading, candidate) - covered)
            if not several and gain == 0:
                continue
            redundancy = max(_overlap(candidate, c) for c in chosen)
            together = any(candidate.evidence is c.evidence for c in chosen)
            # A comparison needs each of its sides, which are names.
            gain += (
                2
                * len((_covered(reading, candidate) - covered) & set(reading.names))
                * (reading.expected == "comparison")
            )
            worth = score + 0.8 * gain - 2.0 * redundancy + (0.4 if together else 0.0)
            if worth > value and length + len(candidate.sentence.text.split()) <= _MOST_WORDS:
                best, value = candidate, worth
        if best is None:
            break
        chosen.append(best)
        covered |= _covered(reading, best)
        length += len(best.sentence.text.split())
        pool = [(c, s) for c, s in pool if c is not best]
    # Sentences of one passage read best in the order in which they stand there.
    first = {id(c.evidence): i for i, c in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda c: (first[id(c.evidence)], c.sentence.start))


def short_answer(reading: Reading, candidate: Candidate) -> str | None:
    """Return the span of a sentence that answers by itself: a figure with its unit, a date, a rank, a name; or None."""
    kinds = fitting_kinds(reading)
    if reading.expected == "definition":
        return None
    if not kinds:
        if reading.expected != "fact" or _ASKS_DOING.match(reading.text):
            return None
        kinds = {"money", "percent", "quantity", "duration", "rank", "date"}
    spans = [s for s in candidate.spans if s.kind in kinds and not _asked(s, reading)]
    if not spans:
        return None
    best = max(spans, key=lambda s: (_span_score(reading, candidate.sentence.text, s, kinds), -s.start))
    return re.sub(r"\s+", " ", best.text).strip(" ,;:")


def _span_score(reading: Reading, sentence: str, span: Typed, kinds: set[str]) -> float:
    """Score a span by the question's terms in its unit and near it; nearer counts more."""
    score = 0.0
    unit = {stem(w) for w in words(span.unit or span.text)}
    wanted = frozenset(reading.terms) | frozenset(reading.frame)
    if span.kind in ("quantity", "duration"):
        score += 2.0 * any(matches(u, wanted) for u in unit if u.isalpha())
    if reading.expected == "person":
        score += _person_score(sentence, span)
    # The first kind named for an expectation is the one that fits it best.
    if reading.expected in (span.kind, "fact"):
        score += 1.0
    for match in re.finditer(r"[\w.,%-]+", sentence):
        if span.start <= match.start() < span.end:
            continue
        term = next((stem(w) for w in words(match.group())), "")
        if term and matches(term, frozenset(reading.terms)):
            gap = sentence[min(match.end(), span.end) : max(match.start(), span.start)]
            distance = 1 + gap.count(" ")
            # A comma or semicolon between them parts clauses: what stands beyond it belongs to another figure.
            distance += 4 * gap.count(", ") + 8 * gap.count("; ")
            score += 1.0 / distance
    return score


def _person_score(sentence: str, span: Typed) -> float:
    """Score a name as that of a person, by its form and by what people do in sentences."""
    score = 0.0
    if re.search(r"\b(?:and|of|the|for)\b|\d", span.text) or span.text.isupper() or " " not in span.text:
        score -= 2.0
    after, before = sentence[span.end :], sentence[: span.start]
    if re.match(
        r",? (?:an?|the|who|chief|chair\w*|director|deputy|head|president|minister|professor|founder)\b", after
    ):
        score += 1.0
    if re.match(r" (?:said|says|told|warned|calls?|called|stress\w+|argue\w+|point\w+|propos\w+|estimate\w+)\b", after):
        score += 1.0
    titles = (
        r"(?:chair(?:man|woman)|director|minister|president|officer|executive|Dr|Mr|Ms|Mrs|Professor|Prof|CEO|by)\.? $"
    )
    return score + (1.0 if re.search(titles, before) else 0.0) + (0.5 if not before.strip() else 0.0)


def _asked(span: Typed, reading: Reading) -> bool:
    """Tell a span that merely repeats the question."""
    own = {stem(w) for w in words(span.text)}
    question = {stem(w) for w in words(reading.text)}
    return bool(own) and own <= question


def _covered(reading: Reading, candidate: Candidate) -> set[str]:
    own = sentence_terms(candidate.sentence.text)
    return {t for t in reading.terms if matches(t, own)}


def _overlap(a: Candidate, b: Candidate) -> float:
    x, y = sentence_terms(a.sentence.text), sentence_terms(b.sentence.text)
    return len(x & y) / (min(len(x), len(y)) or 1)


def _same_statement(a: Candidate, b: Candidate) -> bool:
    """Tell two sentences that say the same: most of their words and all their figures agree."""
    if a.sentence.text == b.sentence.text:
        return True
    numbers = [{s.text for s in c.spans if s.kind != "name"} for c in (a, b)]
    return _overlap(a, b) > 0.8 and (numbers[0] <= numbers[1] or numbers[1] <= numbers[0])
