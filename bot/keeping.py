"""What the keeper of a corpus does from afar: sign in, add and remove documents, see how the index follows and what is missing."""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot.chain import Chain
from bot.config import Quota, Settings
from bot.feedback import Feedback, FeedbackLog
from bot.gaps import Gap, GapLog
from bot.indexing import is_behind, update_index
from bot.limits import Attempts
from corpus.added import Added, AddedDocuments, possible_ids
from corpus.errors import GapbotError, IndexBusy, UsageError
from corpus.loaders import ROW_FORMATS, Refusal, cleaned
from index.build import Summary
from index.catalogue import Listed
from index.ingest import Progress

SESSION_SECONDS = 12 * 3600
"""How long a keeper stays signed in."""
_MOST_SESSIONS = 100
_MOST_REFUSED = 100
_SETTLED = 1.0
"""Seconds without another change after which the index follows: files that come together make one generation."""
_BUSY = 2.0
_BROKEN = "something went wrong here, and the index is as it was: run `gapbot index` to see what"
_log = logging.getLogger(__name__)


class NoRoom(UsageError):
    """What is sent is more than the quota allows."""


class Sessions:
    """Who has signed in: nothing of it outlasts the process."""

    def __init__(self, password: str) -> None:
        self._password = hashlib.sha256(password.encode()).digest()
        self._ends: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def open(self, password: str) -> str | None:
        """Return the token of a new session, or None for a wrong password. It takes as long for every one."""
        given = hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
        if not hmac.compare_digest(given, self._password):
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._ends) >= _MOST_SESSIONS:
                del self._ends[next(iter(self._ends))]
            self._ends[_digest(token)] = time.monotonic() + SESSION_SECONDS
        return token

    def hold(self, token: str) -> bool:
        """Tell whether a token is that of an open session."""
        return time.monotonic() < self._ends.get(_digest(token), 0.0)

    def close(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._ends.pop(_digest(token), None)


@dataclass(frozen=True, slots=True)
class Following:
    """How the index follows the documents: `stage` is what is being done, or empty; `total` 0 means unknown.

    `refused` are the files of the corpus that the last run left out; `problem` is why it failed, in one line.
    """

    stage: str = ""
    done: int = 0
    total: int = 0
    problem: str = ""
    refused: tuple[Refusal, ...] = ()


class Indexing:
    """Brings an index up to date in a thread, one run at a time, soon after it is told that documents have changed."""

    def __init__(self, update: Callable[[Progress], Summary]) -> None:
        self._update = update
        self._lock = threading.Lock()
        self._wanted = self._running = False
        self._changed = 0.0
        self.state = Following()

    def follow(self) -> None:
        """Say that documents have changed. Returns at once."""
        with self._lock:
            self._wanted, self._changed = True, time.monotonic()
            if not self._running:
                self._running = True
                self.state = replace(self.state, stage="Waiting", done=0, total=0)
                threading.Thread(target=self._run, name="gapbot-indexing", daemon=True).start()

    def _run(self) -> None:
        state = self.state
        while True:
            with self._lock:
                if not self._wanted:
                    self._running, self.state = False, state
                    return
                settles = self._changed + _SETTLED - time.monotonic()
                if settles <= 0:
                    self._wanted = False
            if settles > 0:
                time.sleep(settles)
                continue
            try:
                summary = self._update(self._report)
                state = Following(refused=summary.refused)
            except IndexBusy:
                self._report("Waiting for another gapbot that is writing the index", 0, 0)
                with self._lock:
                    self._wanted = True
                time.sleep(_BUSY)
            except GapbotError as error:
                state = Following(problem=str(error), refused=state.refused)
            except Exception:
                _log.exception("the index could not be brought up to date")
                state = Following(problem=_BROKEN, refused=state.refused)

    def _report(self, stage: str, done: int, total: int) -> None:
        self.state = replace(self.state, stage=stage, done=done, total=total, problem="")


@dataclass(frozen=True, slots=True)
class Held:
    """A document, or a file of many, as the keeper sees it.

    `file` is the name of an added file, which can be removed, and `bytes` its size; other documents have their length in
    `characters`. `listed` is None for a file of rows or facts, and for one that the index does not hold yet.
    """

    id: str
    listed: Listed | None = None
    file: str | None = None
    added: str | None = None
    bytes: int = 0

    @property
    def kind(self) -> str:
        """The format of an added file, else the kind of the document."""
        return Path(self.file).suffix[1:].upper() if self.file else self.listed.kind if self.listed else ""

    @property
    def holds_many(self) -> bool:
        """Whether it is a file of rows or facts, each a document of its own."""
        return bool(self.file) and Path(self.file or "").suffix.lower() in ROW_FORMATS


@dataclass(frozen=True, slots=True)
class Used:
    """What of the quota is used: files, and bytes of all of them."""

    files: int
    bytes: int


class Keeper:
    """The keeper's view of one corpus. Safe for several threads."""

    def __init__(self, config: Settings, chain: Chain, password: str) -> None:
        self.sessions = Sessions(password)
        self.attempts = Attempts()
        self.indexing = Indexing(partial(update_index, config))
        self.quota: Quota = config.quota
        self._config = config
        self._chain = chain
        self._store = AddedDocuments(config.added)
        self._lock = threading.Lock()
        self._refused: deque[Refusal] = deque(maxlen=_MOST_REFUSED)

    def catch_up(self) -> None:
        """Let the index follow if documents have changed that it does not hold: the process may have ended in between."""
        if is_behind(self._config, self._chain.index):
            self.indexing.follow()

    def check_room(self, name: str, size: int) -> None:
        """Raise NoRoom where there is none for a file of that size, in bytes, beside the others."""
        quota = self.quota
        others = [a for a in self._store.entries() if a.origin != f"upload:{name}"]
        if len(others) >= quota.files:
            raise NoRoom(f"{quota.files:,} files are kept already, the most there may be: remove some first")
        if sum(map(self._size, others)) + size > quota.total:
            raise NoRoom(f"all files together may have {quota.total // 1_000_000:,} MB: remove some first")

    def upload(self, name: str, data: bytes) -> tuple[str, str]:
        """Take a file. Returns "added", "replaced" or "known", and the name it is kept under.

        Raises NoRoom, UsageError with the reason where the file is refused, CorpusError where nothing can be written.
        """
        name = cleaned(name)
        try:
            with self._lock:
                self.check_room(name, len(data))
                done = self._store.upload(name, data)
            if done.refused:
                raise UsageError(done.refused[0].reason)
        except UsageError as error:
            self._note(name, str(error))
            raise
        self._note(name, None)
        outcome = "added" if done.added else "replaced" if done.replaced else "known"
        if outcome != "known":
            self.indexing.follow()
        return outcome, (done.added + done.replaced + done.known)[0].name

    def remove(self, name: str) -> None:
        """Take an added file out again, by the name it is kept under. Raises CorpusError where there is none."""
        self._store.remove([name])
        self.indexing.follow()

    def used(self) -> Used:
        """Return what of the quota is used."""
        entries = self._store.entries()
        return Used(len(entries), sum(map(self._size, entries)))

    def documents(self, most: int, skip: int = 0) -> tuple[list[Held], int | None, int]:
        """Return some documents, where to go on (None at the end), and how many the index holds.

        Added files come first, the newest foremost; then the corpus's own in the order of their ids.
        """
        entries = sorted(self._store.entries(), key=lambda a: (a.added, a.name), reverse=True)
        catalogue = self._chain.index.catalogue
        # A file of rows is no document, even if one of its rows bears its name.
        files = {a.name for a in entries if Path(a.name).suffix.lower() not in ROW_FORMATS}
        listed = catalogue.listed({i for name in files for i in possible_ids(name)})
        documents = {x.added: x for x in listed.values() if x.added in files}
        total = catalogue.count()
        rows: list[Held] = []
        for a in entries:
            found = documents.get(a.name)
            rows.append(Held(found.id if found else a.name, found, a.name, a.added, self._size(a)))
        own = [row.listed.id for row in rows if row.listed]
        shown = rows[skip : skip + most]
        if len(shown) < most:
            others = catalogue.listing(most - len(shown), max(0, skip - len(rows)), own)
            shown += [Held(x.id, x) for x in others]
        end = skip + most
        return shown, end if end < len(rows) + total - len(set(own)) else None, total

    def refused(self) -> list[Refusal]:
        """Return what was refused: of what was sent, the newest first, and of the whole corpus at the last indexing."""
        with self._lock:
            return [*self._refused, *self.indexing.state.refused]

    def gaps(self) -> list[Gap]:
        """Return the questions that found no answer, most frequent first."""
        return GapLog(self._config.gaps).gaps()

    def feedback(self) -> list[tuple[str, Feedback]]:
        """Return what people said of answers with its time, newest first."""
        return FeedbackLog(self._config.feedback).read()[::-1]

    def _note(self, name: str, reason: str | None) -> None:
        """Remember why a file was refused, in place of what was noted of it before; None where it was not."""
        with self._lock:
            for refusal in [r for r in self._refused if r.path == name]:
                self._refused.remove(refusal)
            if reason:
                self._refused.appendleft(Refusal(name, reason))

    def _size(self, entry: Added) -> int:
        try:
            return (self._store.folder / entry.name).stat().st_size
        except OSError:
            return 0


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
