"""Cut a document into passages and sentences that follow its structure, as exact slices of its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from corpus.documents import Document
from corpus.sentences import Span, sentence_spans, trimmed
from corpus.tables import RULE, open_fence

MAX_WEIGHT = 170
"""Upper limit of a passage in estimated word pieces: the default encoder reads 256 and would drop the rest."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_SETEXT = re.compile(r" {0,3}(=+|-{3,})[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
# A capital with a full stop is an initial ("J. Smith"), not a list's mark.
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦–]|\(?\d{1,3}[.)]|\(?[a-z][.)]|\(?[A-Z]\))[ \t]+(?=\S)")
# What starts a list even without a blank line before it; "40. It" may be the end of a wrapped sentence.
_FIRST_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦]|\(?1[.)]|\(?a\))[ \t]")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$")
_PIECE = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|[^\w\s]|_")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document: `document.text[start:end]`, with its sentences and the headings above it.

    `sentences` are spans of the document, in order, inside `start:end`.
    """

    document: str
    start: int
    end: int
    headings: tuple[str, ...]
    sentences: tuple[Span, ...]


@dataclass(slots=True)
class _Block:
    """A run of sentences that belong together: a paragraph, a list item, a table row."""

    headings: tuple[str, ...]
    sentences: list[Span]
    keep_with_next: bool = False

    @property
    def start(self) -> int:
        return self.sentences[0][0]

    @property
    def end(self) -> int:
        return self.sentences[-1][1]


def weight(text: str) -> int:
    """Estimate the number of word pieces of a text, a little too high rather than too low.

    >>> weight("AI infrastructure: USD 1.5 billion")
    11
    """
    return len(_PIECE.findall(text)) - (-5 * len(_WIDE.findall(text)) // 6)


def begins_item(text: str, start: int) -> bool:
    """Tell whether what stands at an offset begins an item of a list: its line holds nothing before it but a mark.

    >>> begins_item("Kinds:\\n- cod", 9)
    True
    """
    mark = _ITEM.match(text, text.rfind("\n", 0, start) + 1)
    return mark is not None and mark.end() == start


def indentation(text: str, start: int) -> int:
    """Return how many blanks the line begins with in which an offset lies."""
    line = text[text.rfind("\n", 0, start) + 1 : start]
    return len(line) - len(line.lstrip(" \t"))


def split_document(document: Document) -> list[Passage]:
    """Split a document into passages of at most `MAX_WEIGHT`, a fact into exactly one passage."""
    text = document.text
    if document.kind == "fact":
        spans = sentence_spans(text)
        return [Passage(document.id, spans[0][0], spans[-1][1], (), tuple(spans))] if spans else []
    passages: list[Passage] = []
    held: list[_Block] = []

    def flush() -> None:
        spans = tuple(s for block in held for s in block.sentences)
        if spans:
            passages.append(Passage(document.id, spans[0][0], spans[-1][1], held[0].headings, spans))
        held.clear()

    for unit in _whole_lists(text, _blocks(text)):
        if held and (held[0].headings != unit[0].headings or weight(text[held[0].start : unit[-1].end]) > MAX_WEIGHT):
            # A line that introduces what follows ("The pillars are:") moves along with it.
            lead = held[-1]
            moves = len(held) > 1 and lead.keep_with_next and lead.headings == unit[0].headings
            moves = moves and weight(text[lead.start : unit[-1].end]) <= MAX_WEIGHT
            if moves:
                held.pop()
            flush()
            if moves:
                held.append(lead)
        held.extend(unit)
    flush()
    return passages


def _whole_lists(text: str, blocks: list[_Block]) -> Iterator[list[_Block]]:
    """Yield the blocks of each list and the line that introduces it together, if a passage can hold them, others singly."""
    lead: list[_Block] = []
    for listed, run in groupby(blocks, key=lambda b: b.headings if begins_item(text, b.start) else None):
        own = list(run)
        if listed is None:
            yield from ([b] for b in [*lead, *own[:-1]])
            lead = own[-1:]
            continue
        introduced = bool(lead) and lead[0].keep_with_next and lead[0].headings == listed
        whole = [*lead, *own] if introduced else own
        if lead and not introduced:
            yield lead
        fits = weight(text[whole[0].start : whole[-1].end]) <= MAX_WEIGHT
        yield from [whole] if fits else ([b] for b in whole)
        lead = []
    if lead:
        yield lead


def _blocks(text: str) -> list[_Block]:
    """Scan the lines of a text into blocks no heavier than a passage, with the heading path of each."""
    blocks: list[_Block] = []
    path: list[tuple[int, str]] = []
    lines = _lines(text)
    paragraph: list[Span] = []
    fence = ""

    def headings() -> tuple[str, ...]:
        return tuple(h for _, h in path)

    def close() -> None:
        if paragraph:
            blocks.extend(_paragraph_blocks(text, paragraph, headings()))
            paragraph.clear()

    for number, (start, end) in enumerate(lines):
        line = text[start:end]
        before, fence = fence, open_fence(line, fence)
        if fence != before:
            close()
            continue
        if fence:
            if line.strip():
                blocks.extend(_split_block(text, [trimmed(text, start, end)], headings()))
            continue
        heading = _HEADING.match(line)
        underlined = number > 0 and len(paragraph) == 1 and paragraph[0] == lines[number - 1] and _SETEXT.match(line)
        if heading or underlined:
            if underlined:
                title = text[slice(*paragraph.pop())].strip()
                level = 1 if "=" in line else 2
            else:
                assert heading is not None
                title, level = heading.group(2).rstrip(" \t#").strip(), len(heading.group(1))
            close()
            while path and path[-1][0] >= level:
                path.pop()
            if title:
                path.append((level, title))
        elif not line.strip() or _RULE.match(line):
            close()
        elif "|" in line and RULE.match(line):
            continue
        elif _ROW.match(line):
            close()
            blocks.extend(_split_block(text, [trimmed(text, start, end)], headings()))
        else:
            if _FIRST_ITEM.match(line) or (_ITEM.match(line) and _may_be_list(text, paragraph)):
                close()
            paragraph.append((start, end))
    close()
    return blocks


def _paragraph_blocks(text: str, lines: list[Span], headings: tuple[str, ...]) -> list[_Block]:
    """Turn the lines of one paragraph or list item into blocks, joining lines that were merely wrapped."""
    widest = max(end - start for start, end in lines)
    sentences: list[Span] = []
    first = lines[0][0]
    for (start, end), following in zip(lines, [*lines[1:], None], strict=True):
        if following and _is_wrapped(text, start, end, following, widest):
            continue
        item = _ITEM.match(text, first, end) if first == lines[0][0] else None
        sentences.extend(sentence_spans(text, item.end() if item else first, end))
        first = following[0] if following else end
    return _split_block(text, sentences, headings)


def _may_be_list(text: str, paragraph: list[Span]) -> bool:
    """Tell whether an item may follow these lines: after none, an item, or a line that introduces a list."""
    if not paragraph:
        return True
    first, last = (text[slice(*paragraph[k])] for k in (0, -1))
    return bool(_ITEM.match(first)) or last.rstrip().endswith(":")


def _is_wrapped(text: str, start: int, end: int, following: Span, widest: int) -> bool:
    """Tell a soft wrap from a line break that was meant: the next word would not have fitted on the line."""
    words = text[slice(*following)].split(maxsplit=1)
    return bool(words) and (end - start) + 1 + len(words[0]) > widest and widest > 40


def _split_block(text: str, sentences: list[Span], headings: tuple[str, ...]) -> list[_Block]:
    """Cut sentences into blocks of at most `MAX_WEIGHT`; a longer sentence is cut at spaces."""
    blocks: list[_Block] = []
    total = 0
    for sentence in sentences:
        for span in _cut_long(text, sentence):
            size = weight(text[slice(*span)])
            if not blocks or total + size > MAX_WEIGHT:
                blocks.append(_Block(headings, []))
                total = 0
            blocks[-1].sentences.append(span)
            total += size
    if blocks:
        last = blocks[-1].sentences[-1]
        blocks[-1].keep_with_next = text[last[1] - 1] == ":"
    return blocks


def _cut_long(text: str, span: Span) -> list[Span]:
    """Cut a span at white space, or inside a word that is itself too long, so that each piece fits a passage."""
    pieces: list[Span] = []
    start, total = span[0], 0
    for match in _PIECE.finditer(text, *span):
        size = weight(match.group())
        while total + size > MAX_WEIGHT:
            space = max(text.rfind(mark, start + 1, match.start() + 1) for mark in " \n\t")
            cut = space if space > start else match.start()
            piece = trimmed(text, start, cut)
            if piece[0] < piece[1]:
                pieces.append(piece)
            start, _ = trimmed(text, cut, span[1])
            total = weight(text[start : match.start()])
        total += size
    if start < span[1]:
        pieces.append((start, span[1]))
    return pieces


def _lines(text: str) -> list[Span]:
    """Return the lines of a text as spans without their line ends."""
    spans: list[Span] = []
    start = 0
    for line in text.splitlines(keepends=True):
        spans.append((start, start + len(line.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"))))
        start += len(line)
    return spans
