"""Words that say the opposite of each other, by their stems: general English, kept to what reverses a statement."""

from index.terms import stem, words

_PAIRS = """
rise fall|increase decrease|increase decline|rise decline|grow shrink|grow decline|gain lose|win lose|up down|raise lower|climb drop
rise drop|increase drop|grow fall|expand shrink|expand contract|strengthen weaken|improve worsen|accelerate slow|more less|more fewer
higher lower|high low|larger smaller|large small|bigger smaller|big small|greater lesser|longer shorter|long short|older younger
old young|stronger weaker|strong weak|faster slower|fast slow|richer poorer|rich poor|better worse|good bad|cheaper dearer
cheap expensive|early late|earlier later|ahead behind|lead lag|above below|over under|before after|first last|most least|best worst
highest lowest|largest smallest|biggest smallest|fastest slowest|majority minority|maximum minimum|allow ban|allow prohibit
allow forbid|permit ban|permit prohibit|legal illegal|lawful unlawful|accept reject|accept refuse|approve reject|support oppose
favor oppose|agree disagree|include exclude|open close|begin end|begin finish|start end|start finish|start stop|begin stop|enter leave|arrive depart|buy sell
import export|borrow lend|profit loss|surplus deficit|public private|domestic foreign|urban rural|optimism pessimism
optimistic pessimistic|success failure|succeed fail|possible impossible|likely unlikely|safe dangerous|strength weakness
advantage disadvantage|opportunity threat|encourage discourage|create destroy|hire fire|adopt abandon|keep abandon|present absent
presence absence|able unable|complete incomplete|adequate inadequate|sufficient insufficient|enough insufficient|equal unequal
positive negative|north south|east west|northern southern|eastern western|upstream downstream|upper lower|inside outside
internal external|voluntary mandatory|optional mandatory|temporary permanent|rare common|scarce abundant|simple complex|easy hard
easy difficult|save spend|push pull|male female|demand supply|ancient modern|true false|guilty innocent|victory defeat|widen narrow
deepen narrow|tighten loosen|deny confirm|remember forget|alive dead|full empty|visible hidden|friend enemy|above under
"""


def _table() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in _PAIRS.replace("\n", "|").split("|"):
        if pair.strip():
            a, b = (stem(words(w)[0]) for w in pair.split())
            table.setdefault(a, set()).add(b)
            table.setdefault(b, set()).add(a)
    return {a: frozenset(b) for a, b in table.items()}


OPPOSITES = _table()
"""For a stem, the stems that say its opposite."""
