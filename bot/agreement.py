"""Do two sentences agree? Figures, dates and names that stand in both, negations and opposites that stand in one."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import product, takewhile

from bot.claims import Claims, Date, Negation, Token, negated
from bot.common import is_common, is_ordinary
from bot.figures import FRACTION, Figure
from bot.opposites import OPPOSITES
from index.terms import matches, stem

_ANAPHOR = re.compile(r"\b(?:it|its|they|their|them|he|his|she|her|this|these|that year|there)\b", re.I)
_GENERIC = frozenset("ai ml llm gpu gpus cpu it ict r d gdp gni vat sme smes api hpc ceo cto kpi esg iot".split())
_DIRECTIONS = {stem(w) for w in ("more", "less", "fewer", "over", "under")}
# Verbs and adjectives that say by themselves that something is not so, or no longer.
_DENIALS = re.compile(
    r"\b(?:stopp?(?:ed|s)?|ceased?|ended|abandon(?:ed|s)?|abolish\w*|scrapp?ed|discontinued|exclud\w+|exempt\w*|omit\w*|free|"
    r"lack(?:s|ed|ing)|ban(?:s|ned)?|forbid\w*|forbade|prohibit\w*|prevent\w*|held? back|hold(?:s|ing)? back|avoid\w*|declined to|"
    r"cancell?ed|rejected|dropped|removed|withdrawn|withdrew|phased out|illegal|impossible|absent)\b",
    re.I,
)
# Words made of others, which say how or that something is rather than name a thing.
_DERIVED = re.compile(
    r"(?:ed|ing|ly|ier|iest|(?:tion|sion|ment|ness|ity|ture|ance|ence|ship|able|ible|ful|less|ive)s?)$"
)
DENIED, OPPOSITE = "one of them denies what the other says", "one of them says the opposite"


def same_figure(own: Figure, other: Figure) -> bool:
    """Tell equal figures, and a hedged one that is the other rounded: "about 31 million" for 30.84 million."""
    kinds = {own.kind, other.kind}
    if own.kind != other.kind and not (
        kinds == {"ordinal", "plain"}
        or ("plain" in kinds and own.kind == "plain" and other.kind not in ("percent", "ordinal"))
    ):
        return False
    if own.value == other.value:
        return True
    if FRACTION in (own.hedge, other.hedge):
        apart = abs(own.value - other.value)
        return apart < Decimal("0.1") or (apart < Decimal("0.7") and (own.hedge == FRACTION or own.value % 1 == 0))
    if not own.hedge or not other.value or own.kind == "ordinal":
        return False
    digits = len(own.value.normalize().as_tuple().digits)
    rounded = Decimal(f"{other.value:.{digits - 1}e}")
    if own.hedge in ("over", "more than", "at least", "upwards of"):
        return own.value < other.value <= own.value * Decimal("1.05")
    if own.hedge in ("under", "less than", "nearly", "almost", "at most", "up to"):
        return own.value > other.value >= own.value * Decimal("0.95")
    return rounded == own.value and abs(own.value - other.value) <= other.value * Decimal("0.05")


def dated(date: Date, source: Claims, before: Sequence[Claims], context: Claims) -> bool:
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


def missing_names(
    claims: Claims, source: Claims, before: Sequence[Claims], after: Sequence[Claims], context: Claims
) -> list[str]:
    """Return the names of a piece that its source does not hold.

    A name may stand in the title or before the sentence only if the sentence does not begin with another one.
    """
    own = source.terms | acronyms(source.text)
    around = context.terms | acronyms(context.text) | frozenset(t for c in (*before, *after) for t in c.terms)
    missing = [n for n in sorted(claims.names) if not is_in(n, own)]
    # A word that is neither common English nor in the source names something of its own: a drug, a firm, a beast.
    anywhere = own | around
    missing += [
        t.stem for t in claims.tokens
        if t.term and not t.name and t.stem.isalpha() and not (is_ordinary if t.text.islower() else is_common)(t.stem)
        and not _DERIVED.search(t.text) and not _compounded(t.stem, anywhere) and not is_in(t.stem, own if t.stem == claims.opener else anywhere)
    ]  # fmt: skip
    if not missing:
        return []
    titled = context.terms | acronyms(context.text)
    subject = _subject(source)
    if subject and (
        not subject & claims.terms or (_subject(claims) & frozenset(missing) and not subject & claims.names)
    ):
        # A first word with a capital may be no name; then the title says what the sentence is about.
        if subject & source.names:
            return missing
        return [n for n in missing if not is_in(n, titled)]
    around = titled | frozenset(t for c in before for t in c.terms)
    return [n for n in missing if not is_in(n, around)]


def _compounded(stem: str, terms: frozenset[str]) -> bool:
    """Tell a compound of a word that is there with a common one: `storeroom` of `store`."""
    return any(
        len(t) > 3
        and ((stem.startswith(t) and is_common(stem[len(t) :])) or (stem.endswith(t) and is_common(stem[: -len(t)])))
        for t in terms
    )


def _subject(claims: Claims) -> frozenset[str]:
    """Return the name that a sentence begins with, or its capitalised first word; empty for a pronoun."""
    if _ANAPHOR.match(claims.text):
        return frozenset()
    head = [t for t in claims.tokens if t.term or t.start == 0][:3]
    telling = telling_names(claims)
    return frozenset(t.stem for t in takewhile(lambda t: t.stem in telling, head))


def telling_names(claims: Claims) -> frozenset[str]:
    """Return the names that tell things apart; general abbreviations (AI, GPU, GDP) do not."""
    return frozenset(
        t.stem for t in claims.tokens
        if (t.name and t.stem not in _GENERIC)
        or (t.stem == claims.opener and not is_common(t.stem))
    )  # fmt: skip


def same_subject(lead: Claims, claims: Claims, source: Claims, before: Sequence[Claims], context: Claims) -> bool:
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


def contradiction(claims: Claims, source: Claims) -> str:
    """Return how two sentences contradict each other: by a negation that only one has, or by an opposite."""
    for ours, theirs in ((claims, source), (source, claims)):
        for own in negated(ours):
            if any(_same_denied(own, other) for other in negated(theirs)):
                continue
            # "Farms were not covered" and "farms are exempt" say the same.
            if (own.denied | own.before) & theirs.terms and _denials(theirs) - _denials(ours):
                continue
            # What one denies has to be what the other says, or to be missing there.
            if ours is claims or len(own.denied & theirs.terms) >= max(1, min(2, len(own.denied) - 1)):
                return DENIED
    for term, opposite in opposed(claims, source):
        if not _reversed(claims, term, source, opposite):
            return OPPOSITE
    return ""


def _same_denied(own: Negation, other: Negation) -> bool:
    """Tell negations of the same thing: by a word, or in other words of the same subject."""
    crossed = own.denied & other.before or own.before & other.denied
    return bool(own.denied & other.denied) or bool(own.before & other.before and not crossed)


def _denials(claims: Claims) -> frozenset[str]:
    return frozenset(m.group().lower() for m in _DENIALS.finditer(claims.text))


def opposed(claims: Claims, source: Claims) -> list[tuple[str, str]]:
    """Return the stems that only one sentence has, whose opposite only the other has.

    A sentence that says both, as in "revenue fell, profit grew", opposes no other that does.
    """
    ours, theirs = (frozenset(t.stem for t in c.tokens if t.term or t.stem in _DIRECTIONS) for c in (claims, source))
    return [
        (t, o)
        for t in sorted(ours - theirs)
        for o in sorted(OPPOSITES.get(t, frozenset()) & (theirs - ours))
        if not any(OPPOSITES[o] & OPPOSITES.get(w, frozenset()) for w in ours)
    ]


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
    # What stands on both sides, such as "firms" of large and of small ones, tells neither apart.
    return bool(a - c and d & a - c and b & c - a) and not (a - d & c and b - c & d)


@lru_cache(maxsize=4_000)
def acronyms(text: str) -> frozenset[str]:
    """Return the initials of the runs of capitalised words in a text: `eu` for "European Union"."""
    found = set()
    for run in re.finditer(r"\b[A-Z][\w’'-]*(?:\s(?:(?:of|and|for|the|on)\s)?[A-Z][\w’'-]*)+", text):
        initials = [w[0].lower() for w in run.group().split() if w[0].isupper()]
        found |= {
            "".join(initials[a:b]) for a, b in product(range(len(initials)), range(len(initials) + 1)) if b - a >= 2
        }
    return frozenset(found)


is_in = lru_cache(maxsize=50_000)(matches)
"""Tell whether a stem is among others, or shares a long beginning with one."""
