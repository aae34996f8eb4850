"""What every command of the command line begins with, the chain over the index, and ends with, JSON."""

import json
import sys
from typing import TYPE_CHECKING

from bot.config import Settings
from corpus import SHIPPED_CORPUS
from corpus.errors import CorpusError, GapbotError, IndexMissing

if TYPE_CHECKING:
    from bot.chain import Chain
    from index.retriever import Index


def open_chain(config: Settings, *, build: bool = False) -> "Chain":
    """Open the chain; where there is no index, build it if asked to, or offer to in a terminal."""
    from bot.loading import load_chain
    from index.encoder import encoder_folder

    here = config.corpus.is_dir()
    # An index on a server answers on machines too that have nothing of its corpus.
    if not here and not config.chroma:
        raise CorpusError(f"there is no corpus folder {config.corpus}: name one with --corpus DIR")
    if config.chroma and not encoder_folder(config.encoders, config.encoder).is_dir():
        print("Preparing the encoder (once)…", file=sys.stderr, flush=True)
    try:
        chain = load_chain(config)
        if here and _is_behind(config, chain.index):
            # Given up first: its memory is wanted for indexing, and what it holds must not answer.
            chain.index.close()
            _follow(config)
            chain = load_chain(config)
        return chain
    except IndexMissing:
        if not here:
            raise
        if not build and not _agrees("There is no index yet. Build it now (about half a minute)?"):
            if config.corpus == SHIPPED_CORPUS:
                raise
            told = f"there is no index of {config.corpus} yet: run `gapbot --corpus {config.corpus} index` to build it"
            raise IndexMissing(told) from None
    from bot.render import build_index, print_summary

    print_summary(build_index(config), to_stderr=True)
    return load_chain(config)


def _is_behind(config: Settings, index: "Index") -> bool:
    """Tell whether an index lacks what its documents hold, after a run that was broken off or damage."""
    from bot.indexing import is_behind

    try:
        return is_behind(config, index)
    except GapbotError as error:
        _tell_behind(error)
        return False


def _follow(config: Settings) -> None:
    """Let the index follow its documents, so that nothing removed is cited; what fails is told, and the index answers as it is."""
    from bot.render import build_index

    print("The index is behind its documents: first the index follows…", file=sys.stderr, flush=True)
    try:
        build_index(config)
    except GapbotError as error:
        _tell_behind(error)


def _tell_behind(error: GapbotError) -> None:
    print(f"gapbot: {error}; the index does not hold the latest changes", file=sys.stderr, flush=True)


def _agrees(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def print_json(row: object) -> None:
    """Write one JSON object as a line of standard output."""
    text = json.dumps(row, ensure_ascii=False)
    # JSON has an escape for a lone surrogate, UTF-8 has none.
    if any("\ud800" <= c <= "\udfff" for c in text):
        text = json.dumps(row)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
