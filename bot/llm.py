"""The seam to an LLM: a stream of text within time limits, tried again once, cut off while it keeps failing.

The one user of LangChain's chat models. Whatever goes wrong here is a ModelError whose message is gapbot's own: what a
server answers may hold a key or a stranger's text, and is never shown.
"""

import asyncio
import os
import queue
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.answer import Tokens
from bot.model_errors import NO_HOST, TLS, is_connection, reason_of, status_of
from bot.prompts import Prompt
from corpus.errors import ModelError, UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

EXTRAS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google_genai": "google",
    "ollama": "ollama",
    "mistralai": "mistral",
}
"""LangChain's names of the providers, and the extras of gapbot that bring them."""

MOST_TOKENS = 1_000
"""The most tokens that an answer is asked for; twice as many characters a token as is usual are read of it at most."""

_ATTEMPTS = 2
_CHARACTERS = 8
_AFTER_FAILURES, _REST = 5, 30.0
_TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_CUT_SHORT = frozenset({"length", "max_tokens", "MAX_TOKENS", "content_filter", "SAFETY", "refusal"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds: `whole` of an answer with its retries; the others follow from it."""

    whole: float = 7.5

    def stages(self) -> tuple[float, float, float]:
        """Return the limits of connecting, of the first piece of text, and between two pieces."""
        return min(3.0, self.whole / 3), self.whole * 0.6, self.whole / 3


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How often a request is tried, and how many tokens are asked for."""

    attempts: int = _ATTEMPTS
    tokens: int = MOST_TOKENS


class Breaker:
    """After some failures in a row nothing is asked for a while; then one question tries again."""

    def __init__(self, failures: int = _AFTER_FAILURES, rest: float = _REST) -> None:
        self._most, self._rest = failures, rest
        self._failures = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def admits(self) -> bool:
        """Tell whether to ask; while it rests, the first to come after its time is let through alone."""
        with self._lock:
            now = time.monotonic()
            if self._failures < self._most:
                return True
            if now < self._until:
                return False
            self._until = now + self._rest
            return True

    def report(self, succeeded: bool) -> None:
        with self._lock:
            self._failures = 0 if succeeded else self._failures + 1
            if self._failures >= self._most:
                self._until = time.monotonic() + self._rest


class Model:
    """A chat model by its name `provider:model`. Safe for several threads."""

    def __init__(
        self, name: str, chat: "BaseChatModel", limits: Limits | None = None, breaker: Breaker | None = None
    ) -> None:
        self.name = name
        self.breaker = breaker or Breaker()
        self._chat = chat
        self._limits = limits or Limits()

    def stream(self, prompt: Prompt, spent: float = 0.0) -> Iterator[str | Tokens]:
        """Yield the answer as it comes, and last its tokens. Raises ModelError; closing it ends the request.

        `spent` seconds of the time for an answer are gone already.
        """
        return self._stream(prompt, max(0.0, self._limits.whole - spent), _Bounds())

    def reply(self, prompt: Prompt, most_tokens: int) -> tuple[str, Tokens]:
        """Return a short answer that an answer is prepared by: asked once, in a quarter of the time, and cut at its length.

        Raises ModelError.
        """
        text = ""
        for piece in self._stream(prompt, min(5.0, self._limits.whole / 4), _Bounds(1, most_tokens)):
            if isinstance(piece, Tokens):
                return text, piece
            text += piece
        raise ModelError("it sent an empty answer")

    def _stream(self, prompt: Prompt, seconds: float, bounds: _Bounds) -> Iterator[str | Tokens]:
        if not self.breaker.admits():
            raise ModelError("it has failed several times in a row and is left alone for half a minute")
        came: queue.SimpleQueue[str | Tokens | ModelError] = queue.SimpleQueue()
        end = time.monotonic() + seconds
        task = asyncio.run_coroutine_threadsafe(self._read(prompt, came.put, end, bounds), _loop())
        try:
            while True:
                try:
                    # The reader keeps the limits; this one is for a client that blocks the reader itself.
                    item = came.get(timeout=max(0.0, end - time.monotonic()) + 0.3)
                except queue.Empty:
                    item = ModelError("it took too long")
                if isinstance(item, str) and time.monotonic() > end:
                    item = ModelError("it took too long")
                if isinstance(item, ModelError):
                    self.breaker.report(False)
                    raise item
                if isinstance(item, Tokens):
                    self.breaker.report(True)
                    yield item
                    return
                yield item
        finally:
            task.cancel()

    async def _read(
        self, prompt: Prompt, put: Callable[[str | Tokens | ModelError], None], end: float, bounds: _Bounds
    ) -> None:
        said: list[str] = []
        try:
            async with asyncio.timeout(max(0.1, end - time.monotonic())):
                for attempt in range(1, bounds.attempts + 1):
                    try:
                        put(await self._attempt(prompt, put, said, bounds))
                        return
                    except Exception as error:
                        wait = _pause(error, end)
                        if said or attempt == bounds.attempts or wait is None:
                            raise
                        await asyncio.sleep(wait)
        except ModelError as error:
            put(error)
        except Exception as error:
            put(ModelError(reason_of(error)))

    async def _attempt(
        self, prompt: Prompt, put: Callable[[str | Tokens | ModelError], None], said: list[str], bounds: _Bounds
    ) -> Tokens:
        """Read one answer. Raises ModelError for one that is empty, cut or endless, and whatever the client raises."""
        messages = [("system", prompt.system), ("human", prompt.user)]
        usage: dict[str, int] = {}
        ended = None
        # Other providers have other names for it; there the length is kept by counting what comes.
        fewer = bounds.tokens < MOST_TOKENS and self.name.partition(":")[0] in ("openai", "anthropic", "mistralai")
        options: dict[str, Any] = {"max_tokens": bounds.tokens} if fewer else {}
        stream = self._chat.astream(messages, **options)
        try:
            async with asyncio.timeout(self._limits.stages()[1]) as limit:
                async for chunk in stream:
                    text = str(chunk.text)
                    if text:
                        limit.reschedule(asyncio.get_running_loop().time() + self._limits.stages()[2])
                        said.append(text)
                        put(text)
                    facts = chunk.response_metadata
                    ended = facts.get("finish_reason") or facts.get("stop_reason") or facts.get("done_reason") or ended
                    for key, count in (getattr(chunk, "usage_metadata", None) or {}).items():
                        if isinstance(count, int):
                            usage[key] = max(count, usage.get(key, 0))
                    if sum(map(len, said)) > _CHARACTERS * bounds.tokens:
                        raise ModelError("it did not stop writing")
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()
        whole = "".join(said)
        if not whole.strip():
            raise ModelError("it sent an empty answer")
        if str(ended) in _CUT_SHORT:
            raise ModelError("its answer was cut off at its length limit")
        if ended is None and self.name.partition(":")[0] in EXTRAS:
            raise ModelError("its answer broke off")
        estimated = not usage.get("output_tokens")
        sent = usage.get("input_tokens") or (len(prompt.system) + len(prompt.user)) // 4
        return Tokens(sent, usage.get("output_tokens") or max(1, len(whole) // 4), estimated)


def load_model(name: str, url: str | None = None, seconds: float | None = None) -> Model:
    """Return the model that `provider:model` names, at a base URL of its own if one is given.

    Raises UsageError for a name of another form and ModelError for a provider that is not installed or not set up.
    """
    provider, _, model = name.partition(":")
    if not provider or not model.strip():
        raise UsageError(f"the LLM “{name}” is not provider:model, for example openai:gpt-5-mini or ollama:qwen3")
    limits = Limits(seconds) if seconds else Limits()
    from langchain.chat_models import init_chat_model

    try:
        chat = init_chat_model(model, model_provider=provider, **_options(provider, url, limits))
    except ImportError:
        extra = EXTRAS.get(provider)
        package = f'"gapbot[{extra}]"' if extra else f"langchain-{provider.replace('_', '-')}"
        raise ModelError(f"the LLM provider {provider} is not installed: pip install {package}") from None
    except Exception as error:
        if "Unsupported" in str(error) or "Unable to infer" in str(error):
            known = ", ".join(EXTRAS)
            raise UsageError(f"{provider} is no LLM provider that is known here: use one of {known}") from None
        key = {"google_genai": "GOOGLE", "mistralai": "MISTRAL"}.get(provider, provider.upper()) + "_API_KEY"
        raise ModelError(f"the LLM {name} cannot be set up ({type(error).__name__}): is {key} set?") from None
    return Model(name, chat, limits)


def _options(provider: str, url: str | None, limits: Limits) -> dict[str, Any]:
    """Return how a provider's client is made: no retries and no waiting of its own, for both are kept here."""
    options: dict[str, Any] = {"num_predict": MOST_TOKENS} if provider == "ollama" else {"max_tokens": MOST_TOKENS}
    if provider in ("openai", "anthropic", "mistralai"):
        options["max_retries"] = 0
    if url:
        options["base_url"] = url
        # Hosted models of some makers accept no temperature; servers of one's own do.
        options["temperature"] = 0
    if provider == "openai":
        import httpx

        options["timeout"] = httpx.Timeout(limits.whole, connect=limits.stages()[0])
        options["stream_usage"] = True
        if url and not os.environ.get("OPENAI_API_KEY"):
            options["api_key"] = "none"
    return options


def _pause(error: Exception, end: float) -> float | None:
    """Return how long to wait before the second attempt, with jitter; None where another would fail as well."""
    status = status_of(error)
    wait = random.uniform(0.1, 0.5)
    if status is None:
        if not isinstance(error, ModelError) and (not is_connection(error) or reason_of(error) in (NO_HOST, TLS)):
            return None
    elif status not in _TRY_AGAIN:
        return None
    response = getattr(error, "response", None)
    asked = str(getattr(response, "headers", {}).get("retry-after", "")) if response is not None else ""
    wait = max(wait, float(asked)) if re.fullmatch(r"\d{1,4}(?:\.\d+)?", asked) else wait
    # A second attempt needs time of its own.
    return wait if time.monotonic() + wait + 2.0 < end else None


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    """The one loop of all requests, in a thread of its own: cancelling there really closes a connection."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="gapbot-llm", daemon=True).start()
    return loop
