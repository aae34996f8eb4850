"""An answer written by an LLM from numbered passages, shown sentence by sentence as the check of citations lets it.

Where the model fails, says nothing that its sources support, or declines, the extractive answer stands, with a notice.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.answer import Answer, Citation, Tokens
from bot.citations import Checked, checked, complete_sentences, leans
from bot.compose import DIFFER, Citations, Found, flat
from bot.llm import Model
from bot.prompts import CANNOT, Prompt, written_prompt
from bot.support import Passage, Support
from corpus.documents import Document
from corpus.errors import ModelError
from corpus.sentences import Span
from index.terms import terms

_PASSAGES = 6
_MAY_END = re.compile(r"[.!?…。！？\n]")
_LONGEST = 2_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """A passage as the model is given it: spans of sentences of a document, and how it appears in the prompt and the check."""

    document: Document
    spans: tuple[Span, ...]
    headings: tuple[str, ...]
    passage: Passage


@dataclass(frozen=True, slots=True)
class Draft:
    """What a model will be asked, and the passages by whose numbers it cites."""

    prompt: Prompt
    given: tuple[Given, ...]


def draft(answer: Answer, found: Found) -> Draft:
    """Return the prompt for a question that the extractive answer has answered: its own passages first, then the next best."""
    given: dict[tuple[str, int], Given] = {}
    evidence = {c.passage_key: c.evidence for c in found.candidates}
    for citation in answer.citations:
        inside = [
            e for (name, _), e in evidence.items()
            if name == citation.document and e.passage.start <= citation.start and citation.end <= e.passage.end
        ]  # fmt: skip
        document = inside[0].document if inside else found.read.index.catalogue.document(citation.document)
        if inside:
            e = inside[0]
            given[e.document.id, e.passage.start] = _given(e.document, e.passage.sentences, e.passage.headings)
        elif document:
            given[document.id, citation.start] = _given(document, ((citation.start, citation.end),), citation.headings)
    for key, e in evidence.items():
        if len(given) >= _PASSAGES:
            break
        given.setdefault(key, _given(e.document, e.passage.sentences, e.passage.headings))
    passages = tuple(given.values())
    titles = [" · ".join(p for p in (g.document.title, g.document.publisher, g.document.date) if p) for g in passages]
    return Draft(written_prompt(found.read.text, [g.passage for g in passages], titles), passages)


def written(answer: Answer, found: Found, model: Model) -> Iterator[Answer]:
    """Yield the model's answer as it grows, each sentence once it has been checked, and last the whole answer.

    The last is the extractive one with a notice wherever the model's cannot stand; what was shown before is then void.
    """
    ask = draft(answer, found)
    text, tokens, rest = _Text(ask.given, f"{found.read.text} {answer.text}"), answer.tokens, ""
    try:
        for piece in model.stream(ask.prompt, found.read.seconds):
            if isinstance(piece, Tokens):
                tokens = piece.plus(answer.tokens)
                continue
            rest += piece
            if not _MAY_END.search(piece) and len(rest) < 2 * _LONGEST:
                continue
            sentences, rest = complete_sentences(rest)
            if len(rest) > _LONGEST:
                model.breaker.report(False)
                raise ModelError("it did not stop writing")
            for sentence in sentences:
                if text.add(sentence):
                    yield replace(
                        answer,
                        text=text.text,
                        citations=text.citations,
                        short=None,
                        conflicts=(),
                        answered_by=model.name,
                    )
        for sentence in complete_sentences(rest, ended=True)[0]:
            text.add(sentence)
    except ModelError as error:
        yield replace(
            answer,
            notice=f"{model.name} did not answer: {error}. This is the answer in the sources’ own words.",
            tokens=tokens,
        )
        return
    if not text.citations:
        if text.declined:
            why = "found no answer in these passages"
        elif text.left_out:
            why = "wrote nothing that its sources support"
        else:
            why = "did not answer"
        yield replace(
            answer, notice=f"{model.name} {why}. This is the answer in the sources’ own words.", tokens=tokens
        )
        return
    notice = None
    if text.left_out:
        n = len(text.left_out)
        notice = f"{n} sentence{'s' * (n > 1)} of {model.name} {'were' if n > 1 else 'was'} left out: not supported by the sources."
        _log.info("left out: %s", "; ".join(f"{c.text} ({c.support.reason})" for c in text.left_out))
    yield _with_conflicts(replace(
        answer, text=text.text, citations=text.citations, short=_short(answer, text.text), conflicts=(), answered_by=model.name,
        notice=notice, tokens=tokens,
    ), answer)  # fmt: skip


class _Text:
    """The checked sentences of an answer so far, with the citations that the check found for them."""

    def __init__(self, given: tuple[Given, ...], subject: str) -> None:
        self._given = given
        self._about = frozenset(terms(subject))
        self._passages = [g.passage for g in given]
        self._sentences: list[str] = []
        self._cited = Citations()
        self.left_out: list[Checked] = []
        self.declined = False
        self._lost = False

    @property
    def text(self) -> str:
        return " ".join(self._sentences)

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._cited.items)

    def add(self, sentence: str) -> bool:
        """Check a sentence and add it if it stands; tells whether it does."""
        if CANNOT in sentence:
            self.declined = True
            return False
        said = checked(sentence, self._passages)
        # What shares no word with the question, the extractive answer or its own source's title was asked for by no user.
        around = self._about | frozenset(t for i, _ in said.support.places for t in terms(self._passages[i].context))
        if said.support and not around & frozenset(terms(said.text)):
            said = replace(said, support=Support(reason="it is about something else"))
        if not said.support or (self._lost and leans(said.text)):
            self.left_out.append(said)
            self._lost = True
            return False
        self._lost = False
        if any(s.startswith(said.text) for s in self._sentences):
            return False
        markers = [self._cite(i, j) for i, j in said.support.places]
        self._sentences.append(" ".join([flat(said.text), *(f"[{m}]" for m in dict.fromkeys(markers))]))
        return True

    def _cite(self, passage: int, place: int) -> int:
        given = self._given[passage]
        return self._cited.add_slice(given.document, *given.spans[place], given.headings)


def _given(document: Document, spans: tuple[Span, ...], headings: tuple[str, ...]) -> Given:
    context = " ".join(p for p in (document.title, *headings, document.publisher, document.date) if p)
    return Given(document, spans, headings, Passage(tuple(document.text[a:b] for a, b in spans), context))


def _with_conflicts(answer: Answer, extractive: Answer) -> Answer:
    """Add what other sources say against a figure of the answer, as the extractive answer had it, in their own words."""
    if not extractive.conflicts:
        return answer
    citations, text, known = answer.citations, answer.text, {}
    by_marker = {c.marker: c for c in extractive.citations}
    said = []
    for marker in dict.fromkeys(s.marker for c in extractive.conflicts for s in c.sides):
        old = by_marker[marker]
        same = next((c for c in citations if (c.document, c.start, c.end) == (old.document, old.start, old.end)), None)
        if same is None:
            same = replace(old, marker=len(citations) + 1)
            citations += (same,)
            said.append(f"{flat(old.quote)} [{same.marker}]")
        known[marker] = same.marker
    if said:
        text += f"\n\n{DIFFER} {' '.join(said)}"
    conflicts = tuple(
        replace(c, sides=tuple(replace(s, marker=known[s.marker]) for s in c.sides)) for c in extractive.conflicts
    )
    return replace(answer, text=text, citations=citations, conflicts=conflicts)


def _short(extractive: Answer, text: str) -> str | None:
    """Return the span that answers, if the model's text holds it as well."""
    short = extractive.short
    return short if short and short.lower() in text.lower() else None
