"""The short answer: the span of a sentence that answers by itself."""

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.acronyms import ASKS, acronyms, expansion
from bot.question import Expected, Reading
from bot.spans import ABOUT, Kind, Typed, typed_spans
from corpus.tables import Cell, row_cells
from index.terms import matches, sentence_terms, stem, stems, words

_EDGES = " ,;:."
_MOST_WORDS = 16
_WHOLE = frozenset({"money", "percent", "duration", "name"})
_ABOUT = re.compile(rf"^(?:{ABOUT})\s+", re.I)
_NAME_BEFORE = re.compile(
    r"(?:^|[,;:] |and |is |was |with )(?:the )?(?:\w+ )?([A-ZÀ-ÖØ-ÞĐ][a-zà-ỹ]\w*) (?:[a-z]+ ){0,2}\(?$"
)
_YEAR_AFTER = re.compile(r"(?: \w+){0,2},? \(?(?:in |for |of |during )?((?:1[5-9]|20|21)\d\d)\b")
# "14 or 15?": figures alone, since "or" between words says little of which of them is asked for.
_ALTERNATIVES = re.compile(r"\d[\d.,]*%? or \d[\d.,]*%?")
_DEFINING = re.compile(
    r"(.{1,90}?),? (?:is|are|means?|refers? to|stands? for)(?:, [^,]{1,60},)? (.+?)(?:[;.](?:\s|$)|, (?:such|for|which|so|and|but)\b)"
)
_WHICH = re.compile(r"\b(?:which|what) (?:(?:is|are|was|were) (?:the )?)?(\w+)", re.I)
_GOES_ON = re.compile(r",? (?:which|that|who|whose|where)\b")
_ASKS_DOING = re.compile(r"(?:and |so )?what (?:do|does|did)\b", re.I)
_ASKS_PART = re.compile(
    r"what(?:'s| is| are| was| were) (?:(?:the|its|their) [\w -]+ (?:of|for|in|at)\b|[\w .-]+[’']s? \w)", re.I
)
_NUMBERS = frozenset({"money", "percent", "duration", "rank", "quantity"})
# Which spans can answer which kind of question; the first kind named fits best.
_FITS: dict[Expected, frozenset[Kind]] = {
    "money": frozenset({"money"}), "percent": frozenset({"percent", "quantity"}), "date": frozenset({"date"}),
    "duration": frozenset({"duration", "quantity", "date"}), "rank": frozenset({"rank", "quantity"}),
    "quantity": frozenset({"quantity", "percent", "money", "duration"}), "person": frozenset({"name"}),
    "organisation": frozenset({"name"}), "place": frozenset({"name"}),
}  # fmt: skip


def fitting_kinds(reading: Reading) -> frozenset[Kind]:
    """Return the kinds of span that can be the short answer; empty when any sentence will do."""
    return _FITS.get(reading.expected, frozenset())


def short_answer(reading: Reading, sentence: str, spans: Sequence[Typed], pointed: str | None = None) -> str | None:
    """Return the span of a sentence that answers by itself: a figure with its unit, a date, a name, a clause; or None.

    `spans` are the typed spans of the sentence; `pointed` is the part of it that the reader points at, if it has read.
    Of a row of a table it is a cell, or a part of one.
    """
    short = _span(reading, sentence, spans, pointed)
    return _in_cell(reading, sentence, short) if short else None


def _in_cell(reading: Reading, sentence: str, short: str) -> str:
    """Return the cell of a row whose column a question asks for, else the one that a span begins in if it is more."""
    cells = row_cells(sentence)
    asked = _of_year(reading, cells) or [c for c in cells if _asks_for(reading, c)]
    if len(asked) == 1:
        return asked[0].value
    at = sentence.find(short)
    begun = next((c for c in cells if c.start <= at < c.end), None)
    return begun.value if begun and (at < begun.begins or at + len(short) > begun.end) else short


def _of_year(reading: Reading, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells whose columns are of the one year asked for; none where another column is: "which product"."""
    if any(_noun_asked(reading) & stems(c.name) for c in cells):
        return []
    return [c for c in cells if len(reading.years) == 1 and reading.years[0] in words(c.name)]


def _asks_for(reading: Reading, cell: Cell) -> bool:
    """Tell whether a question asks for what a column holds: it names the column, and the cell is of the kind asked for.

    A column that is named may only say which row is meant: "Who runs the shop?" asks for no shop. A name of any kind is
    asked for as "which shop" or "what is the shop" alone. What stands in brackets in the column's name is its unit.
    """
    column = sentence_terms(re.sub(r"\([^)]*\)", " ", cell.name))
    said = frozenset({*reading.terms, *reading.frame})
    if not column or not all(matches(t, said) for t in column) or stems(cell.value) <= stems(reading.text):
        return False
    figures = fitting_kinds(reading) - {"name"}
    return bool(_noun_asked(reading) & column) or any(s.kind in figures for s in typed_spans(cell.value))


def _noun_asked(reading: Reading) -> frozenset[str]:
    """Return the stems of the word that stands behind "which" or "what (is the)"; none where neither is asked."""
    match = _WHICH.search(reading.text)
    return stems(match.group(1)) if match else frozenset()


def _span(reading: Reading, sentence: str, spans: Sequence[Typed], pointed: str | None) -> str | None:
    if reading.expected in ("comparison", "yes_no"):
        return None
    if ASKS.search(reading.text):
        return next(filter(None, (expansion(sentence, a) for a in acronyms(reading.text))), None)
    defined = _defined(reading, sentence) if reading.expected == "definition" else None
    if defined:
        return defined
    kinds = fitting_kinds(reading)
    if pointed is not None and (reading.expected == "definition" or _ASKS_DOING.match(reading.text)):
        # What a thing is, or what someone says or does, is the sentence and not some words of it; but a figure may do,
        # and so may a name: what the seat or the head of a thing is, is no definition.
        predicate = re.search(r"\b(?:is|are|was|means?|called) $", sentence[: max(0, sentence.find(pointed))])
        named = reading.expected == "definition" and _ASKS_PART.match(reading.text) and pointed[:1].isupper()
        # "Software, which …" says as yet little of what the thing is.
        begun = _GOES_ON.match(sentence[sentence.find(pointed) + len(pointed) :]) if pointed else None
        pointed = pointed if (predicate and not begun) or named or re.search(r"\d", pointed) else ""
    if pointed and " or " not in reading.text and repeats_question(Typed("name", 0, len(pointed), pointed), reading):
        # What the question says itself is no answer to it, unless it leaves a choice.
        return None
    if pointed is not None:
        at = sentence.find(pointed) if pointed else -1
        alike = {s.kind for s in spans if s.kind != "name" and s.start < at + len(pointed) and s.end > at}
        if reading.expected in _NUMBERS and not alike & kinds and (alike or not re.search(r"\d", pointed)):
            # "Global technology powers" is no sum of money, whatever the reader makes of the question.
            return None
        fitting = [s for s in spans if s.kind in (kinds or alike)]
        listed = _of_the_year(reading, sentence, fitting) or _of_the_list(reading, sentence, fitting)
        return _whole(
            sentence, spans, _with_counted(reading, sentence, (listed.text if listed else pointed).strip(_EDGES))
        )
    if not kinds:
        if reading.expected != "fact" or _ASKS_DOING.match(reading.text):
            return None
        kinds = frozenset({"money", "percent", "quantity", "duration", "rank", "date"})
    fitting = [s for s in spans if s.kind in kinds and not repeats_question(s, reading)]
    if not fitting:
        return None
    best = max(fitting, key=lambda s: (span_score(reading, sentence, s), -s.start))
    return re.sub(r"\s+", " ", best.text).strip(_EDGES)


def _defined(reading: Reading, sentence: str) -> str | None:
    """Return what a sentence that opens with the subject says that it is, up to the end of the clause."""
    match = _DEFINING.match(sentence)
    if not match or not all(matches(t, sentence_terms(match.group(1))) for t in reading.terms):
        return None
    text = re.sub(r"\s+", " ", match.group(2)).strip(_EDGES)
    return text if len(text.split()) <= _MOST_WORDS else None


def _of_the_list(reading: Reading, sentence: str, fitting: Sequence[Typed]) -> Typed | None:
    """Return the figure that stands right after the one name asked for, in a sentence that lists figures by name.

    "Singapore is 5th, Malaysia 34th and Vietnam 44th": of Malaysia, 34th.
    """
    named = [(s, m.group(1)) for s in fitting if (m := _NAME_BEFORE.search(sentence[: s.start]))]
    if len(named) < 2:
        return None
    asked = [span for span, name in named if stem(words(name)[0]) in reading.names]
    return asked[0] if len(asked) == 1 else None


def _of_the_year(reading: Reading, sentence: str, fitting: Sequence[Typed]) -> Typed | None:
    """Return the figure of the one year asked for, in a sentence that gives figures of several years.

    "From 10 million in 2023 to 80 million in 2024": of 2023, 10 million.
    """
    dated = [(s, m.group(1)) for s in fitting if (m := _YEAR_AFTER.match(sentence[s.end :]))]
    if len(reading.years) != 1 or len({year for _, year in dated}) < 2:
        return None
    asked = [span for span, year in dated if year == reading.years[0]]
    return asked[0] if len(asked) == 1 else None


def _with_counted(reading: Reading, sentence: str, pointed: str) -> str:
    """Return a figure with what the question counts, where that stands a word or two behind it.

    "39 million H100" of "39 million H100 GPU hours", asked how many GPU hours: the whole of it.
    """
    if not reading.counted or not re.match(r"[\d.,]+ ", pointed + " "):
        return pointed
    start = sentence.find(pointed)
    following = re.match(r"(?:[ -][\w-]+){1,3}", sentence[start + len(pointed) :]) if start >= 0 else None
    taken = pointed
    for word in following.group().split() if following else ():
        taken += f" {word}"
        if matches(stem((words(word) or [""])[-1]), frozenset(reading.counted[-1:])):
            return taken
    return pointed


def _whole(sentence: str, spans: Sequence[Typed], pointed: str) -> str | None:
    """Return what the reader points at, with the currency, unit or name that it cut in two; None if it is too long."""
    start = sentence.find(pointed)
    for span in spans:
        if pointed and span.kind in _WHOLE and span.start <= start and start + len(pointed) <= span.end:
            pointed = _ABOUT.sub("", span.text)
    text = _balanced(re.sub(r"\s+", " ", pointed)).strip(_EDGES)
    return text if 0 < len(text.split()) <= _MOST_WORDS else None


def _balanced(text: str) -> str:
    """Cut a text where it leaves a bracket that it did not open, and close one that it left open.

    >>> _balanced("63.0), Indonesia (61.0"), _balanced("the Company (TSMC")
    ('63.0', 'the Company (TSMC)')
    """
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return text[:i]
    return text + ")" * depth


def span_score(reading: Reading, sentence: str, span: Typed) -> float:
    """Score a span by the question's terms in its unit and near it; nearer counts more."""
    score = 0.0
    unit = stems(span.unit or span.text)
    wanted = frozenset(reading.terms) | frozenset(reading.frame)
    if span.kind in ("quantity", "duration"):
        score += 2.0 * any(matches(u, wanted) for u in unit if u.isalpha())
    if reading.expected == "person":
        score += _person_score(sentence, span)
    # The first kind named for an expectation is the one that fits it best.
    if reading.expected in (span.kind, "fact"):
        score += 1.0
    for start, end in _matching(sentence, frozenset(reading.terms)):
        if not span.start <= start < span.end:
            gap = sentence[min(end, span.end) : max(start, span.start)]
            distance = 1 + gap.count(" ")
            # A comma or semicolon between them parts clauses: what stands beyond it belongs to another figure.
            distance += 4 * gap.count(", ") + 8 * gap.count("; ")
            score += 1.0 / distance
    return score


# All spans of a sentence are scored by the places of the same terms.
@lru_cache(maxsize=2_000)
def _matching(sentence: str, asked: frozenset[str]) -> tuple[tuple[int, int], ...]:
    """Return where the words of a sentence stand that match a term."""
    return tuple((start, end) for start, end, term in _stemmed(sentence) if matches(term, asked))


@lru_cache(maxsize=20_000)
def _stemmed(sentence: str) -> tuple[tuple[int, int, str], ...]:
    found = ((m, next(map(stem, words(m.group())), "")) for m in re.finditer(r"[\w.,%-]+", sentence))
    return tuple((*m.span(), term) for m, term in found if term)


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


def repeats_question(span: Typed, reading: Reading) -> bool:
    """Tell a span that merely repeats the question, unless it is one of two that the question leaves to choose."""
    own = stems(span.text)
    offered = {stem(w) for m in _ALTERNATIVES.finditer(reading.text) for w in words(m.group())}
    return bool(own) and own <= stems(reading.text) and not own & offered
