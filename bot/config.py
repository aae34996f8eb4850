"""Where things are: the few settings a user can change, from options and environment variables."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs

from corpus import SHIPPED_CORPUS
from corpus.errors import UsageError
from corpus.loaders import MAX_BYTES
from index.export import BUNDLED

if TYPE_CHECKING:
    from index.server import Server
_SHORTEST_PASSWORD = 12


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may be uploaded: bytes of one file, how many files are kept, bytes of all of them."""

    file: int = 20_000_000
    files: int = 1_000
    total: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """The home (indexes, exported encoders, logs), the corpus and the encoder of one run."""

    home: Path
    corpus: Path
    encoder: str = BUNDLED
    logs_gaps: bool = True
    keeps_feedback: bool = True
    reads: bool = True
    llm: str | None = None
    llm_url: str | None = None
    llm_seconds: float = 7.5
    chroma: str | None = None

    @property
    def name(self) -> str:
        """What the files of this corpus are called: each corpus has its own in a home, so that they never mix."""
        if self.corpus == SHIPPED_CORPUS:
            return "shipped"
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.corpus.name)[:40].strip("-.")
        return f"{name}-{_digest(str(self.corpus))}".lstrip("-")

    # It must not show up wherever this is printed.
    keeper_password: str | None = field(default=None, repr=False)
    quota: Quota = Quota()

    @property
    def index(self) -> Path:
        """The folder of the index, or of what this machine keeps of one that lies on a Chroma server."""
        if self.chroma:
            # One server may hold other data under other tenants and databases.
            place = "\n".join((self.chroma, *(os.environ.get(v, "") for v in ("CHROMA_TENANT", "CHROMA_DATABASE"))))
            return self.home / "indexes" / f"{self.shared_name}-at-{_digest(place)}"
        return self.home / "indexes" / self.name

    @property
    def shared_name(self) -> str:
        """The name of the index on a Chroma server, which is the same on every machine: that of the corpus folder."""
        if self.corpus == SHIPPED_CORPUS:
            return "shipped"
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.corpus.name)[:40].strip("-")
        return name if name == self.corpus.name != "shipped" else f"{name}-{_digest(self.corpus.name)}".lstrip("-")

    @property
    def server(self) -> "Server | None":
        """The index on the Chroma server, if one is named."""
        if not self.chroma:
            return None
        from index.server import Server

        return Server(self.chroma, self.shared_name)

    @property
    def gaps(self) -> Path:
        """The log of the questions that this corpus could not answer."""
        return self.home / "gaps" / f"{self.name}.jsonl"

    @property
    def added(self) -> Path:
        """The folder of the documents that were added to this corpus."""
        return self.home / "added" / self.name

    @property
    def feedback(self) -> Path:
        """What people said of the answers from this corpus."""
        return self.home / "feedback" / f"{self.name}.jsonl"

    @property
    def encoders(self) -> Path:
        """Where exported encoders lie."""
        return self.home / "encoders"


def settings(home: str | None = None, corpus: str | None = None, llm: str | None = None) -> Settings:
    """Build the settings from options, then GAPBOT_HOME, GAPBOT_CORPUS, GAPBOT_ENCODER, GAPBOT_GAPS, GAPBOT_FEEDBACK and
    GAPBOT_READER, then defaults.

    The LLM comes from GAPBOT_LLM, GAPBOT_LLM_URL and GAPBOT_LLM_SECONDS, a Chroma server from GAPBOT_CHROMA, the keeper's
    page from GAPBOT_KEEPER_PASSWORD and the quota from GAPBOT_KEEPER_FILE_MB, GAPBOT_KEEPER_FILES and
    GAPBOT_KEEPER_TOTAL_MB. Raises UsageError for a name that cannot be a folder, for what is no number or out of bounds, a
    server that is no address, and a password that is too short.
    """
    llm = llm or os.environ.get("GAPBOT_LLM") or "off"
    home = home or os.environ.get("GAPBOT_HOME") or platformdirs.user_data_dir("gapbot", appauthor=False)
    corpus = corpus or os.environ.get("GAPBOT_CORPUS")
    return Settings(
        home=_folder(home),
        corpus=_folder(corpus) if corpus else SHIPPED_CORPUS,
        encoder=os.environ.get("GAPBOT_ENCODER") or BUNDLED,
        logs_gaps=not _off("GAPBOT_GAPS"),
        keeps_feedback=not _off("GAPBOT_FEEDBACK"),
        reads=not _off("GAPBOT_READER"),
        llm=None if llm.lower() in ("off", "none", "0", "no") else llm,
        llm_url=os.environ.get("GAPBOT_LLM_URL") or None,
        llm_seconds=_seconds(os.environ.get("GAPBOT_LLM_SECONDS") or "7.5"),
        chroma=_server(os.environ.get("GAPBOT_CHROMA")),
        keeper_password=_password(os.environ.get("GAPBOT_KEEPER_PASSWORD")),
        quota=Quota(
            _count("GAPBOT_KEEPER_FILE_MB", 20, MAX_BYTES // 1_000_000) * 1_000_000,
            _count("GAPBOT_KEEPER_FILES", 1_000, 10_000),
            _count("GAPBOT_KEEPER_TOTAL_MB", 1_000, 1_000_000) * 1_000_000,
        ),
    )


def _password(text: str | None) -> str | None:
    if text and len(text) < _SHORTEST_PASSWORD:
        raise UsageError(f"GAPBOT_KEEPER_PASSWORD is too short: give one of at least {_SHORTEST_PASSWORD} characters")
    return text or None


def _count(variable: str, default: int, most: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise UsageError(f"{variable} is {text!r}: give a whole number from 1 to {most:,}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 600:
        raise UsageError(f"GAPBOT_LLM_SECONDS is {text!r}: give the longest time for an answer in seconds, 1 to 600")
    return value


def _server(text: str | None) -> str | None:
    if not text or text.lower() in ("off", "none", "0", "no"):
        return None
    if text == "cloud":
        if not os.environ.get("CHROMA_API_KEY"):
            raise UsageError("GAPBOT_CHROMA is cloud: set CHROMA_API_KEY, CHROMA_TENANT and CHROMA_DATABASE as well")
        return text
    try:
        url = urlsplit(text)
        good = url.scheme in ("http", "https") and url.hostname and (url.port or 1) and url.path in ("", "/")
    except ValueError:
        good = False
    if not good or url.username or url.query or url.fragment:
        raise UsageError("GAPBOT_CHROMA takes the address of a Chroma server, as in http://127.0.0.1:8000, or cloud")
    return text.rstrip("/")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _off(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("off", "0", "no", "false")


def _folder(name: str) -> Path:
    try:
        return Path(name).expanduser().resolve()
    except (RuntimeError, ValueError, OSError):
        raise UsageError(f"{name!r} is not a folder name that can be used here") from None


def version_of(package: str = "gapbot") -> str:
    """Return the version of a package, or an empty text where it is not installed, as in a bare checkout."""
    # Imported here, for no question needs it.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""
