"""Make bot/common_words.txt: `python -m tests.bench.common_words AREA.json… > bot/common_words.txt`.

Each argument is a file of texts of one area. A word that stands in lower case in several areas is common: a writer may
choose it freely. All others (aspirin, Viettel, saxaul) are specific: an answer may use them only if its source does.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from index.terms import STOPWORDS, stem, words

_AREAS = 2


def main() -> None:
    seen: Counter[str] = Counter()
    for name in sys.argv[1:]:
        text = Path(name).read_text("utf-8")
        seen.update({stem(words(w)[0]) for w in set(re.findall(r"(?<=[a-z,] )[a-z]{3,}\b(?!_)", text)) if words(w)})
    print("\n".join(sorted(w for w, n in seen.items() if n >= _AREAS and w.isascii() and w not in STOPWORDS)))


if __name__ == "__main__":
    main()
