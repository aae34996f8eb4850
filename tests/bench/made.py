"""Made documents for benches that need many: plain prose about invented places, the same text for the same number."""

import random
from collections.abc import Iterator
from pathlib import Path

_SYLLABLES = "ba be da do ka ki la lu ma mi na no pa po ra ri sa so ta tu va vi za".split()
_KINDS = (
    "port of|city of|district of|university of|institute of|bank of|museum of|airport of|library of|valley of".split(
        "|"
    )
)
_THINGS = (
    "containers|students|passengers|visitors|patents|solar panels|turbines|apartments|nurses|servers|laboratories|buses|"
    "licences|reservoirs|bridges|workshops|greenhouses|ferries|scholarships|archives|sensors|orchards|tractors|loans"
).split("|")
_VERBS = {
    "handled": "handle", "registered": "register", "counted": "count", "reported": "report", "planned": "plan",
    "financed": "finance", "replaced": "replace", "inspected": "inspect", "opened": "open", "closed": "close",
    "sold": "sell", "repaired": "repair",
}  # fmt: skip
_ENDINGS = (
    "which was {percent} percent more than the year before",
    "although the {thing2} of the region had hardly changed",
    "as its director {name2} told the council in {month}",
    "and the ministry paid {money} million dollars towards it",
    "because the older {thing2} could no longer be used",
    "while the neighbouring {kind2} {name2} had only {count2}",
)
_OPENINGS = (
    "In {year}, the {kind} {name} {verb} {count} {thing}, {ending}.",
    "The {kind} {name} {verb} {count} {thing} in {year}, {ending}.",
    "By the end of {year} the {kind} {name} had {verb} {count} {thing}.",
    "According to {name2}, {count} {thing} were {verb} by the {kind} {name} in {year}, {ending}.",
    "Of the {count} {thing} that the {kind} {name} {verb}, {percent} percent came from abroad.",
    "Nobody in the {kind} {name} expected that {thing2} would matter more than {thing} after {year}.",
)
_MONTHS = "January March April June September November".split()


def text_of(number: int, words: int = 500) -> str:
    """Return document `number`: about `words` words in paragraphs of some sentences."""
    chance = random.Random(number)
    own = _name(random.Random(number * 7919 + 1))
    paragraphs, count = [], 0
    while count < words:
        sentences = [_sentence(chance, own if chance.random() < 0.5 else None) for _ in range(chance.randint(3, 6))]
        paragraphs.append(" ".join(sentences))
        count += len(paragraphs[-1].split())
    return "\n\n".join(paragraphs)


def question_about(number: int) -> str:
    """Return a question that document `number` may answer, for what it is chiefly about."""
    chance = random.Random(number + 5_000_011)
    verb = chance.choice(list(_VERBS.values()))
    name = _name(random.Random(number * 7919 + 1))
    return f"How many {chance.choice(_THINGS)} did the {chance.choice(_KINDS)} {name} {verb} in {chance.randint(1990, 2024)}?"


def write_documents(folder: Path, numbers: range, words: int = 500) -> None:
    """Write documents as plain text files, a thousand to a folder."""
    for number in numbers:
        file = folder / f"{number // 1000:04d}" / f"report-{number:07d}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(number, words), encoding="utf-8")


def _sentence(chance: random.Random, about: str | None) -> str:
    fields = dict(_fields(chance))
    if about:
        fields["name"] = about
    fields["ending"] = chance.choice(_ENDINGS).format(**fields)
    return chance.choice(_OPENINGS).format(**fields)


def _fields(chance: random.Random) -> Iterator[tuple[str, str]]:
    for suffix in ("", "2"):
        yield f"kind{suffix}", chance.choice(_KINDS)
        yield f"name{suffix}", _name(chance)
        yield f"thing{suffix}", chance.choice(_THINGS)
        yield f"count{suffix}", f"{int(10 ** chance.uniform(1, 5)):,}"
    yield "verb", chance.choice(list(_VERBS))
    yield "year", str(chance.randint(1990, 2024))
    yield "month", chance.choice(_MONTHS)
    yield "percent", str(chance.randint(2, 70))
    yield "money", str(chance.randint(3, 900))


def _name(chance: random.Random) -> str:
    """Return one of some 12,000 names, the shorter ones more often."""
    return "".join(chance.choices(_SYLLABLES, k=chance.choice((2, 3, 3)))).capitalize()
