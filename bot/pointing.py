"""Which of several figures answers: what the reader points at, weighed against what the sentence says of whom.

The reader tells well where an answer may stand and badly which of several it is: of "Peru has 30 and Chile 40" it takes
the one that it likes best, whoever is asked about. So each figure of a fitting kind is weighed by the reader's logits
and by the words of the question in its own part of the sentence, be they before it or behind it.
"""

import math
import re
from collections.abc import Collection, Sequence

from bot.question import Reading
from bot.reader import ReadSentence
from bot.short import fitting_kinds, repeats_question, span_score
from bot.spans import Kind, Typed
from index.terms import matches, stems

# Where one item of a sentence ends and the next begins.
_PART = re.compile(
    r"; |: (?!\W{0,2}\d)|, (?:and |but |or )?|\) | \((?=(?:\w+ ){2})|\b(?:and|or|while|whereas|but|against|(?:as )?compared (?:with|to)|than|ahead of|"
    r"behind|versus|up from|down from)\b",
    re.I,
)
_YEAR = re.compile(r"\b(?:1[5-9]|20|21)\d\d\b")
_CAPITAL = re.compile(r"\b[A-ZÀ-ÖØ-ÞĐ]")
_OF_THEM = re.compile(r"\bof (?:whom|which|them|these)\b")
_RANGE = re.compile(r"(?:between |from )?[^ ]*\d[^ ]* ?(?:and|to|or|-|–) ?[^ ]*\d", re.I)
# Questions of these kinds may be answered by a figure, and say nothing of it: there the reader's choice stands.
_WORDED = frozenset({"reason", "list", "explanation", "definition", "person", "place", "organisation", "comparison", "yes_no"})  # fmt: skip
# After a listwise logistic regression on sentences with several figures, of invented reports and of SQuAD 2.0; what is
# rare there and leaves no doubt, a name or a year, weighs more.
_LOGIT, _NAMED, _TERMS, _DATED, _BRACKET, _NEAR, _POINTED = 0.18, 1.0, 1.3, 0.5, 0.7, 0.3, 0.35
_FEW = 6
# Logits below the reader's choice from which it is certain that a figure is none.
_FAR = 10.0
_OF_SEVERAL = re.compile(
    r"\b(?:together|altogether|combined|both|(?:in )?(?:total|all)|(?:more|fewer|less) .*\bthan)\b", re.I
)


def pointed_at(
    reading: Reading, sentence: str, spans: Sequence[Typed], own: ReadSentence, shift: int
) -> tuple[int, int]:
    """Return the offsets in a sentence of what answers: what the reader points at, or the figure that is asked for.

    `spans` are the typed spans of the sentence; `own` has the reader's offsets, which `shift` turns into the sentence's.
    """
    start, end = own.start + shift, own.end + shift
    if _OF_SEVERAL.search(reading.text):
        # A sum or a difference goes with none of the parts by itself.
        return start, end
    fitting = _fitting(reading, sentence, spans, start, end)
    within = [s for s in fitting if s.start < end and s.end > start]
    if not fitting or (len(fitting) == 1 and within) or (len(within) > 1 and _RANGE.match(sentence[start:end])):
        return start, end
    starts = {a + shift: v for a, v in own.starts.items()}
    ends = {b + shift: v for b, v in own.ends.items()}
    best = starts.get(start, 0.0) + ends.get(end, 0.0)
    scores: dict[Typed, float] = {}
    for span in fitting:
        first = max((v for a, v in starts.items() if span.start <= a < span.end), default=-math.inf)
        last = max((v for b, v in ends.items() if span.start < b <= span.end), default=-math.inf)
        if first + last > best - _FAR:
            said = _said(reading, sentence, span, [s for s in fitting if s is not span])
            near = _NEAR * min(1.0, span_score(reading, sentence, span) / 3)
            scores[span] = _LOGIT * (first + last) + said + near + _POINTED * (span in within)
    if not scores:
        return start, end
    chosen = max(scores, key=lambda s: scores[s])
    return (start, end) if within == [chosen] else (chosen.start, chosen.end)


def _fitting(reading: Reading, sentence: str, spans: Sequence[Typed], start: int, end: int) -> list[Typed]:
    """Return the figures that can be the answer: of the kind asked for, or of the kind that the reader points at."""
    kinds: Collection[Kind] = fitting_kinds(reading) - {"name"}
    if not kinds and reading.expected not in _WORDED:
        digits = [s for s in spans if s.kind != "name" and re.search(r"\d", s.text)]
        within = [s for s in digits if s.start < end and s.end > start]
        # An answer in words may hold a figure; a short one that begins with it, or one that holds two, is a figure.
        if len(within) > 1 or (within and within[0].start <= start + 1 and len(sentence[start:end].split()) <= _FEW):
            kinds = {within[0].kind}
    # "1.4 million dong in the first year, 1.9 in the second": a bare figure is of the kind of those beside it.
    found = [s for s in spans if (s.kind in kinds or (kinds and _is_bare(s))) and not repeats_question(s, reading)]
    if reading.expected == "percent" and any(s.kind == "percent" for s in found):
        found = [s for s in found if s.kind == "percent"]
    # Where one counts what is asked for, what counts another thing is out; a bare "40" or "40 of them" may count it too.
    counting = [s for s in found if reading.counted and matches(reading.counted[-1], _unit(s))]
    # What the reader points at stays in any case: what is taken for its unit may be a verb.
    return (
        [s for s in found if s in counting or not _unit(s) or (s.start < end and s.end > start)] if counting else found
    )


def _unit(span: Typed) -> frozenset[str]:
    return stems(span.unit) - {"them", "which", "whom"}


def _is_bare(span: Typed) -> bool:
    return span.kind == "quantity" and not span.unit and bool(re.search(r"\d", span.text))


def _said(reading: Reading, sentence: str, span: Typed, others: Sequence[Typed]) -> float:
    """Weigh what a sentence says of a figure: the question's words in its own part, leaving out those of every part."""
    if not others:
        return 0.0
    figures = [span, *others]
    part = part_of(sentence, span, figures)
    own = stems(part)
    beside = [part_of(sentence, o, figures) for o in others]
    apart = [stems(text) for text in beside]
    common = frozenset.intersection(*apart)
    telling = {*reading.names, *reading.numbers}
    asked = dict.fromkeys((*reading.terms, *reading.numbers, *reading.years))
    wanted = [t for t in asked if not matches(t, common)]
    first = span.start < min(o.start for o in others)
    if first and (not any(_CAPITAL.search(t) for t in beside) or any(_OF_THEM.search(t) for t in beside)):
        # "Peru had 30 in 2030 and 40 in 2031", "50, 20 of them of the AI kind": the name is said once, of both.
        wanted = [t for t in wanted if t not in reading.names]
    # "Peru mined 30 tonnes, Chile 40": what is mined, in which measure, is said once, of both.
    opening = own if first else apart[min(range(len(others)), key=lambda k: others[k].start)]
    later = frozenset().union(*(t for t in (own, *apart) if t is not opening))
    wanted = [t for t in wanted if t in telling or not matches(t, opening) or matches(t, later)]
    names = [t for t in wanted if t in telling]
    score = _TERMS * _share(wanted, own) + _NAMED * _share(names, own)
    years = set(_YEAR.findall(part))
    if reading.years and years:
        score += _DATED if years & set(reading.years) else -_DATED
    # "300 km (190 mi)": the same again, in another measure.
    return score - _BRACKET * sentence[: span.start].endswith("(")


def part_of(sentence: str, span: Typed, others: Sequence[Typed]) -> str:
    """Return the part of a sentence that goes with one of its figures: the words before it, or behind it.

    >>> from bot.spans import typed_spans
    >>> text = "Asked about trust, 72% trust the water works, 55% the bus company and 33% the app."
    >>> figures = [s for s in typed_spans(text) if s.kind == "percent"]
    >>> part_of(text, figures[1], figures)
    '55% the bus company '
    """
    figures = sorted({span, *others}, key=lambda s: s.start)
    cuts = [m for m in _PART.finditer(sentence) if not any(s.start < m.start() < s.end for s in figures)]
    starts, ends = [0, *(m.end() for m in cuts)], [*(m.start() for m in cuts), len(sentence)]
    parts: list[tuple[int, int]] = []
    held: int | None = None
    for a, b in zip(starts, ends, strict=True):
        figure = next((s for s in figures if a <= s.start < b), None)
        if figure is None:
            held = a if held is None else held
            continue
        # What stands between two figures goes with the second, unless that begins an item of its own.
        if held is not None and parts and len(sentence[a : figure.start].split()) <= 1:
            parts[-1] = (parts[-1][0], a)
        elif held is not None:
            a = held
        parts.append((a, b))
        held = None
    # What follows the last of them may be said of all.
    return next((sentence[a:b] for a, b in parts if a <= span.start < b), sentence)


def _share(wanted: Sequence[str], own: frozenset[str]) -> float:
    return sum(matches(t, own) for t in wanted) / len(wanted) if wanted else 0.0
