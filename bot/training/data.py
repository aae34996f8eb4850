"""Examples for the reader: passages with questions from named sets, enlarged by general means."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from corpus.sentences import sentence_spans

Row = dict[str, Any]
OWN = Path(__file__).parent / "data"
LEFT_OUT = (
    "technology", "handbooks", "reports", "theme_company", "theme_delta", "theme_energy", "theme_health", "theme_island", "theme_startup",
    "theme_survey",
    "squad2-b",
)  # fmt: skip
"""Areas that the shipped reader was not trained on: it is measured on them, and the gate is fitted on them."""
_SHORT = 0.6
"""The share of texts of which a few sentences are read: facts that people index are short, and cost less to learn."""
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-ÞĐ][\w’-]+(?: (?:of )?[A-ZÀ-ÖØ-ÞĐ][\w’-]+)*")


@dataclass(frozen=True, slots=True)
class Example:
    """A question beside a text: `answer` and `evidence` are spans of `text`; no evidence means unanswerable.

    An answerable question may have no `answer` (a list, a yes or no): its evidence is learnt alone.
    """

    area: str
    question: str
    title: str
    text: str
    answer: tuple[int, int] | None
    evidence: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the text it was written for and the texts that the retriever mistakes for its evidence."""

    example: Example
    negatives: tuple[tuple[str, str], ...] = ()


def load(public: Path | None) -> list[Example]:
    """Load every set: our own, and from the folder of public sets SQuAD 2.0, XQuAD in English and CLAPnq."""
    examples = [e for path in sorted(OWN.glob("*.jsonl")) for e in _own(path)]
    if public:
        examples += _squad(public / "squad2" / "squad2.json", "squad2")
        examples += _squad(public / "xquad" / "xquad.en.json", "xquad")
        examples += _clapnq(public / "clapnq" / "questions.jsonl")
    return examples


def _own(path: Path) -> Iterator[Example]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row: Row = json.loads(line)
        text = row["text"]
        for q in row["questions"]:
            evidence = tuple((text.index(e), text.index(e) + len(e)) for e in q["evidence"] if e in text)
            answer = None
            if q["answer"]:
                # The same words may stand elsewhere: the answer is where the evidence is.
                start = next(a + text[a:b].index(q["answer"]) for a, b in evidence if q["answer"] in text[a:b])
                answer = (start, start + len(q["answer"]))
            yield Example(path.stem, q.get("standalone") or q["question"], row["title"], text, answer, evidence)


def _squad(path: Path, area: str) -> Iterator[Example]:
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = article["title"].replace("_", " ")
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            sentences = sentence_spans(text)
            for qa in paragraph["qas"]:
                spans = [(a["answer_start"], a["answer_start"] + len(a["text"])) for a in qa["answers"]]
                answer = min(spans, key=lambda s: s[1] - s[0]) if spans else None
                evidence = tuple(s for s in sentences if answer and s[0] <= answer[0] < s[1])
                yield Example(f"{area}-{half_of(article['title'])}", qa["question"], title, text, answer, evidence)


def _clapnq(path: Path) -> Iterator[Example]:
    for line in path.read_text(encoding="utf-8").splitlines():
        row: Row = json.loads(line)
        text, spans = "", []
        for sentence in row["sentences"]:
            spans.append((len(text), len(text) + len(sentence)))
            text += sentence + " "
        gold = {g.strip() for g in row["gold_sentences"]}
        evidence = tuple(s for s in spans if text[s[0] : s[1]].strip() in gold)
        yield Example("clapnq", row["question"], row["title"], text.rstrip(), None, evidence)


def half_of(article: str) -> str:
    """Return the half that an article belongs to by its title, "a" or "b", the same in every run."""
    return "a" if sum((i + 1) * ord(c) for i, c in enumerate(article)) % 2 else "b"


def varied(asked: Asked, chance: random.Random, names: Sequence[str]) -> Iterator[Example]:
    """Yield one question as an epoch sees it: beside its text, whole or in part, and beside texts that mislead.

    What misleads: a passage that the retriever mistakes for the evidence, the own text without its evidence, the own
    text where the question asks for another year, figure or one of `names`, and the own text where the evidence
    speaks of another. Now and then a name is another one in question and text alike: what it is called tells nothing.
    """
    own = asked.example
    if chance.random() < 0.3:
        own = _renamed(own, chance, names)
    example = replace(own, question=_retyped(own.question, chance))
    yield _cropped(example, chance) if chance.random() < _SHORT else example
    if asked.negatives and chance.random() < (0.4 if example.evidence else 0.2):
        title, text = chance.choice(asked.negatives[:3])
        negative = replace(example, title=title, text=text, answer=None, evidence=())
        yield _cropped(negative, chance) if chance.random() < _SHORT else negative
    if example.evidence and chance.random() < 0.3:
        yield from _without_evidence(example)
    if example.evidence and chance.random() < 0.25:
        yield from _asking_another(own, chance, names)
    if example.evidence and chance.random() < 0.8:
        yield from _told_of_another(own, chance, names)


def _renamed(example: Example, chance: random.Random, names: Sequence[str]) -> Example:
    """Call one name of the question another in question and text, in all places."""
    shared = [m.group() for m in _NAME.finditer(example.question) if m.start() and m.group() in example.text]
    if not shared:
        return example
    old = chance.choice(shared)
    new = chance.choice([n for n in names if n.count(" ") == old.count(" ")] or [old])
    if new in example.text or new in example.question:
        return example
    changed = _rewritten(example, old, new, (0, len(example.text)))
    return replace(changed, question=_whole(old).sub(new, example.question)) if changed else example


def _told_of_another(example: Example, chance: random.Random, names: Sequence[str]) -> Iterator[Example]:
    """Yield the question beside its text, whose evidence sentence now speaks of another name, or another year.

    The other name is one of the text's own where there is one: the same names and words, and no answer.
    """
    if len(example.evidence) != 1:
        return
    start, end = example.evidence[0]
    sentence, changes = example.text[start:end], []
    for match in re.finditer(r"\b(?:1[89]|20)\d\d\b", example.question):
        other = str(int(match.group()) + chance.choice((-4, -3, -2, -1, 1, 2, 3, 4)))
        changes.append((match.group(), other))
    own = [m.group() for m in _NAME.finditer(example.text[:start] + example.text[end:]) if m.start()]
    for match in _NAME.finditer(example.question):
        if match.start():
            alike = [n for n in own if n.count(" ") == match.group().count(" ")] or names
            changes.append((match.group(), chance.choice(alike)))
    changes = [(o, n) for o, n in changes if _whole(o).search(sentence) and n not in example.question + sentence]
    if changes:
        old, new = chance.choice(changes)
        told = _rewritten(replace(example, answer=None, evidence=()), old, new, (start, end))
        if told and not (example.answer and example.text[slice(*example.answer)] in old):
            yield replace(told, question=_retyped(example.question, chance))


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def _rewritten(example: Example, old: str, new: str, within: tuple[int, int]) -> Example | None:
    """Return the example with `old` replaced in a part of its text, or None where a span begins or ends inside it."""
    places = [m.span() for m in _whole(old).finditer(example.text) if within[0] <= m.start() < within[1]]
    spans = [*example.evidence, *([example.answer] if example.answer else [])]
    if not places or any(a < at < b for a, b in places for span in spans for at in span):
        return None

    def moved(at: int) -> int:
        return at + (len(new) - len(old)) * sum(1 for a, _ in places if a < at)

    text, last = "", 0
    for a, b in places:
        text, last = text + example.text[last:a] + new, b
    return replace(
        example, text=text + example.text[last:],
        answer=(moved(example.answer[0]), moved(example.answer[1])) if example.answer else None,
        evidence=tuple((moved(a), moved(b)) for a, b in example.evidence),
    )  # fmt: skip


def _without_evidence(example: Example) -> Iterator[Example]:
    """Yield the example beside its text without the sentences that answer, unless the answer stands there still."""
    answer = example.text[slice(*example.answer)].lower() if example.answer else None
    kept = [
        example.text[a:b]
        for a, b in sentence_spans(example.text)
        if not any(x < b and y > a for x, y in example.evidence)
    ]
    text = " ".join(kept)
    if len(kept) >= 2 and not (answer and answer in text.lower()):
        yield replace(example, text=text, answer=None, evidence=())


def _asking_another(example: Example, chance: random.Random, names: Sequence[str]) -> Iterator[Example]:
    """Yield the question with a year, figure or name of it changed for one that the text does not hold."""
    changes = []
    for match in re.finditer(r"\b\d{1,4}\b", example.question):
        other = str(int(match.group()) + chance.choice((-3, -2, -1, 1, 2, 3)))
        changes.append((match.span(), other))
    for match in _NAME.finditer(example.question):
        if match.start() and match.group() in example.text:
            changes.append((match.span(), chance.choice(names)))
    changes = [c for c in changes if c[1] not in example.text and not c[1].startswith("-")]
    if changes:
        (start, end), other = chance.choice(changes)
        question = example.question[:start] + other + example.question[end:]
        yield replace(example, question=_retyped(question, chance), answer=None, evidence=())


def _cropped(example: Example, chance: random.Random) -> Example:
    """Keep one to four sentences in a row, the evidence among them: facts that people index are short."""
    sentences = sentence_spans(example.text)
    if not sentences:
        return example
    wanted = [i for i, (a, b) in enumerate(sentences) if any(x < b and y > a for x, y in example.evidence)]
    if example.evidence and not wanted:
        return example
    low, high = (wanted[0], wanted[-1]) if wanted else (chance.randrange(len(sentences)),) * 2
    low = max(0, low - chance.choice((0, 0, 1, 2)))
    high = min(len(sentences) - 1, high + chance.choice((0, 0, 1, 2)))
    start, end = sentences[low][0], sentences[high][1]
    if any(a < start or b > end for a, b in example.evidence):
        return example

    def shifted(span: tuple[int, int]) -> tuple[int, int]:
        return span[0] - start, span[1] - start

    return replace(
        example, text=example.text[start:end], answer=shifted(example.answer) if example.answer else None,
        evidence=tuple(map(shifted, example.evidence)),
    )  # fmt: skip


def _retyped(question: str, chance: random.Random) -> str:
    """Type a question as people do: now and then in lower case, without its mark, with a slip of the finger."""
    if chance.random() < 0.2:
        question = question.rstrip("?. ").lower()
    if chance.random() < 0.15:
        places = [m.start() + 1 for m in re.finditer(r"[^\W\d_]{4,}", question)]
        for at in chance.sample(places, min(len(places), chance.choice((1, 1, 2)))):
            question = (
                question[:at] + question[at + 1] + question[at] + question[at + 2 :]
                if chance.random() < 0.5
                else question[:at] + question[at + 1 :]
            )
    return question


def epoch(asked: Sequence[Asked], seed: int) -> list[Example]:
    """Return the examples of one epoch, shuffled."""
    chance = random.Random(seed)
    names = [m.group() for a in asked for m in _NAME.finditer(a.example.question) if m.start()]
    examples = [e for a in asked for e in varied(a, chance, names)]
    chance.shuffle(examples)
    return examples
