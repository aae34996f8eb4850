"""What gapbot says: an answer with its citations, as every surface shows it and as JSON carries it."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from corpus.errors import UsageError

MAX_QUESTION = 8_000
"""The longest question in characters that is answered."""
Status = Literal["answered", "near_miss", "not_in_corpus", "ambiguous", "chat"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A quoted slice of a source: `quote == document_text[start:end]`, always.

    `kind` is "article", "fact" or "document"; `note` is what the corpus records about the quoted figure, `page` the
    page of a PDF. `hash` is the document's `content_hash`, by which a kept answer tells that its source has changed.
    """

    marker: int
    document: str
    title: str
    publisher: str | None
    url: str | None
    date: str | None
    quote: str
    start: int
    end: int
    kind: str = "document"
    headings: tuple[str, ...] = ()
    note: str | None = None
    page: int | None = None
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the differing figures of a conflict, with the marker of the citation that states it."""

    value: str
    date: str | None
    marker: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that give different figures for the same thing."""

    subject: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that an LLM was sent and wrote for one answer; `estimated` where its server did not count them."""

    sent: int
    received: int
    estimated: bool

    def plus(self, other: "Tokens | None") -> "Tokens":
        """Return the sum with another count, if there is one."""
        if other is None:
            return self
        return Tokens(self.sent + other.sent, self.received + other.received, self.estimated or other.estimated)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Every `[n]` in `text` has a citation with marker n, and every citation has its marker in `text`.

    `choices` are questions offered instead of an answer: the readings of an ambiguous question, or starter
    questions in small talk. `closest` is shown only as the closest passages, never as an answer.
    """

    question: str
    status: Status
    text: str
    read_as: str | None = None
    short: str | None = None
    citations: tuple[Citation, ...] = ()
    closest: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    choices: tuple[str, ...] = ()
    confidence: float = 0.0
    answered_by: str = "extractive"
    notice: str | None = None
    tokens: Tokens | None = None
    generation: str = ""
    milliseconds: float = 0.0
    id: str | int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as the JSON contract has it."""
        row = {"id": self.id, **asdict(replace(self, id=None))}
        row["id"] = self.id
        row["confidence"] = round(self.confidence, 4)
        row["milliseconds"] = round(self.milliseconds, 1)
        return row


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the user's earlier questions, oldest first; `as_typed` forbids reading it in any other way."""

    text: str
    history: tuple[str, ...] = field(default=())
    id: str | int | None = None
    as_typed: bool = False


def check_question(question: Question) -> None:
    """Raise UsageError for a question that is empty or longer than MAX_QUESTION."""
    if not question.text.strip():
        raise UsageError("the question is empty: type one, for example “How many data centers does Viettel have?”")
    if len(question.text) > MAX_QUESTION:
        raise UsageError(f"the question has {len(question.text):,} characters: the most is {MAX_QUESTION:,}")
