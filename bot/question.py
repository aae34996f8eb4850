"""Read a question: what kind of answer it expects and which words, names and numbers it turns on."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from bot.common import is_ordinary
from bot.cues import counted
from index.retriever import Index
from index.terms import STOPWORDS, stem, words

Expected = Literal[
    "money", "percent", "date", "duration", "rank", "quantity", "person", "organisation", "place", "definition",
    "reason", "list", "yes_no", "comparison", "explanation", "fact",
]  # fmt: skip
SEVERAL = frozenset({"list", "reason", "comparison", "explanation"})
"""Kinds of question that are answered by several sentences."""

# A word between "which" and its noun: "which European country".
_OTHER = r"(?!\w+(?:s|ed)\b)(?!(?:take|help|make|of|is|are|was|were|do|does|did|has|have|had|will|would|can|could|the|an?)\b)[\w-]+"
_RULES: list[tuple[Expected, re.Pattern[str]]] = [
    (cast("Expected", kind), re.compile(pattern, re.I))
    for kind, pattern in [
        ("comparison", r"\b(?:compare[ds]?|comparison|versus|vs\.?|differences? between|differ|how does .+ (?:stack up|measure up))\b"),
        ("comparison", r"^(?:which|who|what)\b.*\b(?:more|less|fewer|bigger|larger|smaller|higher|lower|better|ahead|cheaper|dearer)\b.*[,:]?\s\w.*\bor\b"),
        ("comparison", r"^(?:did|does|do|is|are|was|were|has|have)\b.*\b(?:more|less|fewer|\w+er)\b.*\bor\b"),
        ("comparison", r"^(?:did|does|do|is|are|was|were|has|have|which|who|what)\b.{1,120}?\bor\b.{1,120}?\b(?:more|less|fewer|\w{3,}er)\b"),
        ("reason", r"^(?:so |and |but )?(?:why\b|how come\b|what (?:is|was|are|were) the (?:reasons?|causes?|cause)\b|what (?:caused|causes|explains|led to|made)\b|for what reasons?)"),
        ("percent", r"\b(?:what|which|how much of a) (?:share|percentage|percent|proportion|fraction|part)\b|\bhow many percent|\b(?:percentage|percent|share|rate) of\b|\bwhat (?:is|was) the [\w ]{0,30}\b(?:rate|share|percentage|margin)\b"),
        ("money", r"\bhow (?:much|many) (?:money|dollars|usd|euros?)\b|\bhow (?:much|large|big|high)\b.*\bin (?:us |u\.s\. )?(?:dollars|usd|euros?|dong|vnd)\b|\b(?:what|how much)\b.*\b(?:cost|costs|price|pay|paid|worth|invest(?:ed|ment|ments)?|spend|spent|spending|budget|revenue|fund(?:s|ed|ing)?|raise[ds]?|salary|salaries|fee|fine|fines|earn(?:s|ed)?|valu(?:e|ed|ation)|market size)\b"),
        ("rank", r"\b(?:rank(?:s|ed|ing)?|what (?:place|position)|which (?:place|position)|placed)\b"),
        ("duration", r"\bhow (?:long|old|many (?:years|months|weeks|days|hours|minutes))\b|\b(?:what|which) age\b(?! group)|\bfor how long\b|\bwhat (?:period|length of time)\b"),
        ("date", r"^(?:and |so |but )?(?:when|since when|until when|by when|from when|on which date|on what date|what date|what year|which year|in (?:which|what) (?:year|month|quarter)|what day|by what year|which month)\b|\b(?:what|which) (?:year|date|month|day)\b|\bdeadline\b"),
        ("quantity", r"\bhow (?:many|much|big|large|high|far|fast|often|tall|deep|heavy|wide|strong|small|low|few)\b|\b(?:number|amount|quantity|count|total|size|capacity) of\b|\bhow .*\bmany\b"),
        ("person", r"^(?:and |so |but )?(?:who|whom|whose)\b|\b(?:which|what) (?:person|minister|ceo|official|expert|researcher|founder)\b|\bname of the (?:ceo|minister|head|founder|director)\b"),
        ("place", rf"^(?:and |so |but )?(?:where)\b|\b(?:in|at|to|from)? ?(?:which|what) (?:{_OTHER} ){{0,2}}(?:country|countries|city|cities|town|province|region|place|district|state|village|location)\b"),
        ("organisation", rf"\b(?:which|what) (?:{_OTHER} ){{0,2}}(?:compan(?:y|ies)|firms?|organi[sz]ations?|agenc(?:y|ies)|institut\w+|universit\w+|ministr\w+|body|bodies|groups?|banks?|vendors?|start-?ups?)\b"),
        ("list", r"^(?:list|name|give me|enumerate)\b|\bwhat are (?:the|some|its|their)\b|\bwhich (?:\w+ ){0,3}\w+s (?:are|were|have|do|did|will|can)\b|\bwhat (?:\w+ )?(?:challenges|advantages|weaknesses|strengths|phases|pillars|steps|reasons|kinds|types|examples|obstacles|goals|targets|initiatives|measures)\b"),
        ("definition", r"^(?:what(?:'s| is| are| does)|define|explain what|meaning of|whats)\b.*\b(?:mean|means|stand for|stands for|definition|called|by)\b|^define\b|^(?:what(?:'s| is| are)|whats)(?: an?)? [\w .'’-]{2,40}\?*$|^what (?:is|are) meant by|\bdefinition of\b"),
        ("yes_no", r"^(?:and |so |but )?(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must|isn't|aren't|doesn't|didn't|hasn't|won't)\b"),
        ("explanation", r"^(?:how|explain|describe|tell me (?:about|more)|what (?:do|does|did) .+ (?:say|think|plan|want)|summari[sz]e|what about)\b"),
    ]
]  # fmt: skip
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-ZÀ-ÖØ-ÞĐ][\w’'&-]*|\b(?:[A-Z]{2,}|[a-z]*[A-Z]\w*[A-Z0-9]\w*)\b")
NAMES = re.compile(r"\b[A-ZÀ-ÖØ-ÞĐ]\w+(?: [A-ZÀ-ÖØ-ÞĐ]\w+)+\b|\bU\.(?:[A-Z]\.)+")
"""A name of several words."""
VERSION = re.compile(r"(?<!^)\b([A-ZÀ-ÖØ-ÞĐ][\w’'&]*)[ -](\d[\w.]*\w|\d)\b")
"""A name with a number, which are the two groups: "Llama 4"."""
_ONE_NAME = r"(?:the )?[A-ZÀ-ÖØ-ÞĐ][\w’'&.-]*(?: [A-ZÀ-ÖØ-ÞĐ0-9][\w’'&.-]*)*"
_SIDES = re.compile(rf"(?<!^){_ONE_NAME}(?:, {_ONE_NAME})?,? (?:and|or|vs\.?|versus|with|to|than) {_ONE_NAME}")
_COMPARE = re.compile(r"^(?:please )?compare ", re.I)
_PLAIN_NAME = r"(?:the )?[A-ZÀ-ÖØ-ÞĐ][\w.&-]*(?: [A-ZÀ-ÖØ-ÞĐ0-9][\w.&-]*)*"
_OF_EACH = re.compile(
    rf"(?<!^)({_PLAIN_NAME})[’']s? (.{{3,60}}?) (?:compare[sd]? (?:with|to)|differs? from|with|to|against|versus|vs\.?|"
    rf"(?:\w+er|more|less) than) (?:that of )?({_PLAIN_NAME})(?:[’']s?)?[ ?!.]*$"
)
# Words of a question that ask or frame rather than name what is asked about.
_FRAME = frozenset(
    "many much long often far big large high number amount quantity count total percent share proportion rate list name give "
    "tell explain describe define definition mean meaning stand kind type thing way reason cause come compare comparison difference "
    "versus vs exactly currently now today say said according article source please know info information detail more less most least "
    "year date month day time when place rank ranking person people company country figure value use get make like want need there "
    "take go put keep become happen show there "
    "true any some all other also still already only even ever really actually roughly approximately around latest recent new".split()
)
_YEAR = re.compile(r"\b(?:1[5-9]|20|21)\d\d\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question asks: the kind of answer, its terms (stems that name what is asked), names, numbers, years.

    `words` are the terms before stemming, in the same order; `frame` holds the stems that only frame the question,
    `counted` the stems of what it counts, the noun last.
    """

    text: str
    expected: Expected
    terms: tuple[str, ...]
    words: tuple[str, ...]
    frame: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    years: tuple[str, ...]
    counted: tuple[str, ...] = ()


_OPENING = re.compile(r"[A-ZÀ-ÖØ-ÞĐ][\w-]*")


def read_question(text: str, is_name: Callable[[str], bool] | None = None) -> Reading:
    """Analyse a question. `is_name` tells words that are names though they begin small.

    >>> read_question("How many AI models did China develop in 2024?").expected
    'quantity'
    """
    normal = [w for w in words(text) if w not in STOPWORDS and w != "us_"]
    by_term = {stem(w): w for w in reversed(normal) if w not in _FRAME and stem(w) not in _FRAME}
    content = tuple(reversed(by_term))
    frame = tuple(dict.fromkeys(stem(w) for w in normal if w in _FRAME or stem(w) in _FRAME))
    years = tuple(_YEAR.findall(text))
    names = [t for m in _NAME.finditer(text) for t in map(stem, words(m.group()))]
    # "United States" is one word of an index, and neither of its two is.
    names += [t for m in NAMES.finditer(text) for t in map(stem, words(m.group())) if not _only_opens(m, t)]
    names += [t for t in content if is_name and is_name(by_term[t])]
    # "Llama 3" is another than "Llama 3.1": the number belongs to the name.
    names += [w for m in VERSION.finditer(text) for w in words(m.group(2)) if w not in years]
    numbers = tuple(w for w in normal if w[0].isdigit() and w not in years)
    return Reading(
        text,
        expected_kind(text),
        content,
        tuple(by_term[t] for t in content),
        frame,
        tuple(dict.fromkeys(t for t in names if t in content)),
        numbers,
        years,
        counted(text),
    )


def _only_opens(match: re.Match[str], term: str) -> bool:
    """Tell a word whose capital is that of the question: "Across Morvia", "Regarding Orlo"."""
    return match.start() == 0 and is_ordinary(term) and term == stem(words(match.group())[0])


def understood(text: str, index: Index) -> Reading:
    """Analyse a question; what the corpus has and neither the encoder nor common English has is a name, however typed.

    So is what begins the question with a capital and is in no source: of nothing else in it would the answer speak.
    """
    opening = _OPENING.match(text)

    def name(word: str) -> bool:
        known = word in index.vocabulary
        if opening and not known and words(opening.group())[:1] == [word]:
            return True
        return word.isalpha() and known and not index.encoder.knows_word(word) and not is_ordinary(stem(word))

    return read_question(text, name)


def sides(text: str) -> list[str]:
    """Return a comparison as one question a side; empty unless it names two or three things side by side.

    >>> sides("Compare AI investment in Singapore and South Korea")
    ['Compare AI investment in Singapore', 'Compare AI investment in South Korea']
    >>> sides("How does Vietnam's AI investment compare with Indonesia's?")
    ["Vietnam's AI investment", "Indonesia's AI investment"]
    """
    of_each = _OF_EACH.search(text)
    if of_each:
        first, what, second = of_each.groups()
        return [f"{name}'s {what}" for name in (first, second)]
    text = text.rstrip(" .?!")
    match = _SIDES.search(text)
    if not match:
        return []
    names = [n.strip() for n in re.split(r",|\b(?:and|or|vs\.?|versus|with|to|than)\b", match.group()) if n.strip()]
    return [f"{text[: match.start()]}{name}{text[match.end() :]}" for name in names]


def asked_alone(side: str) -> str:
    """Return a side of a comparison without the word that compares.

    >>> asked_alone("Compare AI investment in Singapore")
    'AI investment in Singapore'
    """
    return _COMPARE.sub("", side)


def expected_kind(text: str) -> Expected:
    """Tell what kind of answer a question expects; "fact" when nothing gives it away."""
    # What a question asks for stands near its beginning; the patterns must not crawl through pages.
    stripped = text.strip().strip("\"'“”")[:300]
    for kind, pattern in _RULES:
        if pattern.search(stripped):
            return kind
    return "fact"
