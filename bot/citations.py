"""The one checker of citations: what is said must stand in the source that it cites, whoever wrote it.

A sentence that its sources do not support is left out rather than marked: answers are written so that each sentence
stands alone, a marked falsehood is still read and repeated, and a reader cannot see what the mark rests on. A sentence
that leans on one left out ("It also …") goes with it.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.answer import Answer
from bot.prompts import gives_orders
from bot.support import Passage, Support, supported
from corpus.sentences import sentence_spans

_MARK = re.compile(r"\s*[\[【](?:passages?\s)?(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)(?:†[^\]】]*)?[\]】]", re.I)
_AFTER_STOP = re.compile(r"([.!?…]+[\"'”’)]*)((?:[ \t]*[\[【](?:passages?\s)?\d[^\]】\n]{0,40}[\]】])+)", re.I)
_CITED = re.compile(r"(?P<lead>\s*(?:Sources differ:)?\s*)(?P<text>.+?)(?P<markers>(?:\s*\[\d+\])+)", re.S)
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)]|#{1,6})\s+")
_LINK = re.compile(r"https?:|www\.|://|!\[|\]\(|<[a-z/!]|&\w+;|data:|javascript:", re.I)
_LEANS = re.compile(
    r"(?:it|its|this|these|those|they|their|he|she|his|her|such|that|the (?:former|latter|same)|however|moreover|furthermore|"
    r"in addition|additionally|also|therefore|thus|consequently|by contrast|in contrast)\b",
    re.I,
)
# A sentence longer than this is no sentence, and comparing it would take long.
_LONGEST = 800
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence without its markers, the numbers of the passages it cites, and what supports it.

    `support.places` count among the passages that were given, from 0.
    """

    text: str
    cited: tuple[int, ...]
    support: Support


def checked(sentence: str, passages: Sequence[Passage]) -> Checked:
    """Check one sentence with its markers against the passages numbered from 1.

    >>> p = Passage(("Viettel operates 15 data centers.",))
    >>> checked("Viettel operates 15 data centers [1].", [p]).support.places
    ((0, 0),)
    >>> checked("Viettel operates 50 data centers [1].", [p]).support.reason
    'the figure 50 does not stand there'
    >>> checked("Viettel operates 15 data centers [7].", [p]).support.reason
    'it cites nothing that was given'
    """
    cited = [n for n in _numbers(sentence) if 1 <= n <= len(passages)]
    text = _plain(_MARK.sub("", sentence))
    if not cited:
        return Checked(text, (), Support(reason="it cites nothing that was given"))
    if _LINK.search(text) or len(text) > _LONGEST:
        return Checked(text, tuple(cited), Support(reason="it holds a link or markup, or is no sentence"))
    if gives_orders(text):
        return Checked(text, tuple(cited), Support(reason="it gives orders"))
    # What a document tells the reader or a model to do is no evidence of anything.
    usable = [
        Passage(tuple("" if gives_orders(s) else s for s in p.sentences), p.context)
        for p in (passages[n - 1] for n in cited)
    ]
    support = supported(text, usable)
    places = tuple((cited[i] - 1, j) for i, j in support.places)
    return Checked(text, tuple(cited), Support(places, support.reason))


def leans(sentence: str) -> bool:
    """Tell a sentence that refers to the one before it."""
    return bool(_LEANS.match(_plain(sentence)))


def complete_sentences(text: str, *, ended: bool = False) -> tuple[list[str], str]:
    """Cut running text into whole sentences, each with its markers inside, and the rest that may go on.

    >>> complete_sentences("One is so. [1] Two is [2]. Three")
    (['One is so [1].', 'Two is [2].'], 'Three')
    >>> complete_sentences("One is so. [1] Two is so. [", ended=False)
    (['One is so [1].'], 'Two is so. [')
    """
    # A marker behind a full stop belongs to the sentence before it; moving it changes no length.
    moved = _AFTER_STOP.sub(lambda m: f"{m.group(2)}{m.group(1)}", text)
    spans, start = [], 0
    for line in moved.splitlines(keepends=True):
        spans += sentence_spans(moved, start, start + len(line))
        start += len(line)
    held = len(spans)
    if not ended and spans and not moved.endswith("\n"):
        # The last sentence may go on, and a bracket that has just been opened may be a marker of the one before it.
        held -= 2 if moved[spans[-1][0]] in "[【" and len(spans) > 1 else 1
    whole = [moved[a:b] for a, b in spans[:held] if re.search(r"\w", _MARK.sub("", moved[a:b]))]
    return whole, text[spans[held][0] :] if held < len(spans) else ""


def verified(answer: Answer) -> Answer:
    """Return an answer without what its own citations do not support; it changes nothing where all stands as it should.

    Answers made of source sentences pass here too, by the same comparison as those of an LLM.
    """
    if answer.status != "answered":
        return answer
    quotes = {c.marker: Passage((c.quote,), " ".join((c.title, *c.headings))) for c in answer.citations}
    kept, dropped = [], False
    for match in _CITED.finditer(answer.text):
        markers = [int(m) for m in re.findall(r"\d+", match.group("markers"))]
        given = [quotes[m] for m in markers if m in quotes]
        stands = len(given) == len(markers) and bool(supported(match.group("text").strip(), given))
        if stands:
            kept.append(match.group())
        else:
            _log.error("a sentence was left out that its source does not support: %s", match.group().strip())
            dropped = True
    if not dropped:
        return answer
    text = "".join(kept).strip()
    left = {int(m) for m in re.findall(r"\[(\d+)\]", text)}
    return replace(
        answer, text=text or "The sources I hold speak of this subject, but none of them answers this question.",
        status="answered" if text else "near_miss", short=answer.short if answer.short and answer.short in text else None,
        citations=tuple(c for c in answer.citations if c.marker in left),
        conflicts=tuple(c for c in answer.conflicts if {s.marker for s in c.sides} <= left),
    )  # fmt: skip


def _numbers(sentence: str) -> list[int]:
    """Return the numbers of the passages that a sentence cites, in order: `[1]`, `[1, 3]`, `[2-4]`."""
    found: list[int] = []
    for match in _MARK.finditer(sentence):
        for part in re.split(r"\s*[,;]\s*", match.group(1)):
            a, _, b = re.sub(r"\s", "", part).replace("–", "-").partition("-")
            found += range(int(a), min(int(b or a), int(a) + 20) + 1)
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    """Return a sentence as running text: no bullets, emphasis, control characters or doubled spaces."""
    text = re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", " ", text)
    text = re.sub(r"(\*\*|__|`)", "", _BULLET.sub("", text))
    return re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"\s+", " ", text)).strip()
