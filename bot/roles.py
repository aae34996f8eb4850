"""Who does what, and what a figure belongs to: two sentences with the same words may say it the other way round."""

import re
from collections.abc import Sequence

from bot.agreement import opposed, same_figure, telling_names
from bot.claims import Claims, Token, claims_of
from bot.figures import Figure
from index.terms import stem, words

CLAUSE_END = re.compile(
    r"\s*[;:]\s+|,\s+(?:and|while|whereas|but|though|although|against|which|who|compared)\s+|\s+(?:while|whereas)\s+"
)
_WEAK = re.compile(r"\s+and\s+|,\s+")
_SEGMENT = re.compile(
    r"[;,(]\s*|\)\s*,?\s*|\b(?:and|while|whereas|but|against|compared with|compared to|or|than)\b\s*", re.I
)
_FROM_TO = re.compile(r"\bfrom (.{1,60}?) to (.{1,60}?)(?=[,;.]|\s(?:by|in|over|within|on|at)\b|$)", re.I)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\b(?:\s\w+){1,3}?\sby\b", re.I)
_SIDES = {"behind", "ahead", "after", "befor", "abov", "below", "over", "than", "to"}
_COMPARED = {"than", "behind", "ahead", "abov", "below"}
_AUXILIARIES = frozenset(
    "is are was were be been being has have had will would can could may might must it they he she who which that".split()
)
_VERBS = frozenset(
    stem(words(w)[0])
    for w in "bought sold made built led owned won beat beat took gave held kept paid met lent sent taught".split()
)


def misbound(claims: Claims, source: Claims) -> bool:
    """Tell a figure that its source gives for another thing: the words beside it go with another figure there."""
    segments = _segments(source)
    telling = telling_names(claims) | telling_names(source)
    for words_near, figures in _segments(claims):
        for figure in figures:
            holding = [w for w, fs in segments if any(same_figure(figure, f) for f in fs)]
            others = [
                w
                for w, fs in segments
                if any(f.kind == figure.kind for f in fs) and not any(same_figure(figure, f) for f in fs)
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


def swapped(claims: Claims, source: Claims) -> bool:
    """Tell two that have changed places: A bought B, B bought A; from A to B, from B to A."""
    own, its = _FROM_TO.search(claims.text), _FROM_TO.search(source.text)
    if own and its:
        (a, b), (c, d) = ([_items(x) for x in m.groups()] for m in (own, its))
        if a & d and b & c and not a & c and not b & d:
            return True
    if opposed(claims, source):
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
        # "Japan approved it" and "it was approved in Japan" are no more crossed than active and passive are.
        turned = passive or _is_passive(claims, token) != _is_passive(source, theirs[0])
        crossed = bool(a & their_after and c & after) and not a & c
        straight = bool(a & c and b & d) and not (a & d or b & c)
        if (crossed and not turned) or (straight and passive and token.stem not in _SIDES):
            return True
        if token.stem in _COMPARED and not passive and _next_terms(source, theirs[0]) & a - b:
            return True
    return _mixed(claims, source)


def _mixed(claims: Claims, source: Claims) -> bool:
    """Tell a clause made of two: the name of one clause of the source with what another says."""
    parts = [claims_of(p) for p in clauses(source.text)]
    if len(parts) < 2:
        return False
    telling = telling_names(source)
    # What has no predicate of its own ("among them Nvidia") belongs to the clause before it.
    parts = [p for p in parts if len(p.terms - telling) >= 2]
    for piece in (claims_of(p) for p in clauses(claims.text)):
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


def clauses(text: str) -> list[str]:
    return [p for s in CLAUSE_END.split(text) if s for p in pieces_of(s)]


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
    telling = telling_names(claims)

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
    if before.text.endswith(("'s", "’s", "s'", "s’")):
        return False
    return (before.stem in telling_names(claims)) or before.text.lower() in _AUXILIARIES or before.text.endswith("ly")


def _is_passive(claims: Claims, token: Token) -> bool:
    return bool(re.search(r"\b(?:is|are|was|were|be|been|being)\s(?:\w+ly\s)?$", claims.text[: token.start]))


def pieces_of(text: str) -> list[str]:
    """Cut at "and" and commas, where each piece still says enough."""
    pieces: list[str] = []
    for part in _WEAK.split(text):
        claims = claims_of(part)
        if pieces and len(claims.terms) + len(claims.figures) < 3:
            pieces[-1] += f", {part}"
        else:
            pieces.append(part)
    return pieces
