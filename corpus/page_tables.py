"""Tables of web pages: written out as paragraphs before the text of the page is taken."""

from typing import Any

from corpus.tables import row_sentence, table_sentences

_MOST_SPAN, _MOST_ROWS = 100, 5000
_BLOCKS = frozenset("table div ul ol dl h1 h2 h3 h4 h5 h6 blockquote pre form".split())


def write_tables(tree: Any) -> None:
    """Put paragraphs in the place of each table of an lxml tree whose cells say which of them name the others.

    Those that hold whole blocks lay out a page, and those without a heading cell name nothing: they stay.
    """
    from lxml.html import builder

    for table in list(tree.iter("table")):
        written = _written(table)
        if written:
            paragraphs = builder.DIV(*(builder.P(text) for text in written.split("\n\n")))
            paragraphs.tail = table.tail
            table.getparent().replace(table, paragraphs)


def _written(table: Any) -> str:
    rows = [row for row in table.iter("tr") if row.xpath("./th|./td")][:_MOST_ROWS]
    if not rows or any(e.tag in _BLOCKS for row in rows for e in row.iterdescendants()):
        return ""
    titled = [row for row in rows if len(row.xpath("./th|./td")) > 1]
    headers = next((i for i, row in enumerate(titled) if row.xpath("./td")), len(titled))
    if headers == len(titled):
        return ""
    caption = " ".join("".join(table.xpath("./caption//text()")).split())
    grid = _grid(rows)
    if headers:
        written = table_sentences(grid, headers)
    elif all(len(row.xpath("./th")) == 1 and row[0].tag == "th" for row in titled):
        # An infobox: the first cell of each row names the others.
        written = "\n\n".join(
            row_sentence(["", *[row[0]] * (len(row) - 1)], ["", *row[1:]] if any(row[1:]) else row) for row in grid
        )
    else:
        return ""
    return f"{caption}\n\n{written}" if caption else written


def _grid(rows: list[Any]) -> list[list[str | None]]:
    """Return the cells by column: one that spans columns stands once and goes on, one that spans rows stands in each."""
    grid: list[dict[int, str | None]] = [{} for _ in rows]
    for number, row in enumerate(rows):
        column = 0
        for cell in row.xpath("./th|./td"):
            while column in grid[number]:
                column += 1
            text, across = " ".join(cell.text_content().split()), _span(cell, "colspan")
            for below in grid[number : number + _span(cell, "rowspan")]:
                below |= {column: text, **dict.fromkeys(range(column + 1, column + across))}
            column += across
    return [[cells.get(i, "") for i in range(max(cells, default=-1) + 1)] for cells in grid]


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return max(1, min(_MOST_SPAN, int(value))) if value.isdigit() and len(value) < 6 else 1
