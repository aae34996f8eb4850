"""What people said of answers, kept on this machine alone: a list for the corpus's keeper, and rows for `gapbot eval`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from bot.answer import MAX_QUESTION, Status
from bot.journal import Journal
from corpus.documents import Document
from corpus.errors import GapbotError, UsageError
from corpus.sentences import sentence_spans

MAX_COMMENT = 2_000
"""The longest comment in characters."""
MAX_PASSAGE = 4_000
"""The longest quote or passage in characters."""

_Offset = Annotated[int, Field(ge=0, le=10**9, strict=True)]
_Asked = Annotated[str, Field(max_length=MAX_QUESTION)]


@dataclass(frozen=True, slots=True)
class Slice:
    """`quote` is `document text[start:end]`; of the right passage it is read from the source, whatever was sent."""

    document: Annotated[str, Field(min_length=1, max_length=1_000)]
    start: _Offset
    end: _Offset
    quote: Annotated[str, Field(max_length=MAX_PASSAGE)] = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A judgement of one answer, which is told along with it, since the next index may answer otherwise.

    `right_passage` is where the answer stands. A later judgement with the same `id` takes the place of the former.
    """

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION)]
    status: Status
    rating: Literal["up", "down"]
    text: Annotated[str, Field(max_length=20_000)]
    history: Annotated[tuple[_Asked, ...], Field(max_length=50)] = ()
    read_as: _Asked | None = None
    short: Annotated[str, Field(max_length=2_000)] | None = None
    citations: Annotated[tuple[Slice, ...], Field(max_length=50)] = ()
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] | None = None
    right_passage: Slice | None = None
    generation: Annotated[str, Field(max_length=200)] = ""
    id: Annotated[str, Field(max_length=100)] | None = None


_feedback = TypeAdapter(Feedback)


class FeedbackLog:
    """A file of judgements that never grows beyond some megabytes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._journal = Journal(file)

    def keep(self, feedback: Feedback, source: Callable[[str], Document | None]) -> None:
        """Keep a judgement; `source` gives a document by id.

        Raises UsageError for a right passage that the sources do not hold, GapbotError where nothing can be written.
        """
        right = feedback.right_passage
        if right:
            feedback = replace(feedback, right_passage=_read_from_source(right, source(right.document)))
        try:
            self._journal.append(asdict(feedback))
        except OSError as error:
            raise GapbotError(
                f"the feedback could not be written to {self._file}: {error.strerror}; see that the folder can be written"
            ) from error

    def read(self) -> list[tuple[str, Feedback]]:
        """Return every judgement with its time (ISO 8601, UTC), oldest first, and those taken back left out."""
        found: dict[object, tuple[str, Feedback]] = {}
        for number, row in enumerate(self._journal.rows()):
            time = row.pop("time")
            try:
                feedback = _feedback.validate_python(row)
            except ValidationError:
                continue  # of another version, or written by hand
            key = feedback.id or number
            found.pop(key, None)
            found[key] = (time, feedback)
        return list(found.values())

    def clear(self) -> None:
        """Forget all judgements."""
        self._journal.clear()


def _read_from_source(right: Slice, document: Document | None) -> Slice:
    quote = document.text[right.start : right.end] if document else ""
    if len(quote) != right.end - right.start or not quote.strip() or len(quote) > MAX_PASSAGE:
        raise UsageError(
            "right_passage: name a document of this index and a part of its text by start and end, "
            f"at most {MAX_PASSAGE:,} characters long"
        )
    return replace(right, quote=quote)


def eval_rows(judged: Iterable[Feedback]) -> tuple[list[dict[str, Any]], int]:
    """Turn judgements into rows that `gapbot eval` reads, the newest for each question; also count those that give none.

    What is known to be right becomes a row: an answer or a refusal that was found good, and the passage named as the
    right one. A bad answer alone does not tell what a good one would be.
    """
    newest: dict[tuple[str, ...], Feedback] = {}
    for feedback in judged:
        asked = tuple(
            " ".join(text.casefold().split()).strip(" ?!.") for text in (*feedback.history, feedback.question)
        )
        newest.pop(asked, None)
        newest[asked] = feedback
    rows = [row for number, f in enumerate(newest.values(), 1) if (row := _eval_row(f, f"feedback-{number}"))]
    return rows, len(newest) - len(rows)


def _eval_row(feedback: Feedback, name: str) -> dict[str, Any] | None:
    row: dict[str, Any] = {
        "id": name, "kind": "feedback", "question": feedback.question, "history": list(feedback.history),
        "gold": [], "evidence": [], "answerable": True,
    }  # fmt: skip
    good = feedback.rating == "up"
    if feedback.right_passage:
        # An answer quotes sentences: any of the passage's will do.
        return row | {"evidence": [_any_sentence(feedback.right_passage.quote)]}
    if good and feedback.status == "answered":
        gold = [re.escape(feedback.short)] if feedback.short else []
        return row | {"gold": gold, "evidence": [re.escape(q) for q in _said(feedback.short, feedback.citations)]}
    if good and feedback.status == "ambiguous":
        return row | {"kind": "ambiguous"}
    if good and feedback.status in ("near_miss", "not_in_corpus"):
        return row | {"kind": "feedback-refused", "answerable": False}
    return None


def _said(short: str | None, citations: Sequence[Slice]) -> list[str]:
    """Return the quote that states the short answer, else the first: what is cited beside it may change with the corpus."""
    quotes = [c.quote for c in citations if c.quote.strip()]
    return sorted(quotes, key=lambda q: not (short and short in q))[:1]


def _any_sentence(passage: str) -> str:
    return "|".join(re.escape(passage[a:b]) for a, b in sentence_spans(passage))
