"""Does this text support this sentence? Compared piece by piece, without an LLM: the heart of the citation check.

A piece of a sentence is supported by one sentence of a source that holds all its figures, dates and names, binds them
to the same things in the same order, agrees in every negation, and covers enough of its words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.agreement import (
    DENIED,
    OPPOSITE,
    acronyms,
    contradiction,
    dated,
    is_in,
    missing_names,
    same_figure,
    same_subject,
    telling_names,
)
from bot.claims import Claims, claims_of, negated
from bot.roles import CLAUSE_END, misbound, pieces_of, swapped

COVERED = 0.5
"""The least share of what a piece says that its source must hold; see tests/bench/checker.py."""
_AROUND, _SLACK, _HELD = 0.7, 0.2, 0.3
_BOUND, _TURNED = "the figure belongs to something else there", "who does what is the other way round there"
# What the sentence that comes nearest says against a piece, no other can mend.
_AGAINST = frozenset({_BOUND, _TURNED, DENIED, OPPOSITE})


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may support: its sentences in order, and its context (title, headings, date), which may name what they speak of."""

    sentences: tuple[str, ...]
    context: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a sentence is supported; `places` are (passage, sentence) of what supports it; `reason` says why it is not."""

    places: tuple[tuple[int, int], ...] = ()
    reason: str = ""

    def __bool__(self) -> bool:
        return bool(self.places)


def supported(sentence: str, passages: Sequence[Passage], covered: float = COVERED) -> Support:
    """Find what supports a sentence among the sentences of passages.

    >>> p = Passage(("Viettel operates 15 data centers.", "FPT has 1,500 AI agents."))
    >>> supported("15 data centers are operated by Viettel.", [p]).places
    ((0, 0),)
    >>> supported("FPT operates 15 data centers.", [p]).reason
    'fpt does not stand there'
    """
    own = _flat(sentence)
    for i, passage in enumerate(passages):
        for j, text in enumerate(passage.sentences):
            if own and own == _flat(text):
                return Support(((i, j),))
    reason = "it says too little to be checked"
    claims = claims_of(sentence)
    # Two words make a sentence only if there is a name, a figure, a date or a negation.
    telling = claims.figures or claims.dates or telling_names(claims) or negated(claims)
    if len(claims.terms) + len(claims.figures) + len(claims.dates) < (2 if telling else 3):
        return Support(reason=reason)
    for pieces in _cuts(sentence):
        found: list[tuple[int, int]] = []
        for number, piece in enumerate(pieces):
            best = _best(piece, passages, covered, pieces[0] if number else None)
            if not best.places:
                # The reason that counts is that of the whole sentence.
                reason = best.reason if len(pieces) == 1 else reason
                break
            found += best.places
        else:
            return Support(tuple(dict.fromkeys(found)))
    return Support(reason=reason)


def _best(piece: str, passages: Sequence[Passage], covered: float, lead: str | None) -> Support:
    """Find the sentence that supports a piece best; `lead` is the piece that names its subject."""
    claims = claims_of(piece)
    held = {
        (i, j): _held(claims, claims_of(text))
        for i, p in enumerate(passages)
        for j, text in enumerate(p.sentences)
        if text
    }
    best, most, reason, nearest = None, -1.0, "nothing there speaks of it", -1.0
    # A sentence that says more of the piece than another is the one it was made from, and has to agree.
    top = max(held.values(), default=0.0)
    for (i, j), share in held.items():
        if share < max(top - _SLACK, _HELD):
            continue
        whole = _coverage(claims, passages[i], j)
        wrong = _objection(claims, passages[i], j, lead) or ("too little of it stands there" if whole < covered else "")
        if wrong in _AGAINST and share == top:
            return Support(reason=wrong)
        if wrong and share > nearest:
            reason, nearest = wrong, share
        elif not wrong and share > most:
            best, most = (i, j), share
    return Support((best,)) if best else Support(reason=reason)


def _held(claims: Claims, source: Claims) -> float:
    """Return the share of a piece's words, figures and dates that a sentence holds by itself."""
    own = source.terms | acronyms(source.text)
    figures = sum(any(same_figure(f, o) for o in source.figures) for f in claims.figures)
    dates = sum(dated(d, source, (), source) for d in claims.dates)
    total = len(claims.terms) + len(claims.figures) + len(claims.dates)
    return (sum(is_in(t, own) for t in claims.terms) + figures + dates) / (total or 1)


def _objection(claims: Claims, passage: Passage, place: int, lead: str | None) -> str:
    """Return what speaks against a sentence as support, or an empty string."""
    source = claims_of(passage.sentences[place])
    before = [claims_of(s) for s in passage.sentences[:place]]
    context = claims_of(passage.context)
    for figure in claims.figures:
        if not any(same_figure(figure, f) for f in source.figures):
            return f"the figure {claims.text[figure.start : figure.end].strip()} does not stand there"
    for date in claims.dates:
        if not dated(date, source, before, context):
            return f"the date {claims.text[date.start : date.end].strip()} does not stand there"
    after = [claims_of(s) for s in passage.sentences[place + 1 :]]
    missing = missing_names(claims, source, before, after, context)
    if missing:
        return f"{missing[0]} does not stand there"
    if lead is not None and not same_subject(claims_of(lead), claims, source, before, context):
        return "it is said of something else there"
    if misbound(claims, source):
        return _BOUND
    if swapped(claims, source):
        return _TURNED
    return contradiction(claims, source)


def _coverage(claims: Claims, passage: Passage, place: int) -> float:
    """Return the share of what a piece says that a sentence holds; what stands around it counts for less."""
    source = claims_of(passage.sentences[place])
    own = source.terms | acronyms(source.text)
    around = claims_of(passage.context).terms.union(*(claims_of(s).terms for s in passage.sentences))
    # Figures and dates count as covered: where they are not, the piece has been refused already.
    known = len(claims.figures) + len(claims.dates)
    total = known + sum(1.0 if is_in(t, own) else _AROUND * is_in(t, around) for t in claims.terms)
    return total / (known + len(claims.terms) or 1)


def _cuts(sentence: str) -> list[list[str]]:
    """Return the ways to cut a sentence into pieces that may rest on different sentences: by clauses, whole, then finer."""
    whole = sentence.strip()
    strong = [p for p in CLAUSE_END.split(whole) if p and p.strip()]
    weak = [w for p in strong for w in pieces_of(p)]
    cuts = [strong, [whole]] if len(strong) > 1 else [[whole]]
    return cuts if weak in cuts else [*cuts, weak]


def _flat(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()
