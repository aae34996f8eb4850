"""Words as search terms: one normal form for numbers, money, ordinals, acronyms, spelling and inflection."""

import re
import unicodedata
from functools import lru_cache

import Stemmer

_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[$€£¥₫%]")
_ACRONYM = re.compile(r"\b(?:[A-Za-z]\.){2,}")
_SCALED = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s?(k|m|mn|mln|bn|tn|trn)\b", re.IGNORECASE)
_SCALES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "mln": "million",
    "bn": "billion",
    "tn": "trillion",
    "trn": "trillion",
}
_POWERS = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_CURRENCY = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₫": "vnd", "%": "percent"}
_SYNONYMS = {
    "dollar": "usd", "dollars": "usd", "euro": "eur", "euros": "eur", "dong": "vnd", "pct": "percent", "percentage": "percent",
    "usa": "us", "america": "us", "american": "us", "uk": "uk", "britain": "uk", "british": "uk",
}  # fmt: skip
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_NUMBER_WORDS = {w: str(i) for i, w in enumerate(_UNITS) if i > 1} | {w: f"{i}th" for i, w in enumerate(_ORDINALS)}
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE)
_PHRASES = [
    (re.compile(r"\bunited states(?: of america)?\b", re.IGNORECASE), "US"),
    (re.compile(r"\bunited kingdom\b", re.IGNORECASE), "UK"),
    (re.compile(r"\bunited arab emirates\b", re.IGNORECASE), "UAE"),
    (re.compile(r"\bper cent\b", re.IGNORECASE), "percent"),
    (re.compile(r"\b(data|super)[ -]?cent(?:er|re)(s?)\b", re.IGNORECASE), r"\1 center\2"),
    (re.compile(r"\bviet nam\b", re.IGNORECASE), "Vietnam"),
]
# British spellings that stemming leaves apart from the American ones.
_SPELLING = [
    (re.compile(r"(?<=[bt])re$"), "er"),
    (re.compile(r"(?<=[a-z]{2})our(?=s?$|ed$|ing$|ite|able|al)"), "or"),
    (re.compile(r"(?<=[a-z]{3})is(?=e[drs]?$|ing$|ation)"), "iz"),
    (re.compile(r"ogramme(?=s?$)"), "ogram"),
    (re.compile(r"efence$"), "efense"),
]
_IRREGULAR = {
    "centre": "center", "centres": "center", "spent": "spend", "grew": "grow", "grown": "grow", "rose": "rise", "risen": "rise",
    "fell": "fall", "fallen": "fall", "built": "build", "paid": "pay", "sold": "sell", "bought": "buy", "made": "make",
    "held": "hold", "led": "lead", "began": "begin", "begun": "begin", "people": "person", "children": "child", "women": "woman",
    "men": "man", "won": "win", "took": "take", "taken": "take", "gave": "give", "given": "give", "chose": "choose",
    "lost": "lose", "left": "leave", "ran": "run", "met": "meet", "found": "find", "founded": "found", "said": "say",
    "went": "go", "came": "come", "became": "become", "wrote": "write", "written": "write", "drew": "draw", "drawn": "draw",
    "thought": "think", "brought": "bring", "taught": "teach", "kept": "keep", "sent": "send", "lent": "lend",
    "vietnamese": "vietnam", "chinese": "china", "singaporean": "singapore", "japanese": "japan", "korean": "korea",
    "indian": "india", "malaysian": "malaysia", "indonesian": "indonesia", "thai": "thailand", "german": "germany",
    "french": "france", "european": "europe", "asian": "asia", "african": "africa",
    "filipino": "philippines", "philippine": "philippines", "cambodian": "cambodia", "laotian": "laos", "taiwanese": "taiwan",
    "canadian": "canada", "brazilian": "brazil", "mexican": "mexico", "italian": "italy", "spanish": "spain",
    "portuguese": "portugal", "dutch": "netherlands", "swedish": "sweden", "danish": "denmark", "finnish": "finland",
    "norwegian": "norway", "turkish": "turkey", "irish": "ireland", "swiss": "switzerland",
    "israeli": "israel", "egyptian": "egypt", "kenyan": "kenya", "emirati": "uae", "emirates": "uae",
}  # fmt: skip
_SHORT = 64
_stemmer = Stemmer.Stemmer("english")

# The 60-odd words that carry grammar rather than meaning; kept small on purpose, for a rare "not" or "over" may matter.
STOPWORDS = frozenset(
    "a an the of in on at to for from by with as and or but is are was were be been being am do does did has have had it its this "
    "that these those there their they them he she his her him we us our you your i me my who whom whose which what when where "
    "why how than then so such can could will would shall should may might must about into also just please tell".split()
) - {"us"}


def fold(text: str) -> str:
    """Lower-case a text and strip accents: `Hà Nội` and `ha noi` are one name."""
    decomposed = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def words(text: str) -> list[str]:
    """Return the normal forms of the words and numbers of a text, unstemmed, in order.

    >>> words("Viettel's data centres: $1.5bn, 500k GPUs (U.S.), sixth")
    ['viettel', 'data', 'centers', 'usd', '1.5', '1500000000', '500000', 'gpus', 'us', '6th']
    """
    # Questions ask for the forms of the same few words and spans again and again.
    return list(_words(text) if len(text) <= _SHORT else _words.__wrapped__(text))


@lru_cache(maxsize=20_000)
def _words(text: str) -> tuple[str, ...]:
    text = _ACRONYM.sub(lambda m: m.group().replace(".", ""), text)
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    text = _SCALED.sub(lambda m: f"{m.group(1)} {_SCALES[m.group(2).lower()]}", text)
    result: list[str] = []
    text = _ORDINAL.sub(r"\1 ORDINAL", text)
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "ORDINAL":
            if result:
                result[-1] += "th"
        elif token[0].isdigit():
            result.append(_number(token))
        elif token in _CURRENCY:
            result.append(_CURRENCY[token])
        elif token == "US":
            result.append("us")
        else:
            word = _folded(token)
            if word in _POWERS and result and result[-1].replace(".", "").isdigit():
                scaled = _scaled(result[-1], _POWERS[word])
                # "30.84" alone must find "30.84 million", so a number that is told by its decimals stays too.
                result[-1:] = [result[-1], scaled] if "." in result[-1] else [scaled]
            elif word == "us":
                result.append("us_")  # the pronoun, not the country
            else:
                result.append(_normal(word))
    return tuple(w for w in result if w)


def terms(text: str) -> list[str]:
    """Return the index terms of a text: normal forms without stopwords, stemmed.

    >>> terms("the companies that were investing")
    ['compani', 'invest']
    """
    return [stem(w) for w in words(text) if w not in STOPWORDS and w != "us_"]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Stem one normal form (Porter 2, as Snowball has it)."""
    stemmed: str = _stemmer.stemWord(word)
    return stemmed


def stems(text: str) -> frozenset[str]:
    """Return the stems of all words of a text, those without meaning of their own too."""
    return frozenset(stem(w) for w in words(text))


@lru_cache(maxsize=20_000)
def sentence_terms(text: str) -> frozenset[str]:
    """Return the set of index terms of a text."""
    return frozenset(terms(text))


def matches(term: str, others: frozenset[str]) -> bool:
    """Tell whether a stem is among others, or shares a long beginning with one: `invest` and `investor`."""
    if term in others:
        return True
    return len(term) >= 5 and term.isalpha() and _akin(term, others)


@lru_cache(maxsize=5_000)
def _akin(term: str, others: frozenset[str]) -> bool:
    beginning = term[:5]
    return any(
        o.startswith(beginning) and o.isalpha() and _common_prefix(term, o) >= 0.75 * max(len(term), len(o))
        for o in others
    )


@lru_cache(maxsize=50_000)
def _folded(token: str) -> str:
    return re.sub(r"['’](?:s|d|ll|re|ve|m|t)?$", "", fold(token)).replace("’", "'")


@lru_cache(maxsize=50_000)
def _normal(word: str) -> str:
    return _NUMBER_WORDS.get(word) or _named(word) or _named(word.removesuffix("s")) or _spelled(word)


def _named(word: str) -> str | None:
    return _SYNONYMS.get(word) or _IRREGULAR.get(word)


def _spelled(word: str) -> str:
    for pattern, replacement in _SPELLING:
        word = pattern.sub(replacement, word)
    return word


def _number(token: str) -> str:
    token = token.replace(",", "").rstrip(".")
    if token.count(".") == 1:
        token = token.rstrip("0").rstrip(".")
    return token.lstrip("0") or "0" if "." not in token else token


def _scaled(number: str, power: int) -> str:
    whole, _, fraction = number.partition(".")
    if len(fraction) > power:
        return number
    return (whole + fraction.ljust(power, "0")).lstrip("0") or "0"


def _common_prefix(a: str, b: str) -> int:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n
