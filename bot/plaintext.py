"""An answer as one plain text, for clients that show nothing else: before it how it was read, after it the sources."""

from bot.answer import Answer, Citation


def plain_text(answer: Answer) -> str:
    """Return all that an answer says, its sources numbered as its markers are."""
    return before(answer) + answer.text + after(answer)


def before(answer: Answer) -> str:
    """Return what stands before the text of an answer: known with its first sentence."""
    return f"I read this as: {answer.read_as}\n\n" if answer.read_as else ""


def after(answer: Answer) -> str:
    """Return what stands after the text of an answer: known when it is whole."""
    parts = [answer.notice] if answer.notice else []
    if answer.citations:
        parts.append("\n".join(["Sources:", *(f"[{c.marker}] {_source(c)}" for c in answer.citations)]))
    if answer.closest:
        quotes = (f"- “{' '.join(c.quote.split())}” ({_source(c)})" for c in answer.closest)
        parts.append("\n".join(["Closest passages, which do not answer the question:", *quotes]))
    if answer.choices:
        parts.append("\n".join(["You can ask:", *(f"- {choice}" for choice in answer.choices)]))
    return "".join(f"\n\n{part}" for part in parts)


def _source(citation: Citation) -> str:
    parts = (citation.title, citation.publisher, citation.date, citation.url)
    return " · ".join(p for p in parts if p)
