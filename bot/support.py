"""Does this text support this sentence? Compared piece by piece, without an LLM: the heart of the citation check.

A piece of a sentence is supported by one sentence of a source that holds all its figures, dates and names, binds them
to the same things in the same order, agrees in every negation, and covers enough of its words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product, takewhile

from bot.claims import Claims, Date, Figure, Token, claims_of, negated
from bot.common import is_common
from bot.opposites import OPPOSITES
from index.terms import stem, words

COVERED = 0.5
"""The least share of a piece's content words that its source must hold; see tests/bench/checker.py."""

_STRONG = re.compile(
    r"\s*[;:]\s+|,\s+(?:and|while|whereas|but|though|although|against|which|who|compared)\s+|\s+(?:while|whereas)\s+"
)
_WEAK = re.compile(r"\s+and\s+|,\s+")
_SEGMENT = re.compile(
    r"[;,(]\s*|\)\s*,?\s*|\b(?:and|while|whereas|but|against|compared with|compared to|or|than)\b\s*", re.I
)
_ANAPHOR = re.compile(r"\b(?:it|its|they|their|them|he|his|she|her|this|these|that year|there)\b", re.I)
_FROM_TO = re.compile(r"\bfrom (.{1,60}?) to (.{1,60}?)(?=[,;.]|\s(?:by|in|over|within|on|at)\b|$)", re.I)
_STOPS = re.compile(
    r"\b(?:stopp?(?:ed|s)?|ceased?|ended|gave up|abandon(?:ed|s)?|abolish\w*|scrapp?ed|discontinued)\b", re.I
)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\b(?:\s\w+){1,3}?\sby\b", re.I)
_AROUND, _SLACK, _HELD = 0.7, 0.2, 0.3
_DIRECTIONS = {stem(w) for w in ("more", "less", "fewer", "over", "under")}
_BOUND, _TURNED = "the figure belongs to something else there", "who does what is the other way round there"
_DENIED, _OPPOSITE = "one of them denies what the other says", "one of them says the opposite"
# What the sentence that comes nearest says against a piece, no other can mend.
_AGAINST = frozenset({_BOUND, _TURNED, _DENIED, _OPPOSITE})
_GENERIC = frozenset("ai ml llm gpu gpus cpu it ict r d gdp gni vat sme smes api hpc ceo cto kpi esg iot".split())
_AUXILIARIES = frozenset(
    "is are was were be been being has have had will would can could may might must it they he she who which that".split()
)
_VERBS = frozenset(
    stem(words(w)[0])
    for w in "bought sold made built led owned won beat beat took gave held kept paid met lent sent taught".split()
)
_COMPARED = {"than", "behind", "ahead", "abov", "below"}
_SIDES = {"behind", "ahead", "after", "befor", "abov", "below", "over", "than", "to"}


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
    if len(claims.terms) + len(claims.figures) + len(claims.dates) < 2:
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
    own = source.terms | _acronyms(source.text)
    figures = sum(any(_same_figure(f, o) for o in source.figures) for f in claims.figures)
    dates = sum(_dated(d, source, (), source) for d in claims.dates)
    total = len(claims.terms) + len(claims.figures) + len(claims.dates)
    return (sum(_in(t, own) for t in claims.terms) + figures + dates) / (total or 1)


def _objection(claims: Claims, passage: Passage, place: int, lead: str | None) -> str:
    """Return what speaks against a sentence as support, or an empty string."""
    source = claims_of(passage.sentences[place])
    before = [claims_of(s) for s in passage.sentences[:place]]
    context = claims_of(passage.context)
    for figure in claims.figures:
        if not any(_same_figure(figure, f) for f in source.figures):
            return f"the figure {claims.text[figure.start : figure.end].strip()} does not stand there"
    for date in claims.dates:
        if not _dated(date, source, before, context):
            return f"the date {claims.text[date.start : date.end].strip()} does not stand there"
    after = [claims_of(s) for s in passage.sentences[place + 1 :]]
    missing = _missing_names(claims, source, before, after, context)
    if missing:
        return f"{missing[0]} does not stand there"
    if lead is not None and not _same_subject(claims_of(lead), claims, source, before, context):
        return "it is said of something else there"
    if _misbound(claims, source):
        return _BOUND
    if _swapped(claims, source):
        return _TURNED
    return _contradiction(claims, source)


def _same_figure(own: Figure, other: Figure) -> bool:
    """Tell equal figures, and a hedged one that is the other rounded: "about 31 million" for 30.84 million."""
    kinds = {own.kind, other.kind}
    if own.kind != other.kind and not (
        kinds == {"ordinal", "plain"}
        or ("plain" in kinds and own.kind == "plain" and other.kind not in ("percent", "ordinal"))
    ):
        return False
    if own.value == other.value:
        return True
    if not own.hedge or not other.value or own.kind == "ordinal":
        return False
    digits = len(own.value.normalize().as_tuple().digits)
    rounded = Decimal(f"{other.value:.{digits - 1}e}")
    if own.hedge in ("over", "more than"):
        return own.value < other.value <= own.value * Decimal("1.05")
    if own.hedge in ("under", "less than", "nearly", "almost"):
        return own.value > other.value >= own.value * Decimal("0.95")
    return rounded == own.value and abs(own.value - other.value) <= other.value * Decimal("0.05")


def _dated(date: Date, source: Claims, before: Sequence[Claims], context: Claims) -> bool:
    """Tell whether a date stands in a sentence, or before it where the sentence has none of its own."""

    def fits(other: Date) -> bool:
        own, its = (date.year, date.month, date.day), (other.year, other.month, other.day)
        return all(a in (0, b) for a, b in zip(own, its, strict=True))

    if any(fits(d) for d in source.dates):
        return True
    # "from 2025 to 2030" holds both years, also where one of them lacks what the other has.
    if source.dates and any(d.year for d in source.dates):
        return False
    return any(fits(d) for c in (*before, context) for d in c.dates)


def _missing_names(
    claims: Claims, source: Claims, before: Sequence[Claims], after: Sequence[Claims], context: Claims
) -> list[str]:
    """Return the names of a piece that its source does not hold.

    A name may stand in the title or before the sentence only if the sentence does not begin with another one.
    """
    own = source.terms | _acronyms(source.text)
    around = context.terms | _acronyms(context.text) | frozenset(t for c in (*before, *after) for t in c.terms)
    missing = [n for n in sorted(claims.names) if not _in(n, own)]
    # A word that is neither common English nor in the source names something of its own: a drug, a firm, a beast.
    anywhere = own | around
    missing += [
        t.stem for t in claims.tokens
        if t.term and not t.name and t.stem.isalpha() and not is_common(t.stem)
        and not re.search(r"(?:ed|ing|ly|ier|iest)$", t.text) and not _in(t.stem, own if t.stem == claims.opener else anywhere)
    ]  # fmt: skip
    if not missing:
        return []
    titled = context.terms | _acronyms(context.text)
    subject = _subject(source)
    if subject and (
        not subject & claims.terms or (_subject(claims) & frozenset(missing) and not subject & claims.names)
    ):
        # A first word with a capital may be no name; then the title says what the sentence is about.
        if subject & source.names:
            return missing
        return [n for n in missing if not _in(n, titled)]
    around = titled | frozenset(t for c in before for t in c.terms)
    return [n for n in missing if not _in(n, around)]


def _subject(claims: Claims) -> frozenset[str]:
    """Return the name that a sentence begins with, or its capitalised first word; empty for a pronoun."""
    if _ANAPHOR.match(claims.text):
        return frozenset()
    head = [t for t in claims.tokens if t.term or t.start == 0][:3]
    telling = _telling_names(claims)
    return frozenset(t.stem for t in takewhile(lambda t: t.stem in telling, head))


def _telling_names(claims: Claims) -> frozenset[str]:
    """Return the names that tell things apart; general abbreviations (AI, GPU, GDP) do not."""
    return frozenset(
        t.stem for t in claims.tokens
        if (t.name and t.stem not in _GENERIC)
        or (t.stem == claims.opener and not is_common(t.stem))
    )  # fmt: skip


def _same_subject(lead: Claims, claims: Claims, source: Claims, before: Sequence[Claims], context: Claims) -> bool:
    """Tell whether a later piece that names no subject is said of that of the first piece."""
    if claims.names or not lead.names:
        return True
    subject = frozenset(t.stem for t in lead.tokens[:4] if t.name)
    around = source.terms | context.terms | frozenset(t for c in before for t in c.terms)
    return (
        not subject
        or any(s in source.terms for s in subject)
        or (not _subject(source) and any(s in around for s in subject))
    )


def _coverage(claims: Claims, passage: Passage, place: int) -> float:
    """Return the share of what a piece says that a sentence holds; what stands around it counts for less."""
    source = claims_of(passage.sentences[place])
    own = source.terms | _acronyms(source.text)
    around = claims_of(passage.context).terms.union(*(claims_of(s).terms for s in passage.sentences))
    # Figures and dates count as covered: where they are not, the piece has been refused already.
    known = len(claims.figures) + len(claims.dates)
    total = known + sum(1.0 if _in(t, own) else _AROUND * _in(t, around) for t in claims.terms)
    return total / (known + len(claims.terms) or 1)


def _misbound(claims: Claims, source: Claims) -> bool:
    """Tell a figure that its source gives for another thing: the words beside it go with another figure there."""
    segments = _segments(source)
    telling = _telling_names(claims) | _telling_names(source)
    for words_near, figures in _segments(claims):
        for figure in figures:
            holding = [w for w, fs in segments if any(_same_figure(figure, f) for f in fs)]
            others = [
                w
                for w, fs in segments
                if any(f.kind == figure.kind for f in fs) and not any(_same_figure(figure, f) for f in fs)
            ]
            if not holding:
                continue
            held = frozenset().union(*holding)
            for other in others:
                theirs, ours = (other - held) & telling, (held - other) & telling
                if theirs and ours and words_near & theirs and not words_near & ours:
                    return True
                fair = any(words_near & (w - other) for w in holding) or any(not (w - other) for w in holding)
                if not fair and words_near & (other - held):
                    return True
    return False


def _segments(claims: Claims) -> list[tuple[frozenset[str], list[Figure]]]:
    """Cut a sentence where its figures part; a segment without words of its own is about what the one before is about."""
    cuts = [m.span() for m in _SEGMENT.finditer(claims.text)]
    starts, ends = [0, *(b for _, b in cuts)], [*(a for a, _ in cuts), len(claims.text)]
    result: list[tuple[frozenset[str], list[Figure]]] = []
    held: frozenset[str] = frozenset()
    for a, b in zip(starts, ends, strict=True):
        held |= frozenset(t.stem for t in claims.tokens if t.term and a <= t.start < b)
        figures = [f for f in claims.figures if a <= f.start < b]
        if figures:
            result.append((held or (result[-1][0] if result else held), figures))
            held = frozenset()
    if held and result:
        result[-1] = (result[-1][0] | held, result[-1][1])
    return result


def _swapped(claims: Claims, source: Claims) -> bool:
    """Tell two that have changed places: A bought B, B bought A; from A to B, from B to A."""
    own, its = _FROM_TO.search(claims.text), _FROM_TO.search(source.text)
    if own and its:
        (a, b), (c, d) = ([_items(x) for x in m.groups()] for m in (own, its))
        if a & d and b & c and not a & c and not b & d:
            return True
    if _opposed(claims, source):
        return False
    passive = bool(_PASSIVE.search(claims.text)) != bool(_PASSIVE.search(source.text))
    shared = [
        t
        for t in claims.tokens
        if not t.name and t.stem in {s.stem for s in source.tokens if not s.name} and (t.term or t.stem in _SIDES)
    ]
    for token in shared:
        theirs = [s for s in source.tokens if s.stem == token.stem]
        pivots = token.stem in _SIDES or (_is_verb(claims, token) and _is_verb(source, theirs[0]))
        if not pivots or len(theirs) != 1 or sum(t.stem == token.stem for t in claims.tokens) != 1:
            continue
        (a, b, after), (c, d, their_after) = _around(claims, token), _around(source, theirs[0])
        if not (a and c and after and their_after):
            continue
        crossed = bool(a & their_after and c & after) and not a & c
        straight = bool(a & c and b & d) and not (a & d or b & c)
        if (crossed and not passive) or (straight and passive and token.stem not in _SIDES):
            return True
        if token.stem in _COMPARED and not passive and _next_terms(source, theirs[0]) & a - b:
            return True
    return _mixed(claims, source)


def _mixed(claims: Claims, source: Claims) -> bool:
    """Tell a clause made of two: the name of one clause of the source with what another says."""
    parts = [claims_of(p) for p in _clauses(source.text)]
    if len(parts) < 2:
        return False
    telling = _telling_names(source)
    # What has no predicate of its own ("among them Nvidia") belongs to the clause before it.
    parts = [p for p in parts if len(p.terms - telling) >= 2]
    for piece in (claims_of(p) for p in _clauses(claims.text)):
        if piece.figures:
            continue
        names = piece.terms & telling
        for u, v in ((u, v) for u in parts for v in parts if u is not v):
            only_u, only_v = u.terms - v.terms, v.terms - u.terms
            if (
                names & only_v
                and not names & only_u
                and len((piece.terms - telling) & only_u) > len((piece.terms - telling) & only_v)
            ):
                # Names that the first clause has stand for the later ones too.
                if u is not parts[0] and v is parts[0] and not u.terms & telling:
                    continue
                if only_u & telling or u is parts[0]:
                    return True
    return False


def _clauses(text: str) -> list[str]:
    return [p for s in _STRONG.split(text) if s for p in _pieces(s)]


def _next_terms(claims: Claims, pivot: Token) -> frozenset[str]:
    place = claims.tokens.index(pivot)
    return frozenset(t.stem for t in [t for t in claims.tokens[place + 1 :] if t.term][:2])


def _items(text: str) -> frozenset[str]:
    claims = claims_of(text)
    return claims.terms | frozenset(str(f.value) for f in claims.figures)


def _around(claims: Claims, pivot: Token, reach: int = 8) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the name next before a word, the name next after it, and all names that follow it within reach."""
    place = claims.tokens.index(pivot)
    before, after = claims.tokens[max(0, place - reach) : place][::-1], claims.tokens[place + 1 : place + 1 + reach]
    telling = _telling_names(claims)

    def run(tokens: Sequence[Token]) -> frozenset[str]:
        found: set[str] = set()
        for token in tokens:
            if token.stem in telling:
                found.add(token.stem)
            elif found:
                break
        return frozenset(found)

    return run(before), run(after), frozenset(t.stem for t in after if t.stem in telling)


def _is_verb(claims: Claims, token: Token) -> bool:
    """Tell a verb by its form and by what stands before it: a name, an auxiliary, a relative pronoun, an adverb."""
    place = claims.tokens.index(token)
    if not place or not (token.text.endswith(("ed", "s", "t")) or token.stem in _VERBS):
        return False
    before = claims.tokens[place - 1]
    return (before.stem in _telling_names(claims)) or before.text.lower() in _AUXILIARIES or before.text.endswith("ly")


def _contradiction(claims: Claims, source: Claims) -> str:
    """Return how two sentences contradict each other: by a negation that only one has, or by an opposite."""
    for ours, theirs in ((claims, source), (source, claims)):
        other_scopes = negated(theirs)
        for scope in negated(ours):
            if any(scope & s for s in other_scopes) or (
                ours is claims
                and _STOPS.search(source.text)
                and not _STOPS.search(claims.text)
                and scope & source.terms
            ):
                continue
            # What one denies has to be what the other says, or to be missing there.
            if ours is claims or len(scope & theirs.terms) >= max(1, min(2, len(scope) - 1)):
                return _DENIED
    for term, opposite in _opposed(claims, source):
        if not _reversed(claims, term, source, opposite):
            return _OPPOSITE
    return ""


def _opposed(claims: Claims, source: Claims) -> list[tuple[str, str]]:
    """Return the stems that only one sentence has, whose opposite only the other has."""
    ours, theirs = (frozenset(t.stem for t in c.tokens if t.term or t.stem in _DIRECTIONS) for c in (claims, source))
    return [(t, o) for t in sorted(ours - theirs) for o in sorted(OPPOSITES.get(t, frozenset()) & (theirs - ours))]


def _reversed(claims: Claims, term: str, source: Claims, opposite: str) -> bool:
    """Tell "A is ahead of B" from "B is behind A", which say the same."""
    ours = next(t for t in claims.tokens if t.stem == term)
    theirs = next(t for t in source.tokens if t.stem == opposite)

    def halves(c: Claims, t: Token) -> tuple[frozenset[str], frozenset[str]]:
        place = c.tokens.index(t)
        return frozenset(x.stem for x in c.tokens[:place] if x.term), frozenset(
            x.stem for x in c.tokens[place + 1 :] if x.term
        )

    (a, b), (c, d) = halves(claims, ours), halves(source, theirs)
    return bool(a & d and b & c) and not (a & c and b & d)


def _cuts(sentence: str) -> list[list[str]]:
    """Return the ways to cut a sentence into pieces that may rest on different sentences: by clauses, whole, then finer."""
    whole = sentence.strip()
    strong = [p for p in _STRONG.split(whole) if p and p.strip()]
    weak = [w for p in strong for w in _pieces(p)]
    cuts = [strong, [whole]] if len(strong) > 1 else [[whole]]
    return cuts if weak in cuts else [*cuts, weak]


def _pieces(text: str) -> list[str]:
    """Cut at "and" and commas, where each piece still says enough."""
    pieces: list[str] = []
    for part in _WEAK.split(text):
        claims = claims_of(part)
        if pieces and len(claims.terms) + len(claims.figures) < 3:
            pieces[-1] += f", {part}"
        else:
            pieces.append(part)
    return pieces


@lru_cache(maxsize=4_000)
def _acronyms(text: str) -> frozenset[str]:
    """Return the initials of the runs of capitalised words in a text: `eu` for "European Union"."""
    found = set()
    for run in re.finditer(r"\b[A-Z][\w’'-]*(?:\s(?:(?:of|and|for|the|on)\s)?[A-Z][\w’'-]*)+", text):
        initials = [w[0].lower() for w in run.group().split() if w[0].isupper()]
        found |= {
            "".join(initials[a:b]) for a, b in product(range(len(initials)), range(len(initials) + 1)) if b - a >= 2
        }
    return frozenset(found)


@lru_cache(maxsize=50_000)
def _in(term: str, others: frozenset[str]) -> bool:
    """Tell whether a stem is among others, or shares a long beginning with one."""
    return term in others or _is_derived(term, others)


def _is_derived(term: str, others: frozenset[str]) -> bool:
    if len(term) < 5 or not term.isalpha():
        return False
    return any(
        len(o) >= 5 and o.isalpha() and _common(term, o) >= max(5, 0.75 * max(len(term), len(o))) for o in others
    )


def _common(a: str, b: str) -> int:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n


def _flat(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()
