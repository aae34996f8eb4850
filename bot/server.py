"""The web server: the page and the API on one port, behind headers and a check of who is asked and who asks."""

import asyncio
import errno
import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from bot import api, keeper_page, openai_api, page_api
from bot.chain import Chain
from bot.config import version_of
from bot.failures import BROKEN, tell_errors
from bot.feedback import FeedbackLog
from bot.keeper_page import KEEPER, UPLOADS, is_the_keepers
from bot.keeping import Keeper
from bot.limits import MAX_BODY, Access, App, Limited, Message, Receive, Send, is_for_programs, read_access, refuse
from bot.markup import PAGE
from bot.mcp_server import McpApp, mcp_server
from bot.metrics import Measured, Metrics
from bot.service import WAITING_FOR_A_MODEL, Service, Workers
from bot.web import mount_page
from corpus.errors import UsageError

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = frozenset({"", "0.0.0.0", "::"})
_log = logging.getLogger(__name__)

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
# The keeper's page has no Gradio in it, and is kept by no cache.
_KEEPER = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-store"),
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
    Host header then carries that name. A request that a page has sent must also come from this server's own page or
    from an origin that was named.
    """

    def __init__(
        self, app: App, host: str, origins: frozenset[str] = frozenset(), hosts: frozenset[str] = frozenset()
    ) -> None:
        self.app = app
        self.host = host.strip("[]").lower()
        self.origins = origins
        self.hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = {k.lower(): v.decode("latin-1") for k, v in scope["headers"]}

        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = dict(_HEADERS) | (dict(_KEEPER) if is_the_keepers(scope["path"]) else {})
                if scope["path"].startswith("/page/"):
                    # Asked for anew each time (and mostly not sent): after an upgrade no old script meets a new one.
                    own[b"cache-control"] = b"no-cache"
                kept = [(k, v) for k, v in message.get("headers", ()) if k.lower() not in own]
                message = {**message, "headers": [*kept, *own.items()]}
            await send(message)

        if not self._known(headers.get(b"host", "")):
            name = "this server does not go by that name: open it as http://localhost, or name it in GAPBOT_HOSTS"
            return await refuse(guarded, 421, name)
        if not self._allowed(headers, is_for_programs(scope["path"])):
            return await refuse(guarded, 403, "requests from other sites are not accepted")
        if scope["path"].startswith(("/gradio_api/upload", "/upload")):
            # The page takes no files; Gradio would store whatever is sent here.
            return await refuse(guarded, 404, "not found")
        try:
            return await self.app(scope, receive, guarded)
        except Exception:
            # Logged once, here; what a framework would say of it lacks the headers.
            _log.exception("a request failed")
            if not started:
                await refuse(guarded, 500, BROKEN)

    def _allowed(self, headers: dict[bytes, str], for_programs: bool) -> bool:
        """Tell whether a request may come from where its browser says that it comes from; other programs do not say."""
        origin = headers.get(b"origin", "")
        if for_programs and origin.lower() in self.origins:
            return True
        # An image or a script of another site, or of another port here, has no origin. A link to this page is welcome.
        foreign = headers.get(b"sec-fetch-site") in ("cross-site", "same-site")
        if foreign and headers.get(b"sec-fetch-mode") != "navigate":
            return False
        if not origin:
            return True
        try:
            return self._known(urlsplit(origin).netloc)
        except ValueError:
            return False

    def _known(self, netloc: str) -> bool:
        """Tell whether a Host header or the host of an origin names this server."""
        try:
            name = (urlsplit(f"//{netloc}").hostname or "").lower()
        except ValueError:
            return False
        if name in _LOCAL or name in self.hosts or (name and name == self.host):
            return True
        # Bound to every interface, it is reached by any of its addresses; rebinding needs a name, not an address.
        return self.host in _ANY and (_is_address(name) or name == socket.gethostname().lower())


class ForPrograms:
    """The page, and beside it another app that answers the paths for programs: neither takes what is the other's."""

    def __init__(self, app: App, programs: App, mcp: App) -> None:
        self.app = app
        self.programs = programs
        self.mcp = mcp

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_for_programs(scope["path"]):
            return await self.app(scope, receive, send)
        await (self.mcp if scope["path"] == "/mcp" else self.programs)(scope, receive, send)


def create_app(
    chain: Chain,
    host: str = "127.0.0.1",
    access: Access | None = None,
    workers: Workers | None = None,
    feedback: FeedbackLog | None = None,
    keeper: Keeper | None = None,
) -> FastAPI:
    """Return the web app over a chain; `host` is the address it will be bound to, `workers` do the work for programs.

    Without a log no `feedback` is kept, without a `keeper` there is no page for one.

    The generated API pages of FastAPI are off: they load scripts from elsewhere.
    """
    access = access or Access()
    workers = workers or Workers(*(WAITING_FOR_A_MODEL if chain.writes else ()))
    metrics = Metrics(workers)
    service = Service(chain, metrics.count_answer, workers, feedback)
    tools = McpApp(mcp_server(service, version_of()), MAX_BODY)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # The first question loads the network that reads, and takes longer: it is not left to a visitor.
        warm = asyncio.create_task(_warmed(service))
        async with tools.run():
            yield
        warm.cancel()

    app = FastAPI(title="gapbot", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    # The last one added is the first that a request meets.
    app.add_middleware(ForPrograms, programs=_programs(service, metrics), mcp=tools)
    streamed = frozenset({UPLOADS} if keeper else ())
    app.add_middleware(Limited, access=access, streamed=streamed, full=workers.full)
    if access.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=sorted(access.origins), allow_methods=["GET", "POST"], max_age=600,
            allow_headers=["authorization", "content-type", "x-api-key", "mcp-protocol-version"],
            expose_headers=["retry-after"],
        )  # fmt: skip
    app.add_middleware(Guarded, host=host, origins=access.origins, hosts=access.hosts)
    app.add_middleware(Measured, metrics=metrics)
    app.include_router(page_api.router(service))
    if keeper:
        app.include_router(keeper_page.router(keeper))
    tell_errors(app)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    # Last, because it answers every path that no route before it has taken.
    mount_page(app, chain, lambda answer: metrics.count_answer(answer, "page"))
    return app


async def _warmed(service: Service) -> None:
    try:
        await service.starters()
    except Exception:
        _log.exception("the questions to begin with could not be tried")


def _programs(service: Service, metrics: Metrics) -> FastAPI:
    about = "Answers whose every sentence is cited word for word from its source. /mcp has the same for agents."
    app = FastAPI(
        title="gapbot", version=version_of() or "0", description=about, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json",
    )  # fmt: skip
    app.include_router(api.router(service, metrics))
    app.include_router(openai_api.router(service))
    tell_errors(app)
    return app


def serve(
    chain: Chain, host: str, port: int, feedback: FeedbackLog | None = None, keeper: Keeper | None = None
) -> None:
    """Serve the page until interrupted. Raises UsageError if the host and port cannot be had, or the access settings read."""
    access = read_access(public=host.strip("[]").lower() not in _LOCAL)
    # Answers are computed by several threads. Whoever is refused for want of room waits for none of them, so the thread
    # that refuses must not wait five milliseconds at every step for its turn.
    sys.setswitchinterval(0.0005)
    listening = _listen(host, port)
    try:
        app = create_app(chain, host, access, feedback=feedback, keeper=keeper)
        name = f"[{host}]" if ":" in host else host
        shown = "localhost" if host in _ANY else name
        url = f"http://{shown}:{listening.getsockname()[1]}"
        print(f"gapbot is at {url} (Ctrl+C stops it)", file=sys.stderr, flush=True)
        if keeper:
            print(f"The keeper's page is at {url}{KEEPER}", file=sys.stderr, flush=True)
        # An open page keeps a connection for events: without a limit, stopping would wait for it. That it was cut off is
        # nobody's concern, and what fails within a request is logged by `Guarded`.
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=2, server_header=False)
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
        # Above what is answered at once, so that a crowd is refused by an answer and not by silence.
        listening.listen(2048)
        return listening
    except (OSError, OverflowError) as e:
        if listening:
            listening.close()
        if isinstance(e, socket.gaierror):
            raise UsageError(f"“{host}” is not an address of this machine: choose another with --host") from e
        if getattr(e, "errno", None) == errno.EADDRINUSE:
            raise UsageError(f"port {port} is in use: choose another with --port, for example --port {port + 1}") from e
        raise UsageError(f"cannot listen on {host}, port {port} ({e}): choose others with --host and --port") from e


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
