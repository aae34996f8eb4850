"""Tables within texts: each row becomes a sentence that names its columns and stands by itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, zip_longest

Cells = Sequence[str | None]
"""The cells of a row by column; None where the cell to the left goes on."""

_FENCE = re.compile(r"[ \t]*(?:```+[^`]*|~~~+[^~]*)$")
RULE = re.compile(r"[ \t]*+\|?[ \t]*+:?-+:?[ \t]*+(?:\|[ \t]*+:?-+:?[ \t]*+)*+\|?[ \t]*+$")
_MOST_CELLS, _MOST_NAME = 200, 100
_BAR = re.compile(r"(?<!\\)\|")
# What ends a table that has no bar at the beginning of its lines, and what is code by its indentation.
_OTHER = re.compile(r"[ \t]*(?:#{1,6}[ \t]|>|[-*+•][ \t]|\d+[.)][ \t])")
_CODE = re.compile(r" {4}|\t")
_ROW = re.compile(r"[^\n:;]{1,100}: [^\n;]{1,300}; [^\n:;]{1,100}: ")


def begins_with_row(text: str) -> bool:
    """Tell whether a text begins with a row that is written as a sentence, as that of a CSV file does.

    >>> begins_with_row("Country: China; AI models: 15."), begins_with_row("China: a report")
    (True, False)
    """
    return bool(_ROW.match(text))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row that is written as a sentence, `sentence[start:end]`; its value stands from `begins` on."""

    name: str
    value: str
    start: int
    begins: int
    end: int


def row_cells(sentence: str) -> list[Cell]:
    """Return the cells of a row that is written as a sentence.

    >>> [(c.name, c.value) for c in row_cells("Fish: Cod; Note: rare; old; 2022: 9.")]
    [('Fish', 'Cod'), ('Note', 'rare; old'), ('2022', '9')]
    """
    cells: list[Cell] = []
    start = 0
    if begins_with_row(sentence):
        for part in sentence.split("; "):
            name, mark, _ = part.partition(": ")
            end = start + len(part.rstrip("."))
            if mark:
                begins = start + len(name) + len(mark)
                cells.append(Cell(name, sentence[begins:end], start, begins, end))
            elif cells:
                # The value itself holds a semicolon.
                cells[-1] = replace(cells[-1], value=sentence[cells[-1].begins : end], end=end)
            start += len(part) + 2
    return cells


def row_sentence(names: Cells, row: Cells) -> str:
    """Write a table row as a sentence; a cell that runs across all columns has no name.

    >>> row_sentence(["Country", "AI models"], ["China", "15"])
    'Country: China; AI models: 15.'
    >>> row_sentence(["Fish", "2012", "2022"], ["Cod", "not counted", None])
    'Fish: Cod; 2012, 2022: not counted.'
    """
    parts, row = [], row[:_MOST_CELLS]
    for place, cell in enumerate(row):
        value = " ".join((cell or "").split())
        if value:
            end = next((i for i in range(place + 1, len(row)) if row[i] is not None), len(row))
            whole = end - place == len(row) > 1
            own = "" if whole else ", ".join(dict.fromkeys(filter(None, map(_name, names[place:end]))))
            parts.append(f"{own}: {value}" if own else value)
    sentence = "; ".join(parts)
    return sentence if sentence.endswith((".", "!", "?")) or not sentence else f"{sentence}."


def _name(cell: str | None) -> str:
    return " ".join((cell or "").split())[:_MOST_NAME].rstrip(" :")


def table_sentences(rows: Sequence[Cells], headers: int = 1) -> str:
    """Write a table as a paragraph a row; its first rows, so many as there are `headers`, name the columns.

    What runs across all columns above them is its title, a paragraph of its own. A blank line parts the paragraphs, so
    that none is taken for the wrapped continuation of the one before.
    """
    rows = [r for r in rows if any(r)]
    titles = []
    while rows and len(rows[0]) > 1 and not any(rows[0][1:]):
        titles.append(row_sentence((), rows.pop(0)[:1]))
    names = _names(rows[:headers])
    return "\n\n".join([*titles, *(row_sentence(names, row) for row in rows[headers:])])


def _names(rows: Sequence[Cells]) -> list[str]:
    """Return the name of each column, from the top down where there are several rows of them: "Catch 2022"."""
    # A cell that goes on names all of its columns.
    filled: list[Iterator[str | None]] = [accumulate(row[:_MOST_CELLS], _going_on) for row in rows]
    return [" ".join(dict.fromkeys(filter(None, map(_name, column)))) for column in zip_longest(*filled)]


def _going_on(left: str | None, cell: str | None) -> str | None:
    return left if cell is None else cell


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
    return "".join(_written(re.split(r"(?<=\n)", text)))


def open_fence(line: str, fence: str) -> str:
    """Return the mark of the block of code that is open behind a line, before which `fence` was: "" for none."""
    mark = line.strip()[:3] if _FENCE.match(line.rstrip("\r\n")) else ""
    if not mark or fence not in ("", mark):
        return fence
    return "" if fence else mark


def _written(lines: Sequence[str]) -> Iterator[str]:
    fence, number = "", 0
    while number < len(lines):
        line = lines[number]
        fence = open_fence(line, fence)
        end = _end(lines, number) if not fence else number
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
    if _CODE.match(lines[first]) or not RULE.match(lines[first + 1].rstrip("\r\n")):
        return first
    if len(_cells(lines[first])) != len(_cells(lines[first + 1])):
        return first
    barred = lines[first].lstrip().startswith("|")
    end = first + 2
    while end < len(lines) and "|" in lines[end]:
        if not lines[end].lstrip().startswith("|") if barred else _OTHER.match(lines[end]):
            break
        end += 1
    return end if end > first + 2 else first


def _cells(line: str) -> list[str]:
    cells = [c.strip().replace("\\|", "|") for c in _BAR.split(line.strip())]
    # A bar at either end of the line leaves nothing beyond it.
    return cells[not cells[0] : len(cells) - (not cells[-1])]


def merged(row: Sequence[tuple[object, str]]) -> list[str | None]:
    """Return a row of (cell, text) by column with None where the same cell goes on."""
    return [t for _, run in groupby(row, key=lambda c: c[0]) for t in (next(run)[1], *(None for _ in run))]
