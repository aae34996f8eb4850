"""A second look, where the reader is in doubt: does it still see the answer when it is asked a little otherwise?

The sentence is read once more with its neighbours alone, and then with each word of the question left out. Where a
question is surer of its answer without one of its words, that word is what the passage does not speak of: "Who founded
Orlo in Lima?" is answered all the better as "Who founded in Lima?" by a passage about another firm of Lima.
"""

import re

from bot.question import Reading
from bot.reader import SCALE, Reader
from index.encoder import PassageText
from index.terms import stems

LOOK_NAMES = (
    "look_evidence", "look_span", "look_answerable", "rise_evidence", "rise_span", "rise_answerable", "fall_evidence", "fall_answerable",
)  # fmt: skip
"""The signals of a second look: what the reader says of the sentence among its neighbours, and how far that rises and
falls at most when a word of the question is left out."""
MOST_WORDS = 6
"""How many words of a question are left out in turn: each costs a reading of some 60 tokens."""

_WORD = re.compile(r"[\w’'.-]*\w")


def second_look(reading: Reading, passage: PassageText, place: int, reader: Reader) -> list[float]:
    """Read the sentence at `place` of a passage again; returns the signals in the order of `LOOK_NAMES`."""
    near, own = neighbours(passage, place)
    asked = [reading.text, *without_each_word(reading)]
    said = []
    for read in reader.read_pairs([(q, near) for q in asked]):
        sentence = read.sentences[own]
        said.append(
            [v / s for v, s in zip((sentence.evidence, sentence.span_score, read.answerable), SCALE, strict=True)]
        )
    changes = [[b - a for a, b in zip(said[0], other, strict=True)] for other in said[1:]] or [[0.0] * 3]
    rises, falls = [max(c) for c in zip(*changes, strict=True)], [min(c) for c in zip(*changes, strict=True)]
    return [*said[0], *rises, falls[0], falls[2]]


def without_each_word(reading: Reading) -> list[str]:
    """Return a question without each of its telling words in turn, a name of several words being one.

    >>> from bot.question import read_question
    >>> without_each_word(read_question("When did Oslo Metro open?"))
    ['When did open?', 'When did Oslo Metro ?']
    """
    text = reading.text
    found: list[tuple[int, int, bool]] = []
    for match in _WORD.finditer(text):
        own = stems(match.group())
        if not own & {*reading.terms, *reading.years}:
            continue
        name = bool(own & set(reading.names))
        if name and found and found[-1][2] and not text[found[-1][1] : match.start()].strip():
            found[-1] = (found[-1][0], match.end(), True)
        else:
            found.append((*match.span(), name))
    return [re.sub(r"\s+", " ", text[:a] + text[b:]).strip() for a, b, _ in found[:MOST_WORDS]]


def neighbours(passage: PassageText, place: int) -> tuple[PassageText, int]:
    """Return a sentence of a passage with the one before and the one after it, and its place among them."""
    first, last = max(0, place - 1), min(len(passage.sentences), place + 2)
    chosen = passage.sentences[first:last]
    start = chosen[0][0]
    text = passage.text[start : chosen[-1][1]]
    return PassageText(passage.context, text, tuple((a - start, b - start) for a, b in chosen)), place - first
