"""Answers made of exact sentences of the sources: which ones, and in which order."""

import re
from collections.abc import Sequence

from bot.question import SEVERAL, Reading
from bot.short import fitting_kinds
from bot.signals import Candidate
from corpus.passages import begins_item, indentation
from index.terms import matches, sentence_terms

_MOST_WORDS = 120
_MOST_LISTED = 200
_MOST_SENTENCES = 4
_POINTS_BACK = re.compile(
    r"(?:It|They|He|She|This|That|These|Those(?! who)|Its|Their|His|Her|Such|Both(?! \w+ and)|(?:The|Of the) (?:former|latter|two|three))\b"
)
# The reader's log-odds from which a sentence beside the best one is evidence as well.
_SURE = 0.8


def choose(reading: Reading, ranked: Sequence[Candidate], scores: Sequence[float]) -> list[Candidate]:
    """Choose the sentences of the answer from candidates ranked best first, without repeating a statement.

    A figure, date or name needs one sentence, or two where the second covers what the first leaves out. Lists, reasons,
    comparisons and explanations gather up to four by maximal marginal relevance (Carbonell and Goldstein 1998). To any
    other answer belongs what the reader takes for evidence beside the best sentence, in its passage.
    """
    chosen = [ranked[0]]
    length = len(ranked[0].sentence.text.split())
    covered = _covered(reading, ranked[0])
    several = reading.expected in SEVERAL
    # Where no figure, date or name is asked for nor pointed at, one does not know that one sentence says it all.
    exact = bool(fitting_kinds(reading)) or bool(re.search(r"\d", ranked[0].pointed or ""))
    open_ = several or not exact
    pool = list(zip(ranked, scores, strict=True))[1:]
    margin = {"comparison": 4.0}.get(reading.expected, 2.0 if several else 1.2)
    while pool and len(chosen) < _MOST_SENTENCES:
        best, value = None, float("-inf")
        for candidate, score in pool:
            if any(_same_statement(candidate, c) for c in chosen):
                continue
            gain = len(_covered(reading, candidate) - covered)
            # A second sentence of the passage is wanted only for what the first leaves out, if one fact is asked for.
            beside = (
                (open_ or gain > 0)
                and candidate.passage_key == ranked[0].passage_key
                and candidate.read is not None
                and candidate.read.evidence > (0.0 if open_ else _SURE)
            )
            near = scores[0] - score <= margin and _read_as_evidence(candidate, 0.0)
            if not beside and not (near and (several or (gain and len(chosen) < 2))):
                continue
            redundancy = max(overlap(candidate, c) for c in chosen)
            together = any(candidate.evidence is c.evidence for c in chosen)
            # A comparison needs each of its sides, which are names.
            sides = len((_covered(reading, candidate) - covered) & set(reading.names))
            gain += 2 * sides * (reading.expected == "comparison")
            worth = score + 0.8 * gain - 2.0 * redundancy + (0.4 if together else 0.0)
            if worth > value and length + len(candidate.sentence.text.split()) <= _MOST_WORDS:
                best, value = candidate, worth
        if best is None:
            break
        chosen.append(best)
        covered |= _covered(reading, best)
        length += len(best.sentence.text.split())
        pool = [(c, s) for c, s in pool if c is not best]
    before = _before(ranked, chosen[0])
    if before and before not in chosen and length + len(before.sentence.text.split()) <= _MOST_WORDS:
        chosen.append(before)
    for item in [i for c in chosen for i in introduced(reading, ranked, c) if i not in chosen]:
        length += len(item.sentence.text.split())
        if length > _MOST_LISTED:
            break
        chosen.append(item)
    # Sentences of one passage read best in the order in which they stand there.
    first = {id(c.evidence): i for i, c in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda c: (first[id(c.evidence)], c.sentence.start))


def _before(ranked: Sequence[Candidate], candidate: Candidate) -> Candidate | None:
    """Return the sentence before one that begins with a pronoun: it says who "she" is, or what "that" was."""
    if not _POINTS_BACK.match(candidate.sentence.text):
        return None
    place = candidate.evidence.sentences.index(candidate.sentence) - 1
    beside = candidate.evidence.sentences[place] if place >= 0 else None
    same = (c for c in ranked if c.passage_key == candidate.passage_key)
    return next((c for c in same if c.sentence is beside), None)


def introduced(reading: Reading, ranked: Sequence[Candidate], candidate: Candidate) -> list[Candidate]:
    """Return the items of the list that a sentence introduces, "The pillars are:", as far as its passage holds them.

    None where a figure, date or name is asked for and it says one itself, or another sentence of its passage ranks first.
    """
    one = bool(fitting_kinds(reading)) and (bool(candidate.signals["type"]) or candidate is not ranked[0])
    if one or not candidate.sentence.text.endswith(":"):
        return []
    text, items = candidate.evidence.document.text, list[Candidate]()
    by_start = {c.sentence.start: c for c in ranked if c.passage_key == candidate.passage_key}
    end, depth = candidate.sentence.end, -1
    for sentence in candidate.evidence.sentences:
        if sentence.start < end:
            continue
        if begins_item(text, sentence.start):
            own = indentation(text, sentence.start)
            depth = own if depth < 0 else depth
            if own < depth:
                break
        elif depth < 0 or "\n" in text[end : sentence.start]:
            break
        end = sentence.end
        items.append(by_start[sentence.start])
    return items


def _read_as_evidence(candidate: Candidate, least: float) -> bool:
    """Tell whether the reader takes a sentence for evidence, or has not read it."""
    return candidate.read is None or candidate.read.evidence > least


def _covered(reading: Reading, candidate: Candidate) -> set[str]:
    own = sentence_terms(candidate.sentence.text)
    return {t for t in reading.terms if matches(t, own)}


def overlap(a: Candidate, b: Candidate) -> float:
    """Return the share of the shorter sentence's terms that two sentences have in common, 0 to 1."""
    x, y = sentence_terms(a.sentence.text), sentence_terms(b.sentence.text)
    return len(x & y) / (min(len(x), len(y)) or 1)


def _same_statement(a: Candidate, b: Candidate) -> bool:
    """Tell two sentences that say the same: most of their words and all their figures agree."""
    if a.sentence.text == b.sentence.text:
        return True
    numbers = [{s.text for s in c.spans if s.kind != "name"} for c in (a, b)]
    return overlap(a, b) > 0.8 and (numbers[0] <= numbers[1] or numbers[1] <= numbers[0])
