"""Who may ask over the network, how much and how often: API keys, rate and size limits. The one user of limits."""

import hmac
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from corpus.errors import UsageError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024
"""The largest request body in bytes."""
MAX_CHAT = 1024 * 1024
"""The largest body in bytes of what the page sends of its chat, which may be shown again with all its turns."""
PUBLIC_RATE = "300/minute"
"""The rate limit of a server that other machines can reach, where none is set."""

CROWDED = "too many questions at once: ask again in a second"
"""What is told who comes while there is no room."""

_CHAT = "/gradio_api/queue/join"
# What the page asks for beside the chat, at a cost.
_COUNTED = frozenset({"/page/feedback", "/page/next", "/page/starters"})
# What takes a place in the queue. An agent's call at /mcp does too, but is refused in its own protocol.
_WORK = frozenset({"/api/ask", "/api/search", "/v1/chat/completions"})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: with `keys`, only who brings one of them; `origins` are sites whose pages may ask.

    `rate` is the most requests of one key, or of one address without keys; None sets no limit. `hosts` are names that
    the server goes by beside its own, behind a proxy.
    """

    # Keys must not show up wherever this is printed.
    keys: tuple[str, ...] = field(default=(), repr=False)
    rate: RateLimitItem | None = None
    origins: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()


def read_access(environment: Mapping[str, str] = os.environ, *, public: bool = False) -> Access:
    """Read GAPBOT_API_KEYS, GAPBOT_ORIGINS and GAPBOT_HOSTS, separated by commas or spaces, and GAPBOT_RATE (“300/minute”, “off”).

    Where no rate is set, a `public` server, which other machines can reach, has PUBLIC_RATE and a local one none.
    Raises UsageError for what cannot be read; it never repeats a key.
    """
    keys = tuple(_listed(environment.get("GAPBOT_API_KEYS", "")))
    if any(not key.isascii() or not key.isprintable() for key in keys):
        raise UsageError("GAPBOT_API_KEYS holds a key with characters that a header cannot carry: use ASCII alone")
    origins = frozenset(origin.rstrip("/").lower() for origin in _listed(environment.get("GAPBOT_ORIGINS", "")))
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s*?#@]+", origin):
            raise UsageError(f"GAPBOT_ORIGINS: {origin!r} is no origin: name each as in https://example.org")
    hosts = frozenset(host.lower() for host in _listed(environment.get("GAPBOT_HOSTS", "")))
    for host in hosts:
        if not re.fullmatch(r"[\w.-]+", host):
            raise UsageError(f"GAPBOT_HOSTS: {host!r} is no name of a host: name each as in gapbot.example.org")
    rate = environment.get("GAPBOT_RATE", "").strip() or (PUBLIC_RATE if public else "off")
    return Access(keys, _rate(rate), origins, hosts)


def is_for_programs(path: str) -> bool:
    """Tell whether a path belongs to the API, not to the page."""
    return path in ("/mcp", "/metrics", "/api", "/v1") or path.startswith(("/api/", "/v1/", "/mcp/"))


class Limited:
    """An ASGI app that large bodies, unknown keys, too many requests of one client and more than there is room for do not reach.

    Bodies are limited on every path, keys and rates only for programs; health is open to all. What the page writes
    needs no key, for it has none, and is counted all the same.
    """

    def __init__(
        self,
        app: App,
        access: Access,
        streamed: frozenset[str] = frozenset(),
        full: Callable[[], bool] = lambda: False,
    ) -> None:
        """Guard an app. The routes at `streamed` paths bound by themselves what they read.

        While `full` says so, what would have to wait is refused before anything of it is read.
        """
        self._app = app
        self._access = access
        self._streamed = streamed
        self._full = full
        self._limiter = FixedWindowRateLimiter(MemoryStorage()) if access.rate else None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = {k.lower(): v for k, v in scope["headers"]}
        path = scope["path"]
        for_programs = is_for_programs(path) and path != "/api/health"
        if for_programs or path in _COUNTED:
            key = self._key(headers)
            client = f"key {key}" if key is not None else f"address {(scope.get('client') or ('?',))[0]}"
            wait = self._wait(client)
            if wait:
                message = "too many requests: wait as long as Retry-After says, in seconds"
                return await refuse(send, 429, message, (b"retry-after", str(wait).encode()))
            if for_programs and self._access.keys and key is None:
                message = "an API key is needed: send it as Authorization: Bearer KEY"
                return await refuse(send, 401, message, (b"www-authenticate", b"Bearer"))
        if path in _WORK and self._full():
            return await refuse(send, 503, CROWDED, (b"retry-after", b"1"))
        if path in self._streamed:
            return await self._app(scope, receive, send)
        most = MAX_CHAT if path == _CHAT else MAX_BODY
        if int(headers.get(b"content-length", b"0")) > most:
            return await refuse(send, 413, _too_large(most))
        if b"transfer-encoding" in headers:
            # Its size is not known before: it is read up to the limit, then handed on.
            body, complete = b"", False
            while not complete:
                piece = await receive()
                if piece["type"] != "http.request":
                    return None
                body += piece.get("body", b"")
                complete = not piece.get("more_body", False)
                if len(body) > most:
                    return await refuse(send, 413, _too_large(most))
            return await self._app(scope, _replay(body, receive), send)
        return await self._app(scope, receive, send)

    def _key(self, headers: Mapping[bytes, bytes]) -> int | None:
        """Return the number of the API key that a request brings, or None."""
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        given = given.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        # Every key is compared, each in constant time: how long it takes tells nothing about them.
        same = [n for n, key in enumerate(self._access.keys) if hmac.compare_digest(key.encode(), given)]
        return same[0] if same else None

    def _wait(self, client: str) -> int:
        """Count a request; return 0, or for how many seconds the client has to wait."""
        rate = self._access.rate
        if not (rate and self._limiter) or self._limiter.hit(rate, client):
            return 0
        return _until_reset(self._limiter, rate, client)


class Attempts:
    """Counts failed attempts of each client, an address; who has made too many has to wait."""

    def __init__(self, rate: str = "5/5 minutes") -> None:
        self._rate = parse(rate)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def wait(self, client: str) -> int:
        """Return 0, or for how many seconds a client may not try."""
        if self._limiter.test(self._rate, client):
            return 0
        return _until_reset(self._limiter, self._rate, client)

    def failed(self, client: str) -> None:
        """Count a failed attempt."""
        self._limiter.hit(self._rate, client)


def _until_reset(limiter: FixedWindowRateLimiter, rate: RateLimitItem, client: str) -> int:
    return max(1, round(limiter.get_window_stats(rate, client).reset_time - time.time() + 0.5))


def _too_large(most: int) -> str:
    return f"the body is larger than {most // 1024} KiB: send a shorter question or history"


async def refuse(send: Send, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer a request with an error, in the form that all errors of the API have."""
    body = error_body(status, message)
    start = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})


def error_body(status: int, message: str) -> bytes:
    """Return an error as JSON, in the shape that OpenAI's clients know."""
    kind = _TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    return json.dumps({"error": {"message": message, "type": kind, "code": str(status)}}).encode()


_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


def _replay(body: bytes, receive: Receive) -> Receive:
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return rest.pop() if rest else await receive()

    return replayed


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _rate(text: str) -> RateLimitItem | None:
    if text.lower() in ("off", "0", "no", "false"):
        return None
    try:
        return parse(text)
    except ValueError:
        raise UsageError(f"GAPBOT_RATE: {text!r} is no rate: write it as 300/minute, or off") from None
