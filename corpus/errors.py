"""Every error gapbot raises on purpose, lowest in the house so that all packages may import it.

GapbotError                what went wrong and what to do, in one line
├── UsageError             the command or the question is wrong: mend it and ask again
├── CorpusError            a corpus folder or document cannot be used
│   └── RefusedDocument    one document is left out; the others go on
├── EncoderError           the encoder's weights are missing, damaged or cannot be exported
├── ModelError             the LLM cannot be used, or did not answer
├── IndexError_            the index cannot answer
│   ├── IndexMissing       nothing has been indexed yet
│   ├── IndexMismatch      the index was built with another encoder or format
│   ├── IndexUnreachable   the Chroma server that holds the index does not answer
│   ├── IndexReadOnly      the index lies where nothing can be written
│   └── IndexBusy          another process is writing the index
└── Overloaded             more is asked at once than can be answered soon
"""


class GapbotError(Exception):
    """Base of all errors whose message is written for the user: one line that says what to do."""


class UsageError(GapbotError):
    """A command, option, question or input row that cannot be used as given."""


class CorpusError(GapbotError):
    """A corpus folder that is missing or cannot be read."""


class RefusedDocument(CorpusError):
    """One document that is left out of the index, with the reason."""


class EncoderError(GapbotError):
    """An encoder whose weights are missing, damaged or not exportable."""


class ModelError(GapbotError):
    """An LLM that is not installed, not set up, or that did not answer."""


class IndexError_(GapbotError):
    """An index that cannot answer; the underscore keeps the built-in name free."""


class IndexMissing(IndexError_):
    """No index has been built in this home."""


class IndexMismatch(IndexError_):
    """The index belongs to another encoder, dimension or format: it has to be built anew."""


class IndexUnreachable(IndexError_):
    """The Chroma server that holds the index does not answer now."""


class IndexReadOnly(IndexError_):
    """The index lies where nothing can be written, and whoever opens it has to work on a copy."""


class IndexBusy(IndexError_):
    """Another process holds the writer's lock."""


class Overloaded(GapbotError):
    """More is asked at once than can be answered soon: ask again in a moment."""
