"""A follow-up made to stand alone by an LLM, checked against the conversation; the reading by rules is the fallback."""

import logging
import re
from collections.abc import Sequence

from bot.answer import Tokens
from bot.claims import claims_of
from bot.common import is_ordinary
from bot.llm import Model
from bot.prompts import gives_orders, rephrasing_prompt
from bot.question import read_question
from corpus.errors import ModelError

_TOKENS, _LONGEST = 80, 300
_TURNS = 6
_SHAPE = re.compile(r"[^\n<>\[\]{}|*`#]{8,}\?")
_LINK = re.compile(r"https?:|www\.|://", re.I)
_log = logging.getLogger(__name__)


def rephrased(question: str, history: Sequence[str], by_rules: str, model: Model) -> tuple[str, Tokens | None]:
    """Return a follow-up as the model reads it, or `by_rules` where it fails or its reading cannot be; and its tokens."""
    history = history[-_TURNS:]
    try:
        text, tokens = model.reply(rephrasing_prompt(question, history), _TOKENS)
    except ModelError as error:
        _log.info("a follow-up was read by rules: %s", error)
        return by_rules, None
    text = text.strip().strip("\"“”'").strip()
    reason = fault(text, question, history, by_rules)
    if reason:
        _log.info("a follow-up was read by rules: the model's reading %s", reason)
    return by_rules if reason else text, tokens


def fault(text: str, question: str, history: Sequence[str], by_rules: str) -> str:
    """Return why a text cannot be the reading of a question, or an empty string.

    It has to be one question of bounded length, its names, figures and rare words all from the conversation (or the reading
    by rules, which may take a name from an earlier answer), and about what was asked.

    >>> history, rules = ["How many models has the US made?"], "How many models has China made?"
    >>> fault("How many AI models has China made?", "and China?", ["How many AI models has the US made?"], rules)
    ''
    >>> fault("How many models has Japan made?", "and China?", history, rules)
    'names japan, which nobody spoke of'
    """
    if len(text) > _LONGEST or not _SHAPE.fullmatch(text) or _LINK.search(text):
        return "is no question of one line"
    if gives_orders(text):
        return "gives orders"
    said = [claims_of(t) for t in (*history, question, by_rules) if t]
    reading = claims_of(text)
    words = frozenset(t.stem for c in said for t in c.tokens)
    strange = [
        t.stem for t in reading.tokens
        if t.stem not in words and (t.name or t.stem == reading.opener or t.text.isupper() or not is_ordinary(t.stem))
        and t.stem not in _ASKING
    ]  # fmt: skip
    if strange:
        return f"names {strange[0]}, which nobody spoke of"
    figures = {(f.value, f.kind) for c in said for f in c.figures}
    dates = {(d.year, d.month, d.day) for c in said for d in c.dates}
    if any((f.value, f.kind) not in figures for f in reading.figures) or any(
        (d.year, d.month, d.day) not in dates for d in reading.dates
    ):
        return "holds a figure or a date that nobody spoke of"
    asked, own = claims_of(question), frozenset(t.stem for t in reading.tokens)
    if not asked.names <= own or any(
        (d.year, d.month, d.day) not in {(x.year, x.month, x.day) for x in reading.dates} for d in asked.dates
    ):
        return "leaves out what was asked about"
    # What is asked must be there, and little that is in neither question.
    terms = frozenset(read_question(text).terms)
    if len(terms - words) > max(1, len(terms) // 4) or not terms & frozenset(read_question(by_rules).terms):
        return "asks something else"
    return ""


_ASKING = frozenset(
    "what who whom whose which when where why how is are was were do doe did has have had can could will would should".split()
)
