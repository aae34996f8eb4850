"""Questions to begin with, by topic: those of the corpus's profile, or else what its documents define."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from corpus.documents import Document
from corpus.profile import Profile
from index.retriever import Index

Starters = tuple[tuple[str, tuple[str, ...]], ...]
"""Topics, each with its questions."""

_DOCUMENTS = 200
_TERMS = 6
_DEFINED = re.compile(r"^(?P<article>An? )?(?P<term>\w[\w’'&-]*(?: [\w’'&()-]+){0,3}?) (?P<verb>is|are) (?:an?|the) ")
_PRONOUN = re.compile(r"(?:It|This|That|These|Those|There|They|He|She|We|You|I|What|Which|Who)\b")


Suggestions = Iterable[tuple[str, Iterable[str]]]
"""The same, untried, and made as they are needed."""


def suggested(index: Index, profile: Profile) -> Suggestions:
    """Return questions that may be offered: what the profile names, or what the documents suggest."""
    return profile.starters.items() or _from_documents(index)


def tried(suggestions: Suggestions, answered: Callable[[str], bool], topics: int, each: int) -> Starters:
    """Return the first `topics` of which something is answered, with at most `each` such questions."""
    kept: list[tuple[str, tuple[str, ...]]] = []
    seen: set[str] = set()

    def fresh(text: str) -> bool:
        new = text not in seen
        seen.add(text)
        return new

    for topic, asked in suggestions:
        good = tuple(islice((q for q in asked if fresh(q) and answered(q)), each))
        if good:
            kept.append((topic, good))
        if len(kept) == topics:
            break
    return tuple(kept)


def _from_documents(index: Index) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield what the first documents suggest: of texts by their title, of facts by their topic."""
    groups: dict[str, list[str]] = {}
    for listed in index.catalogue.listing(_DOCUMENTS):
        topic = (listed.topic or "facts").replace("-", " ").capitalize() if listed.kind == "fact" else listed.title
        groups.setdefault(topic, []).append(listed.id)
    for topic, ids in groups.items():
        yield topic, (question for i in ids for question in _suggested(index.catalogue.document(i)))


def _suggested(document: Document | None) -> Iterator[str]:
    if document is None:
        return
    yield from _defined(document.text)
    if document.kind == "fact":
        yield from (f"Tell me about {s.subject}" for s in document.statements if s.subject)
    else:
        yield f"What is {document.title.strip(' .?!')} about?"


def _defined(text: str) -> Iterator[str]:
    """Yield questions for the first terms that sentences of a text define.

    >>> list(_defined("A lock is a gate for boats. It is old."))
    ['What is a lock?']
    """
    matches = filter(None, map(_DEFINED.match, re.split(r"(?<=[.!?])\s+|\n+", text)))
    for match in islice((m for m in matches if not _PRONOUN.match(m["term"])), _TERMS):
        term, article = match["term"], match["article"]
        # After "A" or "An" the term is no name, and stands small within a question.
        yield f"What {match['verb']} {f'{article.lower()}{term}' if article else term}?"
