"""The web server: the page and its files, behind headers and a check of who is asked. The one user of fastapi."""

import errno
import ipaddress
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bot.chain import Chain
from bot.markup import PAGE
from bot.web import mount_page
from corpus.errors import UsageError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = frozenset({"", "0.0.0.0", "::"})

# Gradio compiles its templates in the browser, which needs 'unsafe-eval', and starts from inline scripts. What
# matters stays closed: nothing is loaded from, sent to or framed by another host.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class Guarded:
    """An ASGI app behind security headers, which answers only requests that name a host it goes by.

    A page elsewhere can point a name of its own at 127.0.0.1 and read what is served there (DNS rebinding); the
    Host header then carries that name. Requests that change something must also come from an allowed origin.
    """

    def __init__(self, app: App, host: str) -> None:
        self.app = app
        self.host = host.strip("[]").lower()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in _HEADERS}
                kept = [(k, v) for k, v in message.get("headers", ()) if k.lower() not in own]
                message = {**message, "headers": [*kept, *_HEADERS]}
            await send(message)

        origin = headers.get(b"origin")
        if not self._known(headers.get(b"host", "")):
            return await _refuse(guarded, 421, "This server does not go by that name. Open it as http://localhost.")
        if scope["method"] not in ("GET", "HEAD") and origin and not self._known(urlsplit(origin).netloc):
            return await _refuse(guarded, 403, "Requests from other sites are not accepted.")
        if scope["path"].startswith(("/gradio_api/upload", "/upload")):
            # The page takes no files; Gradio would store whatever is sent here.
            return await _refuse(guarded, 404, "Not found.")
        return await self.app(scope, receive, guarded)

    def _known(self, netloc: str) -> bool:
        """Tell whether a Host header or the host of an origin names this server."""
        try:
            name = (urlsplit(f"//{netloc}").hostname or "").lower()
        except ValueError:
            return False
        if name in _LOCAL or (name and name == self.host):
            return True
        # Bound to every interface, it is reached by any of its addresses; rebinding needs a name, not an address.
        return self.host in _ANY and (_is_address(name) or name == socket.gethostname().lower())


def create_app(chain: Chain, host: str = "127.0.0.1") -> FastAPI:
    """Return the web app over a chain; `host` is the address it will be bound to.

    The generated API pages of FastAPI are off: they load scripts from elsewhere.
    """
    app = FastAPI(title="gapbot", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guarded, host=host)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    # Last, because it answers every path that no route before it has taken.
    mount_page(app, chain)
    return app


def serve(chain: Chain, host: str, port: int) -> None:
    """Serve the page until interrupted. Raises UsageError if the host and port cannot be had."""
    listening = _listen(host, port)
    try:
        app = create_app(chain, host)
        name = f"[{host}]" if ":" in host else host
        shown = "localhost" if host in _ANY else name
        print(
            f"gapbot is at http://{shown}:{listening.getsockname()[1]} (Ctrl+C stops it)", file=sys.stderr, flush=True
        )
        # An open page keeps a connection for events: without a limit, stopping would wait for it.
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, server_header=False)
        # uvicorn shuts down in order, then raises the interrupt that asked for it once more.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket before anything slow is done, so that a port in use is known at once."""
    listening = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, proto)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
        return listening
    except (OSError, OverflowError) as e:
        if listening:
            listening.close()
        if isinstance(e, socket.gaierror):
            raise UsageError(f"“{host}” is not an address of this machine: choose another with --host") from e
        if getattr(e, "errno", None) == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use: choose another with --port, for example --port {port + 1}") from e
        raise UsageError(f"cannot listen on {host}, port {port} ({e}): choose others with --host and --port") from e


async def _refuse(send: Send, status: int, line: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": line.encode()})


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
