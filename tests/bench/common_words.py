"""Make bot/common_words.txt: `python -m tests.bench.common_words AREA.json… > bot/common_words.txt`.

Each argument is a file of texts of one area. A word that stands in lower case in several areas is common: a writer may
choose it freely. All others (aspirin, Viettel, saxaul) are specific: an answer may use them only if its source does.

With `--vocabulary vocab.txt`, it makes bot/ordinary_words.txt: the stems of the commoner half of a WordPiece vocabulary (that of the
bundled encoder, in the order of how frequent its words are), names among them, so it tells words written small alone.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

from index.terms import STOPWORDS, stem, words

_AREAS = 2


def main() -> None:
    seen: Counter[str] = Counter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", type=Path, nargs="+")
    parser.add_argument(
        "--vocabulary", type=Path, help="print instead what this file has in its first half and the areas lack"
    )
    options = parser.parse_args()
    for name in options.areas:
        text = name.read_text("utf-8")
        seen.update({stem(words(w)[0]) for w in set(re.findall(r"(?<=[a-z,] )[a-z]{3,}\b(?!_)", text)) if words(w)})
    common = {w for w, n in seen.items() if n >= _AREAS and w.isascii() and w not in STOPWORDS}
    if options.vocabulary:
        pieces = options.vocabulary.read_text("utf-8").split("\n")
        known = [
            p for p in pieces[: len(pieces) // 2] if re.fullmatch(r"[a-z]{3,}", p) and p not in STOPWORDS and words(p)
        ]
        common = {stem(words(p)[0]) for p in known} - common
    print("\n".join(sorted(common)))


if __name__ == "__main__":
    main()
