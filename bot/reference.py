"""A citation as people paste it elsewhere: a quote in Markdown with its source, an entry for BibTeX."""

import re

from bot.answer import Citation


def quoted(citation: Citation) -> str:
    """Return the quote with its source, as Markdown.

    >>> print(quoted(Citation(1, "a", "On rain", "Rain Office", "https://x.org/", "2031", "It\\nrains.", 0, 9)))
    > It rains.
    >
    > — Rain Office, “On rain”, 2031, <https://x.org/>
    """
    page = f"p. {citation.page}" if citation.page else None
    where = [citation.publisher, f"“{citation.title}”", page, citation.date]
    parts = [" ".join(p.split()) for p in where if p]
    if _address(citation):
        parts.append(f"<{citation.url}>")
    return f"> {' '.join(citation.quote.split())}\n>\n> — {', '.join(parts)}"


def bibtex(citation: Citation) -> str:
    """Return an entry for the source, named after its id."""
    year = (citation.date or "")[:4]
    fields = {
        "title": citation.title, "publisher": citation.publisher, "year": year if year.isdigit() else None,
        "date": citation.date, "url": _address(citation),
    }  # fmt: skip
    lines = [f"  {name} = {{{_escaped(value)}}}" for name, value in fields.items() if value]
    key = re.sub(r"[^A-Za-z0-9-]+", "-", citation.document).strip("-") or "source"
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}"


def _address(citation: Citation) -> str | None:
    return citation.url if citation.url and re.fullmatch(r"https?://[^\s<>]+", citation.url) else None


def _escaped(text: str) -> str:
    return re.sub(r"([{}%&$#_\\])", lambda m: "/" if m.group() == "\\" else f"\\{m.group()}", " ".join(text.split()))
