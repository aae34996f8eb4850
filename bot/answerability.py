"""Does this sentence answer this question? Candidates ranked, a calibrated probability, and so the ways to say no."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

from bot.question import SEVERAL, Reading
from bot.reader import Reader, ReadPassage
from bot.second_look import LOOK_NAMES, second_look
from bot.short import fitting_kinds
from bot.signals import NAMES, READ_NAMES, Candidate, passage_text, signal_vector, with_reading
from bot.years import SUMMED

ANSWER = 0.4
"""The calibrated probability from which a question counts as answered."""
PASSAGES_READ = 6
"""How many passages the reader reads at most: those of the best-ranked sentences."""
READ_FIRST = 2
"""How many of them it reads first; the others only where these do not settle the question."""

DOUBTFUL = 0.2
"""The probability from which the reader looks a second time, unless the question is settled: what is below it is refused,
whatever that would show."""
HOPELESS, CERTAIN = 0.15, 0.75
"""The probabilities below and from which the passages that are read first settle a question. On areas left out, the other
passages led to an answer in 17 of 1,300 questions below, a right one in 2, and changed one of 1,600 answers above."""

_OPEN = SEVERAL | {"fact"}

# Log-odds that a defining sentence gains where a definition is asked for: too rare in the data to be fitted.
_DEFINES = 3.0
UNNAMED = 2.0
"""Log-odds that an answer loses whose passage lacks a name of the question: sets about one place each hide its weight."""
UNFIT = 0.5
"""Log-odds that an answer loses where the reader points at nothing of the kind asked for: a place, asked who."""
MISFIT = 2.5
"""Log-odds that an answer loses, beyond the fitted weights, that cannot be what is asked for or is of another year: the
fitted sets have too few of them, and on areas left out one of ten of them is right."""
_PAIRS = (
    ("cosine", "coverage"), ("cosine", "names"), ("coverage", "type"), ("context_coverage", "context_names"), ("cosine", "type"),
    ("unknown", "cosine"), ("context_coverage", "cosine"),
)  # fmt: skip
_Fitted = dict[str, dict[str, list[float] | float]]


@dataclass(frozen=True, slots=True)
class Judged:
    """Candidates ranked best first with their log-odds, and the probability that the best one's passage answers.

    `unread` are those, best first, of passages that were not read because others settled the question.
    """

    ranked: tuple[Candidate, ...] = ()
    scores: tuple[float, ...] = ()
    probability: float = 0.0
    unread: tuple[Candidate, ...] = ()


def judge(reading: Reading, found: Sequence[Candidate], reader: Reader | None, threshold: float = ANSWER) -> Judged:
    """Rank the candidates and say how probable it is that the best one answers; the reader, if any, reads the best.

    What is answered from a `threshold` below `HOPELESS` on is never without hope.
    """
    if not found:
        return Judged()
    scores = rank_scores(found)
    if not reader:
        return _ranked(found, scores)[0]
    ordered = [found[i] for i in sorted(range(len(found)), key=lambda i: -scores[i])]
    judged, vector = _read(reading, ordered, reader, min(HOPELESS, threshold))
    if DOUBTFUL <= judged.probability < CERTAIN:
        best = judged.ranked[0]
        place = best.evidence.sentences.index(best.sentence)
        looked = second_look(reading, passage_text(best.evidence), place, reader)
        judged = replace(judged, probability=_probability(best, vector, "looked", looked))
    return judged


def _read(
    reading: Reading, ordered: Sequence[Candidate], reader: Reader, hopeless: float
) -> tuple[Judged, list[float]]:
    """Read the passages of candidates that are ordered best first, until the question is settled, and judge as `_ranked` does."""
    keys = list(dict.fromkeys(c.passage_key for c in ordered))[:PASSAGES_READ]
    evidence = {c.passage_key: c.evidence for c in ordered}
    read: dict[tuple[str, int], ReadPassage] = {}
    wanted = keys[:READ_FIRST]
    while True:
        read |= zip(wanted, reader.read(reading.text, [passage_text(evidence[k]) for k in wanted]), strict=True)
        seen = with_reading(reading, ordered, read)
        judged, vector = _ranked(seen, rank_scores(seen))
        unread = [c for c in ordered if c.passage_key in keys and c.passage_key not in read]
        # Where no kind of thing is asked for, what other passages say may be the better answer.
        settled = judged.probability >= CERTAIN and reading.expected not in _OPEN
        left = [c for c in unread if not settled or _rivals(reading, c, judged.ranked[0])]
        if not left or judged.probability < hopeless:
            return replace(judged, unread=tuple(unread)), vector
        wanted = list(dict.fromkeys(c.passage_key for c in left))


def _ranked(found: Sequence[Candidate], scores: Sequence[float]) -> tuple[Judged, list[float]]:
    """Order candidates by their log-odds and judge the best; returns also what the gate sees of it."""
    # A sentence whose passage lacks a name of the question gives way to one that has them all.
    scores = [s - UNNAMED * (1 - c.signals["weakest_name"]) for s, c in zip(scores, found, strict=True)]
    order = sorted(range(len(found)), key=lambda i: -scores[i])
    ranked, scores = tuple(found[i] for i in order), [scores[i] for i in order]
    best = ranked[0]
    own = scores[0] + UNNAMED * (1 - best.signals["weakest_name"])
    vector = gate_vector(best.signals, own, lead(scores, [c.passage_key for c in ranked]))
    return Judged(ranked, tuple(scores), _probability(best, vector, "fact")), vector


def _probability(best: Candidate, vector: list[float], part: str, looked: Sequence[float] = ()) -> float:
    return both(_dot(best, "subject", vector), _dot(best, part, [*vector, *looked]), penalty(best.signals))


def _rivals(reading: Reading, candidate: Candidate, best: Candidate) -> bool:
    """Tell whether a sentence may be meant as well where no name says which, or give another figure than the best one.

    The latter holds as much of the question, or is recorded to be of the same subject: of sources that differ, the
    figure leads that most of them give.
    """
    if not reading.names and fitting_kinds(reading):
        return bool(candidate.signals["type"])
    if not re.search(r"\d", best.pointed or "") or not candidate.signals["type"]:
        return False
    return candidate.signals["coverage"] >= best.signals["coverage"] or bool(_recorded(candidate) & _recorded(best))


def _recorded(candidate: Candidate) -> set[str]:
    """Return the subjects of the figures that are recorded of a sentence."""
    return {s.subject for s in candidate.statements if s.subject and s.value}


def both(subject: float, fact: float, lost: float) -> float:
    """Return the probability that a passage answers: that it is about the subject, and that it holds the fact.

    `subject` and `fact` are log-odds, each fitted against another kind of question that is not answered: one whose
    document is not there, and one that the passage all but answers. What tells the first speaks for the second, which
    shares all its words, so that one model of both is blind to near misses. `lost` is the log-odds of `penalty`.
    """
    together = 1 / (1 + math.exp(-subject)) / (1 + math.exp(-fact))
    return together / (together + (1 - together) * math.exp(lost))


def penalty(signals: Mapping[str, float]) -> float:
    """Return the log-odds that an answer loses for what the fitted sets give too little weight."""
    lost = UNNAMED * (1 - signals["weakest_name"])
    if "evidence" not in signals:
        return lost
    wrong = signals["misfit"] or signals["wrong_year"] or abs(signals["years"] - SUMMED) < 0.01
    return lost + UNFIT * (1 - signals["span_fits"]) + MISFIT * bool(wrong)


def rank_scores(found: Sequence[Candidate]) -> list[float]:
    """Return, for each candidate of one question, the log-odds that it is the evidence.

    A candidate is seen by its signals and by how far each lies below the best of all candidates.
    """
    vectors = [signal_vector(c) for c in found]
    best = [max(column) for column in zip(*vectors, strict=True)]
    return [
        _dot(c, "rank", [*v, *(x - b for x, b in zip(v, best, strict=True))]) + _DEFINES * c.signals["defines"]
        for c, v in zip(found, vectors, strict=True)
    ]


def gate_vector(signals: dict[str, float], score: float, lead: float) -> list[float]:
    """Return what the gate sees of the best candidate: its signals, their squares, telling products, score and lead."""
    values = [signals[n] for n in (*NAMES, *READ_NAMES) if n in signals]
    products = [signals[a] * signals[b] for a, b in _PAIRS]
    return [*values, *(v * v for v in values), *products, score, lead]


def lead(scores: Sequence[float], passages: Sequence[object]) -> float:
    """Return how far the best score lies above the best of another passage; 2 where there is no other."""
    top = max(range(len(scores)), key=lambda i: scores[i])
    others = [s for s, p in zip(scores, passages, strict=True) if p != passages[top]]
    return scores[top] - max(others, default=scores[top] - 2.0)


@lru_cache(maxsize=1)
def _models() -> dict[str, _Fitted]:
    text = resources.files("bot").joinpath("answerability.json").read_text(encoding="utf-8")
    model: dict[str, _Fitted] = json.loads(text)
    if model["signals"] != [*NAMES, *READ_NAMES, *LOOK_NAMES]:  # type: ignore[comparison-overlap]
        raise ValueError("bot/answerability.json was fitted with other signals: run tests/bench/calibrate.py")
    return model


def _dot(candidate: Candidate, name: str, values: Sequence[float]) -> float:
    part = _models()["read" if candidate.read else "unread"][name]
    weights, intercept = part["weights"], part["intercept"]
    assert isinstance(weights, list)
    assert isinstance(intercept, float)
    return sum(w * v for w, v in zip(weights, values, strict=True)) + intercept
