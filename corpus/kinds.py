"""Whether a file is what its name says: its first bytes against its suffix. A browser names the files that it sends."""

import io
import re
import zipfile

from corpus.errors import RefusedDocument

_SIGNATURES = (
    (b"%PDF-", "a PDF"), (b"PK\x03\x04", "a packed file"), (b"PK\x05\x06", "a packed file"),
    (b"\xd0\xcf\x11\xe0", "an encrypted or old office file"), (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"), (b"\x1f\x8b", "a packed file"), (b"7z\xbc\xaf", "a packed file"), (b"Rar!", "a packed file"),
    (b"\x7fELF", "a program"), (b"MZ\x90", "a program"), (b"SQLite format 3\0", "a database"), (b"{\\rtf", "an RTF file"),
)  # fmt: skip
_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html)[\s>]", re.I | re.S)
_TAG = re.compile(rb"<[a-z!/][^<>]*>", re.I)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 4096


def check_kind(suffix: str, data: bytes) -> None:
    """Raise RefusedDocument, with what a file holds instead, where its content does not match its suffix.

    >>> check_kind(".pdf", b"<html>")
    Traceback (most recent call last):
    corpus.errors.RefusedDocument: it is called .pdf and holds a web page: give it the suffix of what it is
    """
    found = _holds(data)
    head = data[:_LOOKED_AT]
    fits = {
        ".pdf": b"%PDF-" in data[:1024],
        ".docx": found == "a Word file" or found == "an encrypted or old office file",  # its reader says more of it
        ".html": found == "a web page" or (found == "text" and (bool(_TAG.search(head)) or head.startswith(_UTF16))),
    }
    if not fits.get(".html" if suffix == ".htm" else suffix, found == "text" or _is_markdown(suffix, found)):
        raise RefusedDocument(f"it is called {suffix} and holds {found}: give it the suffix of what it is")


def _is_markdown(suffix: str, found: str) -> bool:
    return suffix in (".md", ".markdown") and found == "a web page"  # Markdown may hold any HTML


def _holds(data: bytes) -> str:
    """Name what a file holds, in words that follow “holds”."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return "a Word file" if signature == b"PK\x03\x04" and _is_word(data) else name
    bare = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    if _PAGE.match(bare):
        return "a web page"
    # Two bytes a character hold many zeros; other text holds none.
    return "no text" if b"\0" in bare and not data.startswith(_UTF16) and not _is_wide(bare) else "text"


def _is_wide(head: bytes) -> bool:
    """Tell UTF-16 without a mark at its beginning: every other byte of Latin text is zero, and no two in a row."""
    return head.count(b"\0") > len(head) // 4 and b"\0\0" not in head


def _is_word(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return "word/document.xml" in packed.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        return False
