"""Tables within texts: each row becomes a sentence that names its columns and stands by itself."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_MOST_CELLS = 1000
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_BAR = re.compile(r"(?<!\\)\|")


def row_sentence(header: Sequence[str], row: Sequence[str]) -> str:
    """Write a table row as a sentence; a single cell beside a header of several runs across the table.

    >>> row_sentence(["Country", "AI models"], ["China", "15"])
    'Country: China; AI models: 15.'
    """
    named = header if len(row) > 1 or len(header) < 2 else ()
    cells = ((" ".join(a.split()), " ".join(b.split())) for a, b in zip_longest(named, row[:_MOST_CELLS], fillvalue=""))
    sentence = "; ".join(f"{column}: {value}" if column else value for column, value in cells if value)
    return sentence if sentence.endswith((".", "!", "?")) or not sentence else f"{sentence}."


def table_sentences(rows: Sequence[Sequence[str]]) -> str:
    """Write a table, whose first row names the columns, as a paragraph a row.

    A blank line parts them, so that none is taken for the wrapped continuation of the one before. A table of one row
    names nothing: it stays as it is.
    """
    if len(rows) < 2:
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join(filter(None, (row_sentence(rows[0], row) for row in rows[1:])))


def without_tables(text: str) -> str:
    """Write the tables of a Markdown text as sentences (GitHub Flavored Markdown, section 4.10); the rest stays.

    >>> print(without_tables("Catch:\\n\\n| Fish | 2012 | 2022 |\\n|---|--:|--:|\\n| Cod | 9 | 21 |\\n| Ling | 4 | 3 |\\n\\nAll in tonnes."))
    Catch:
    <BLANKLINE>
    Fish: Cod; 2012: 9; 2022: 21.
    <BLANKLINE>
    Fish: Ling; 2012: 4; 2022: 3.
    <BLANKLINE>
    All in tonnes.
    """
    if "|" not in text:
        return text
    return "".join(_written(text.splitlines(keepends=True)))


def _written(lines: Sequence[str]) -> Iterator[str]:
    fenced, number = False, 0
    while number < len(lines):
        line = lines[number]
        fenced ^= bool(_FENCE.match(line))
        end = _end(lines, number) if not fenced else number
        if end == number:
            yield line
            number += 1
            continue
        rows = [_cells(lines[i]) for i in range(number, end) if i != number + 1]
        before = lines[number - 1].strip() if number else ""
        yield ("\n" if before else "") + table_sentences(rows) + "\n"
        if end < len(lines) and lines[end].strip():
            yield "\n"
        number = end


def _end(lines: Sequence[str], first: int) -> int:
    """Return where the table ends that begins with a header at a line: at that line if none does."""
    if first + 2 >= len(lines) or "|" not in lines[first] or "|" not in lines[first + 1]:
        return first
    if not _RULE.fullmatch(lines[first + 1].rstrip("\r\n")):
        return first
    if len(_cells(lines[first])) != len(_cells(lines[first + 1])):
        return first
    end = first + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end if end > first + 2 else first


def _cells(line: str) -> list[str]:
    cells = [c.strip().replace("\\|", "|") for c in _BAR.split(line.strip())]
    bare = line.strip()
    return cells[
        bare.startswith("|") : len(cells) - (len(cells) > 1 and bare.endswith("|") and not bare.endswith("\\|"))
    ]
