"""A chain that answers from a script, with every status and with hostile text, and records what it was asked."""

import threading
from collections.abc import Iterator
from dataclasses import replace

from bot.answer import Answer, Citation, Conflict, Question, Side
from bot.starters import Starters
from corpus.documents import Document
from corpus.errors import GapbotError
from corpus.profile import Profile

HOSTILE = (
    'Look <img src=x onerror="window.pwned=1"> ${window.pwned=2} {{constructor.constructor("window.pwned=3")()}} '
    "`tick` C:\\users\\x <script>window.pwned=4</script> [a](http://elsewhere.example/) & <b>bold</b>."
)
_TEXT = (
    "# The gap\r\n\r\nBefore it all.\r\n\r\n"
    "Vietnam has potential. Viettel operates 15 data centers. It builds more.\r\n\r\nAfter it all."
)
_FUNDING = "Funding reached USD 80 million."
_ALL = (
    Document("art", _TEXT, "The gap", "tbh.today", "https://tbh.today/?p=863", None, "article"),
    Document("fact", _FUNDING, "Vốn", "VietTimes", "https://viettimes.vn/", "2025-10-09", "fact"),
    Document("bad", HOSTILE, "<b>Title</b> ${window.pwned=5}", "<i>P</i>", "javascript:window.pwned=6", "2025-04"),
)
DOCUMENTS = {d.id: d for d in _ALL}


def cite(marker: int, document_id: str, quote: str, note: str | None = None) -> Citation:
    d = DOCUMENTS[document_id]
    start = d.text.index(quote)
    return Citation(
        marker, d.id, d.title, d.publisher, d.url, d.date, quote, start, start + len(quote), d.kind, (), note
    )


VIETTEL = cite(1, "art", "Viettel operates 15 data centers.")
FUNDING = cite(2, "fact", _FUNDING, note="Spoken of as invested.")


class FakeChain:
    writes = False
    profile = Profile(headline="Answers <b>to try out</b>")
    begin = ("How many data centers does Viettel operate?", "What is a GPU hour?")

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.go_on = threading.Event()

    def starters(self) -> Starters:
        return (("Compute", self.begin), ("<i>Talent</i>", ("near",)))

    def source(self, document_id: str) -> Document | None:
        return DOCUMENTS.get(document_id)

    def follow_ups(self, question: Question, most: int = 3) -> tuple[str, ...]:
        return ("What comes next?",) if question.text == "How many?" else ()

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        text = question.text
        if text == "crash":
            raise RuntimeError("a secret of the inside")
        if text == "busy":
            raise GapbotError("the index is being rebuilt: ask again in a moment")
        if text == "hostile":
            return Answer(
                text,
                "answered",
                f"{HOSTILE} [1] [7]",
                short="<u>${window.pwned=7}</u>",
                citations=(cite(1, "bad", HOSTILE.split(" & ")[0]),),
                choices=("<b>${1}</b>",),
                notice="<i>notice</i>",
            )
        if text == "near":
            return Answer(text, "near_miss", "Not together with “near”.", closest=(VIETTEL,))
        if text == "absent":
            return Answer(text, "not_in_corpus", "The sources I hold say nothing about this.")
        if text == "which":
            return Answer(text, "ambiguous", "Which of these do you mean?", choices=self.begin)
        if text == "differ":
            return Answer(
                text,
                "answered",
                f"{VIETTEL.quote} [1]\n\nSources differ: {FUNDING.quote} [2]",
                short="15 data centers",
                read_as="differ about Vietnam",
                citations=(VIETTEL, FUNDING),
                conflicts=(Conflict("Vietnam", (Side("15", "2024", 1), Side("80", "2025-10-09", 2))),),
            )
        return Answer(text, "answered", f"{VIETTEL.quote} [1]", short="15 data centers", citations=(VIETTEL,))

    def stream(self, question: Question) -> Iterator[Answer]:
        answer = self.ask(question)
        yield replace(answer, text=answer.text[:12], citations=(), closest=(), conflicts=(), choices=())
        if question.text == "slow":
            # Held here until a test lets it go on.
            while not self.go_on.wait(0.05):
                yield replace(answer, text=answer.text[:20], citations=())
        yield answer
