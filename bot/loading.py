"""Open what the settings name, and join it into the chain that answers."""

import weakref

from bot.chain import Chain
from bot.config import Settings
from bot.gaps import GapLog
from bot.llm import load_model
from bot.reader import Reader
from corpus.profile import read_profile
from index.encoder import Encoder, encoder_folder, ensure_exported
from index.generations import live_name, published_name
from index.retriever import Index


def load_chain(settings: Settings) -> Chain:
    """Open the index and encoder that the settings name and return the chain over them, which logs its gaps.

    Raises IndexMissing, IndexMismatch, IndexError_, EncoderError, CorpusError, or ModelError with a message that says what to do.
    """
    server = settings.server
    if server:
        server.bring(settings.index)
        ensure_exported(settings.encoders, settings.encoder)
    # A missing index is told before a missing encoder: both are made by the same command.
    published_name(settings.index)
    encoder = Encoder(encoder_folder(settings.encoders, settings.encoder))

    def newer(index: Index) -> Index | None:
        return Index(settings.index, encoder) if live_name(settings.index) != index.published else None

    model = load_model(settings.llm, settings.llm_url, settings.llm_seconds) if settings.llm else None
    gaps = GapLog(settings.gaps) if settings.logs_gaps else None
    reader = Reader() if settings.reads else None
    profile = read_profile(settings.corpus)
    chain = Chain(Index(settings.index, encoder), newer, gaps, reader=reader, model=model, profile=profile)
    if server:
        server.follow(settings.index, weakref.ref(chain))
    return chain
