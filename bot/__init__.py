"""How gapbot answers: conversation, extractive answers, abstention, citations, command line, page and API.

From Python: `load_chain().ask(Question("…"))`.
"""

from typing import TYPE_CHECKING

from bot.answer import Answer, Citation, Conflict, Question

if TYPE_CHECKING:
    from bot.chain import Chain

__all__ = ["Answer", "Citation", "Conflict", "Question", "load_chain"]


def load_chain(*, home: str | None = None, corpus: str | None = None) -> "Chain":
    """Open the index and return the chain over it, as `gapbot --home HOME --corpus CORPUS` does.

    Raises IndexMissing where nothing has been indexed, and the other errors of `bot.loading.load_chain`.
    """
    # Imported here, for whoever imports this package for a small part of it should not wait for all of it.
    from bot import config, loading

    return loading.load_chain(config.settings(home, corpus))
