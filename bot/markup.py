"""Answers and their sources as HTML. Every value gets there through the Jinja templates in `page/`, which escape it."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup, escape
from pydantic import TypeAdapter, ValidationError

from bot.answer import Answer, Citation
from bot.compose import DIFFER
from bot.reference import bibtex, quoted
from corpus.documents import Document
from corpus.errors import UsageError

PAGE = Path(__file__).parent / "page"
"""Templates, styles, scripts and the icon of the page."""

HEADLINE = "Answers from your documents, each sentence cited from its source"
"""Of a corpus whose profile has none."""

HINT = "Enter sends · Shift+Enter starts a new line · / comes back here"

_MOST_CONTEXT = 420
_MOST_TURNS = 100
# Shares of right answers among all questions on the shipped corpus, both halves: 91%, 65% and 50%.
_SURE, _LIKELY = 0.85, 0.6
_MARKER = re.compile(r"\[(\d+)\]")
_BREAK = re.compile(r"\n[^\S\n]*\r?\n")
_KINDS = {"article": "Article", "fact": "Fact", "document": "Document"}

Phase = Literal["asking", "done", "stopped"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a chat and what came of it: an answer, perhaps still growing, or one line about a failure."""

    question: str
    phase: Phase = "asking"
    answer: Answer | None = None
    error: str | None = None
    as_typed: bool = False


@dataclass(frozen=True, slots=True)
class Sureness:
    """A calibrated probability in a word, and what the word means."""

    word: Literal["sure", "likely", "unsure"]
    meaning: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation as the panel shows it: `before + citation.quote + after` is an exact slice of its document.

    `changed` where the quote stands there no more, `changed_elsewhere` where the rest is not what it was.
    """

    citation: Citation
    before: str
    after: str
    cut_before: bool
    cut_after: bool
    changed: bool = False
    changed_elsewhere: bool = False

    @property
    def link(self) -> str | None:
        return web_link(self.citation.url)

    @property
    def site(self) -> str:
        """The host that the link goes to, which a reader sees before following it."""
        return (urlsplit(self.link or "").hostname or "").removeprefix("www.")

    @property
    def from_line(self) -> str:
        c = self.citation
        page = f"p. {c.page}" if c.page else ""
        parts = (c.publisher, day(c.date), page, _KINDS.get(c.kind, c.kind.capitalize()))
        return " · ".join(p for p in parts if p)


def web_link(url: str | None) -> str | None:
    """Return the URL if it is an http or https one with a host, else None.

    >>> web_link("https://example.org/a"), web_link("javascript:alert(1)")
    ('https://example.org/a', None)
    """
    try:
        parts = urlsplit(url or "")
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return url if good else None


def day(text: str | None) -> str:
    """Write an ISO date, month or year as people do; anything else is left as it is.

    >>> day("2025-09-30"), day("2025-04"), day("2025")
    ('30 September 2025', 'April 2025', '2025')
    """
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text or "")
    if not match:
        return text or ""
    try:
        when = date(int(match[1]), int(match[2]), int(match[3] or 1))
    except ValueError:
        return text or ""
    return f"{when.day} {when:%B %Y}" if match[3] else f"{when:%B %Y}"


def in_context(citation: Citation, document: Document | None) -> Cited:
    """Put a citation into the paragraph around it.

    Without the document, or when it has changed since, the quote stands alone: it must never be shown in a place
    where it does not stand.
    """
    start, end = citation.start, citation.end
    if document is None or document.text[start:end] != citation.quote:
        return Cited(citation, "", "", False, False, changed=True)
    text = document.text
    first = max((m.end() for m in _BREAK.finditer(text, 0, start)), default=0)
    after = _BREAK.search(text, end)
    last = after.start() if after else len(text)
    cut_before, cut_after = start - first > _MOST_CONTEXT, last - end > _MOST_CONTEXT
    if cut_before:
        space = re.compile(r"\s").search(text, start - _MOST_CONTEXT, start)
        first = space.end() if space else start
    if cut_after:
        space_at = max(text.rfind(mark, end, end + _MOST_CONTEXT) for mark in " \n")
        last = space_at if space_at > 0 else end
    # A chat that was kept by an earlier version has no hash.
    other = bool(citation.hash) and citation.hash != document.content_hash()
    before, after_it = text[first:start].lstrip("\r\n"), text[end:last].rstrip()
    return Cited(citation, before, after_it, cut_before, cut_after, changed_elsewhere=other)


def sureness(answer: Answer) -> Sureness:
    """Say in a word how probable it is that the sentence cited first answers. The shares are those of the README."""
    if answer.confidence >= _SURE:
        return Sureness("sure", "Of answers marked so, about nine in ten were right when measured.")
    if answer.confidence >= _LIKELY:
        return Sureness("likely", "Of answers marked so, about two in three were right when measured.")
    return Sureness("unsure", "Of answers marked so, about half were right when measured. Read the source.")


def saved(turn: Turn) -> str:
    """Return a turn as JSON, as the browser keeps it and `restored` reads it."""
    row = asdict(replace(turn, answer=None)) | {"answer": turn.answer.to_dict() if turn.answer else None}
    return json.dumps(row, ensure_ascii=False)


def restored(rows: object) -> list[Turn]:
    """Read turns that a browser has kept; raises UsageError where they are not what `saved` wrote."""
    try:
        turns = _TURNS.validate_python(rows)
    except ValidationError as error:
        raise UsageError("this chat cannot be shown again: it was kept by another version") from error
    if len(turns) > _MOST_TURNS:
        raise UsageError(f"this chat is too long to be shown again: the most is {_MOST_TURNS} questions")
    return [replace(t, phase="done" if t.phase == "asking" else t.phase) for t in turns]


def _cited(answer: Answer, marker: int) -> Citation | None:
    return next((c for c in answer.citations if c.marker == marker), None)


def _marker_link(answer: Answer, turn: int, marker: int) -> Markup:
    """Render `[n]` as a link into the panel, or as plain text if it has no citation."""
    cited = _cited(answer, marker)
    if cited is None:
        return Markup("<span>[{}]</span>").format(marker)
    label = f"Source {marker}: {cited.publisher or cited.title}"
    link = '<a class="cite" href="#cite-{0}-{1}" aria-label="{2}" title="{2}">{1}</a>'
    return Markup(link).format(turn, marker, label)


def _paragraphs(answer: Answer, turn: int, growing: bool) -> Iterator[Markup]:
    """Render the paragraphs of an answer's text, escaped, with its markers as links."""
    for paragraph in re.split(r"\n\s*\n", answer.text.strip()):
        if (answer.conflicts or growing) and paragraph.startswith(DIFFER):
            continue
        # A marker stays on the line of the word before it.
        pieces = _MARKER.split(re.sub(r"[^\S\n]+(?=\[\d+\])", "\N{NO-BREAK SPACE}", paragraph))
        yield Markup("").join(
            _marker_link(answer, turn, int(piece)) if i % 2 else escape(piece) for i, piece in enumerate(pieces)
        )


def _sentence(message: str) -> str:
    """Begin a message with a capital: errors are written to follow "gapbot: " on a terminal."""
    return message[:1].upper() + message[1:]


_TURNS = TypeAdapter(list[Turn])
PARTS = jinja2.Environment(
    loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)
"""The templates of the page's parts beside the chat."""
PARTS.filters["day"] = day
_templates = jinja2.Environment(loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined)
_templates.filters["paragraphs"] = _paragraphs
_templates.filters["cited"] = _cited
_templates.filters["marker"] = _marker_link
_templates.filters["day"] = day
_templates.filters["sureness"] = sureness
_templates.filters["saved"] = saved
_templates.filters["quoted"] = quoted
_templates.filters["bibtex"] = bibtex
_templates.filters["sentence"] = _sentence
_templates.filters["flat"] = lambda text: re.sub(r"\s+", " ", text)


def render_transcript(turns: Sequence[Turn]) -> str:
    """Return the HTML of a chat; of an empty one, a welcome."""
    return _templates.get_template("transcript.html").render(turns=turns)


def render_frame(part: str, headline: str | None) -> str:
    """Return the HTML of the page's "head" or "header" for a corpus whose profile has a headline, or none."""
    return _templates.get_template(f"{part}.html").render(headline=headline or HEADLINE)


def render_sources(answer: Answer | None, turn: int, source: Callable[[str], Document | None]) -> str:
    """Return the HTML of the panel for the answer of a turn, counted from 1; turn 0 is a new chat's empty panel."""
    return _templates.get_template("sources.html").render(
        number=turn,
        question=answer.question if answer else None,
        cards=[in_context(c, source(c.document)) for c in answer.citations] if answer else [],
        closest=[in_context(c, source(c.document)) for c in answer.closest] if answer else [],
    )


_NTH = itertools.count()


def render_message(message: str = "") -> str:
    """Return the HTML of the line under the question box: what is wrong with a question, or the hint.

    Each is another text than the last, since Gradio draws none that is alike: the same refusal is shown again.
    """
    text = _sentence(message) if message else HINT
    line = '<p class="{}" role="{}" data-nth="{}" data-t>{}</p><p class="count" aria-live="polite"></p>'
    return Markup(line).format("problem" if message else "hint", "alert" if message else "note", next(_NTH), text)
