"""Files that hold many documents: JSONL with one a row, and YAML with a list of facts."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from corpus.errors import RefusedDocument
from corpus.formats import decoded
from corpus.plain_yaml import parsed_yaml


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a JSONL file; `line` counts from 1."""

    line: int
    id: str
    text: str
    title: str | None
    publisher: str | None
    url: str | None
    date: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a facts file. With `document`, its claim is a quotation from that document."""

    id: str
    claim: str
    topic: str
    document: str | None
    title: str
    publisher: str | None
    url: str | None
    date: str | None
    subject: str | None
    value: str | None
    unit: str | None
    as_of: str | None
    note: str | None
    disagrees_with: tuple[str, ...]


def read_many(suffix: str, data: bytes, topic: str) -> Iterator[Row | Fact | RefusedDocument]:
    """Read a file of rows (.jsonl) or facts (.yaml): yield each, and for each that cannot be used an error that says why.

    Raises RefusedDocument for a file that cannot be read at all, whatever its parser raises.
    """
    try:
        if suffix == ".jsonl":
            yield from read_rows(data)
        else:
            facts, problems = read_facts(data, topic)
            yield from facts
            yield from map(RefusedDocument, problems)
    except (RefusedDocument, MemoryError):
        raise
    except Exception as error:
        raise RefusedDocument(f"it cannot be read as {suffix[1:].upper()} ({type(error).__name__})") from error


def read_rows(data: bytes) -> Iterator[Row | RefusedDocument]:
    """Read JSONL rows `{"id", "text"}`, with title, publisher, url and date where known; other keys are ignored.

    Yields the rows, and for each that cannot be used an error that says why. Raises RefusedDocument where there is none.
    """
    empty = True
    # Line by line: a list of the lines would hold a large file once more.
    for number, line in enumerate(io.StringIO(decoded(data), newline="\n"), 1):
        if not line.strip():
            continue
        empty = False
        try:
            yield _row(number, line)
        except RefusedDocument as error:
            yield RefusedDocument(f"line {number}: {error}")
    if empty:
        raise RefusedDocument("it holds no rows")


def _row(number: int, line: str) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RefusedDocument("it is not JSON") from error
    if not isinstance(row, dict):
        raise RefusedDocument("it is not a JSON object")
    identity, text = scalar(row, "id"), scalar(row, "text")
    if not identity:
        raise RefusedDocument('"id" is missing')
    if text is None or not text.strip():
        raise RefusedDocument('"text" is missing or empty')
    return Row(number, identity, text, *(scalar(row, key) for key in ("title", "publisher", "url", "date")))


def read_facts(data: bytes, topic: str) -> tuple[list[Fact], list[str]]:
    """Read a YAML list of facts, and return them with one line about each that cannot be used."""
    try:
        entries = parsed_yaml(decoded(data))
    except yaml.YAMLError as error:
        raise RefusedDocument(f"it is not valid YAML{_place(error)}") from error
    if not isinstance(entries, list):
        raise RefusedDocument("it is not a list of facts")
    facts: list[Fact] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            facts.append(_fact(entry, topic))
        except RefusedDocument as error:
            name = entry.get("id") if isinstance(entry, dict) and isinstance(entry.get("id"), str) else None
            problems.append(f"fact {name!r}: {error}" if name else f"fact number {number}: {error}")
    if not facts and not problems:
        raise RefusedDocument("it holds no facts")
    return facts, problems


def _fact(entry: object, topic: str) -> Fact:
    if not isinstance(entry, dict):
        raise RefusedDocument("it is not a mapping with an id and a claim")
    identity, claim, document = (scalar(entry, key) for key in ("id", "claim", "document"))
    if not identity or not claim or not claim.strip():
        raise RefusedDocument("its id is missing" if not identity else "its claim is missing")
    source = entry.get("source") or {}
    if not isinstance(source, dict):
        raise RefusedDocument("its source is not a mapping with publisher, title, url and date")
    others = entry.get("disagrees_with") or []
    if not isinstance(others, list) or not all(isinstance(o, str) for o in others):
        raise RefusedDocument("its disagrees_with is not a list of ids")
    return Fact(
        id=identity,
        claim=claim,
        topic=topic,
        document=document,
        title=scalar(source, "title") or topic,
        publisher=scalar(source, "publisher"),
        url=scalar(source, "url"),
        date=scalar(source, "date"),
        subject=scalar(entry, "subject"),
        value=scalar(entry, "value"),
        unit=scalar(entry, "unit"),
        as_of=scalar(entry, "as_of"),
        note=scalar(entry, "note"),
        disagrees_with=tuple(others),
    )


def scalar(mapping: Mapping[Any, Any], key: str) -> str | None:
    """Return a mapping's value as text, or None where there is none; a list or mapping is refused.

    >>> scalar({"as_of": 2024}, "as_of")
    '2024'
    """
    value = mapping.get(key)
    if isinstance(value, list | dict | set | tuple):
        raise RefusedDocument(f'its "{key}" is not a plain value')
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""
