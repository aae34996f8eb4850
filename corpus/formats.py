"""Files that hold one document: read the bytes of each format into text and what is known of its source.

Libraries are imported by the function that needs them: a question asked in a terminal must not wait for any.
"""

import codecs
import csv
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from corpus.errors import RefusedDocument
from corpus.hidden import drop_hidden
from corpus.page_tables import write_tables
from corpus.pdf import shown_text
from corpus.plain_yaml import parsed_yaml
from corpus.stated import stated_date
from corpus.tables import merged, row_sentence, table_sentences, without_tables
from corpus.word import Looks

_MOST_ENTRIES, _MOST_UNPACKED, _MOST_RATIO = 1000, 100_000_000, 100
"""Of a packed file: more would be a bomb, not a document."""
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?=[\w-]+[ \t]*:)(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.M)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S[^\r\n]*)", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a]")
_NOT_XML = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]"
    r"|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,40})""", re.IGNORECASE)
_UNSEEN = frozenset("script style template noscript nav footer form button select svg iframe object dialog".split())
_INLINE = frozenset("b strong i em u mark small sub sup code kbd font".split())


@dataclass(frozen=True, slots=True)
class Content:
    """The text of one file, and its source as far as the file names it; `pages` are the offsets where its pages begin."""

    text: str
    title: str | None = None
    publisher: str | None = None
    url: str | None = None
    date: str | None = None
    kind: str = "document"
    pages: tuple[int, ...] = ()


def decoded(data: bytes, declared: str | None = None) -> str:
    """Decode text: UTF-8, else the declared or detected encoding. Raises RefusedDocument for what is no text."""
    text = _utf8(data)
    if text is None and declared:
        try:
            text = data.decode(declared)
        except (LookupError, UnicodeDecodeError):
            text = None
    if text is None or _is_binary(text):
        from charset_normalizer import from_bytes

        # Western European is by far the commonest old encoding, and a detector cannot tell it from its cousins.
        guesses = (from_bytes(data, cp_isolation=wanted).best() for wanted in (["cp1252"], None))
        text = next((str(g) for g in guesses if g and not _is_binary(str(g))), None)
    if text is None or _is_binary(text):
        raise RefusedDocument("it is not text in a known encoding: save it as UTF-8")
    return text


def _utf8(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _is_binary(text: str) -> bool:
    """Tell text from bytes that merely happen to decode: text has hardly any control characters."""
    sample = text[:20_000]
    return len(_CONTROL.findall(sample)) > max(4, len(sample) // 10)


def read_markdown(data: bytes) -> Content:
    """Read Markdown, its tables as sentences; front matter, which is cut off, may name title, publisher, url, date and kind."""
    text = decoded(data)
    named: dict[str, str] = {}
    match = _FRONT_MATTER.match(text)
    if match:
        try:
            fields = parsed_yaml(match.group(1))
        except yaml.YAMLError as error:
            raise RefusedDocument("its front matter is not valid YAML") from error
        if isinstance(fields, dict):
            text = text[match.end() :]
            plain = {k: v for k, v in fields.items() if v is not None and not isinstance(v, list | dict)}
            named = {str(k): str(v) for k, v in plain.items()}
    heading = _HEADING.search(text)
    return Content(
        without_tables(text),
        named.get("title") or (heading.group(1).rstrip(" \t#") if heading else None),
        named.get("publisher"),
        named.get("url"),
        named.get("date"),
        "article" if named.get("kind") == "article" else "document",
    )


def read_plain(data: bytes) -> Content:
    """Read a text file as it is."""
    return Content(decoded(data))


def read_csv(data: bytes) -> Content:
    """Read a table: each row becomes a paragraph "Column: value; Column: value." that stands by itself."""
    text = decoded(data).replace("\0", "\ufffd")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    dialect.doublequote = True
    rows = (row for row in csv.reader(io.StringIO(text, newline=""), dialect) if any(cell.strip() for cell in row))
    header = next(rows, [])
    return Content("\n\n".join(filter(None, (row_sentence(header, row) for row in rows))))


def read_html(data: bytes) -> Content:
    """Read the main text of a web page as Markdown, without menus, footers and what a browser does not show."""
    import trafilatura
    from lxml import html

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    declared = _CHARSET.search(data[:4096])
    # A single control character, as it is or as a reference, would make the libraries refuse the whole page.
    page = _NOT_XML.sub("\ufffd", decoded(data, declared.group(1).decode("ascii") if declared else None))
    tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    drop_hidden(tree)
    meta, date = trafilatura.extract_metadata(tree, extensive=False), stated_date(tree)
    for element in list(tree.iter()):
        if element.getparent() is None:
            continue
        if _is_unseen(element):
            element.drop_tree()
        elif element.tag in _INLINE:
            # A quotation must not show "**"; and a power must not become a longer number.
            if element.tag == "sup" and (element.text or "").isdigit() and not element.xpath("ancestor::a"):
                element.text = f"^{element.text}"
            element.drop_tag()
    write_tables(tree)
    text = trafilatura.extract(
        tree, output_format="markdown", include_comments=False, include_tables=True, favor_recall=True
    )
    if not text:
        text = trafilatura.html2txt(tree)
    return Content(text or "", meta.title, meta.sitename or meta.author, meta.url, date)


def _is_unseen(element: Any) -> bool:
    if not isinstance(element.tag, str):
        return True
    return (
        element.tag in _UNSEEN
        or (element.tag == "sup" and element.find("a") is not None)
        or "hidden" in element.attrib
        or element.get("aria-hidden") == "true"
    )


def read_pdf(data: bytes) -> Content:
    """Read the text of a PDF page by page, as it is seen; a sentence that runs over a page's end stays whole."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        try:
            unlocked = bool(reader.decrypt(""))
        except DependencyError:
            unlocked = False
        if not unlocked:
            raise RefusedDocument("it is encrypted: save a copy without the password")
    text, pages = "", []
    for page in reader.pages:
        part = shown_text(page).strip()
        runs_on = text and part and text[-1] not in '.!?:"”' and part[0].islower()
        text += "\n" if runs_on else "\n\n" if text and part else ""
        pages.append(len(text))
        text += part
    if not text:
        raise RefusedDocument("it holds no text: it may be a scan")
    return Content(
        text,
        _told(lambda: reader.metadata and reader.metadata.title),
        _told(lambda: reader.metadata and reader.metadata.author),
        date=_told(lambda: reader.metadata and reader.metadata.creation_date and reader.metadata.creation_date.date()),
        pages=tuple(pages),
    )


def _told(read: Callable[[], object]) -> str | None:
    """Return what a PDF says of itself; where that is damaged its text is still good."""
    try:
        found = read()
    except Exception:
        return None
    return str(found) if found else None


def read_docx(data: bytes) -> Content:
    """Read a Word document: headings as '# ' lines, list items as '- ' lines, the rows of tables as sentences."""
    from docx import Document as open_docx
    from docx.table import Table

    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise RefusedDocument("it is encrypted or in Word's old format: save a plain .docx copy")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        _check_packed(packed.infolist(), len(data))
    word = open_docx(io.BytesIO(data))
    looks = Looks(word.styles.element)
    blocks: list[str] = []
    for block in word.iter_inner_content():
        if isinstance(block, Table):
            blocks.append(_word_table([_cells(row.cells, looks) for row in block.rows]))
            continue
        line = looks.shown_text(block._p)
        if not line:
            continue
        style = (block.style.name or "") if block.style else ""
        level = re.fullmatch(r"(?:Heading|heading) ([1-6])", style)
        if level or style == "Title":
            blocks.append(f"{'#' * int(level.group(1) if level else 1)} {' '.join(line.split())}")
        elif style.startswith("List") and (style != "List Paragraph" or block._p.xpath("./w:pPr/w:numPr")):
            blocks.append(f"- {line}")
        else:
            blocks.append(line)
    core = word.core_properties
    date = core.modified or core.created
    heading = _HEADING.search("\n\n".join(blocks))
    return Content(
        "\n\n".join(blocks),
        core.title or (heading.group(1).rstrip(" \t#") if heading else None),
        core.author or None,
        date=date.date().isoformat() if date else None,
    )


def _check_packed(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    """Refuse a packed file by what it says of itself, before anything is unpacked."""
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _MOST_ENTRIES:
        raise RefusedDocument(f"it packs more than {_MOST_ENTRIES:,} files")
    if unpacked > _MOST_UNPACKED:
        raise RefusedDocument("it unpacks to more than 100 MB")
    if unpacked > _MOST_RATIO * size:
        raise RefusedDocument("it unpacks to more than a hundred times its size")


def _cells(cells: Iterable[Any], looks: Looks) -> list[str | None]:
    """Return the cells of a row by column; what is merged stands once, and goes on."""
    texts = ((id(c._tc), " ".join(" ".join(looks.shown_text(p._p) for p in c.paragraphs).split())) for c in cells)
    return merged(list(texts))


def _word_table(rows: list[list[str | None]]) -> str:
    """Write a table of Word as paragraphs. Nothing tells there whether the first row names the columns.

    Of three columns and more it does; of two, the first of each row names the second; a frame has but one.
    """
    columns = max(map(len, rows), default=0)
    if columns > 2 and len(rows) > 1:
        return table_sentences(rows)
    return "\n\n".join(filter(None, map(_labelled, rows)))


def _labelled(row: list[str | None]) -> str:
    return row_sentence(["", row[0]], ["", *row[1:]]) if any(row[1:2]) else row_sentence((), row)


READERS: dict[str, Callable[[bytes], Content]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
