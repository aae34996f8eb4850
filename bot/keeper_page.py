"""The routes of the keeper's page: a shell that anyone may load, and behind the password all that it shows and does."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from bot.failures import ToldRoute
from bot.keeping import SESSION_SECONDS, Keeper, NoRoom
from bot.markup import PARTS
from corpus.formats import READERS
from corpus.loaders import ROW_FORMATS

KEEPER = "/keeper"
"""Where the page is."""
UPLOADS = f"{KEEPER}/documents"
"""Where files are sent to: the one path whose bodies may be large."""
_COOKIE = "gapbot_keeper"
_ROWS, _MOST = 40, 100
"""Documents that are listed at a time, and the most gaps and judgements."""


class Password(BaseModel):
    """What someone signs in with."""

    password: Annotated[str, Field(max_length=1_000)]


def is_the_keepers(path: str) -> bool:
    """Tell whether a path belongs to the keeper's page."""
    return path == KEEPER or path.startswith(f"{KEEPER}/")


def router(keeper: Keeper) -> APIRouter:
    """Return the routes over a keeper's corpus."""

    def own(request: Request) -> None:
        """Let only this server's own page in: another port of the same machine is another site here."""
        origin, site = (request.headers.get(name) for name in ("origin", "sec-fetch-site"))
        reads = request.method in ("GET", "HEAD")
        foreign = site not in (None, "same-origin", *(("none",) if reads else ()))
        if foreign or (origin and _netloc(origin) != request.headers.get("host")) or not (reads or origin or site):
            raise HTTPException(403, "requests from other sites are not accepted: open the keeper's page itself")

    def signed_in(request: Request) -> None:
        if not keeper.sessions.hold(request.cookies.get(_COOKIE, "")):
            raise HTTPException(401, "sign in first")

    routes = APIRouter(prefix=KEEPER, route_class=ToldRoute)
    inner = APIRouter(route_class=ToldRoute, dependencies=[Depends(own), Depends(signed_in)])

    @routes.get("", response_class=HTMLResponse)
    async def shell() -> str:
        formats = ",".join(sorted({*READERS, *ROW_FORMATS}))
        return PARTS.get_template("keeper.html").render(formats=formats, quota=keeper.quota)

    @routes.post("/session", status_code=204, dependencies=[Depends(own)])
    async def sign_in(given: Password, request: Request, response: Response) -> None:
        client = request.client.host if request.client else "?"
        wait = keeper.attempts.wait(client)
        if wait:
            minutes = -(-wait // 60)
            message = f"too many wrong passwords: try again in {minutes} minute{'s' * (minutes > 1)}"
            raise HTTPException(429, message, {"retry-after": str(wait)})
        token = keeper.sessions.open(given.password)
        if not token:
            keeper.attempts.failed(client)
            raise HTTPException(401, "that is not the password")
        response.set_cookie(
            _COOKIE, token, SESSION_SECONDS, path=KEEPER, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        # Whatever has changed since, in the corpus folder too, is to be seen by whoever looks now.
        keeper.indexing.follow()

    @inner.delete("/session", status_code=204)
    async def sign_out(request: Request, response: Response) -> None:
        keeper.sessions.close(request.cookies.get(_COOKIE, ""))
        response.delete_cookie(_COOKIE, path=KEEPER, httponly=True, samesite="strict")

    @inner.get("/status")
    async def status() -> dict[str, Any]:
        s = keeper.indexing.state
        return {"stage": s.stage, "done": s.done, "total": s.total, "problem": s.problem}

    @inner.get("/lists", response_class=HTMLResponse)
    async def lists() -> str:
        return await asyncio.to_thread(_lists, keeper)

    @inner.get("/documents", response_class=HTMLResponse)
    async def documents(skip: Annotated[int, Query(ge=0, le=10**9)]) -> str:
        return await asyncio.to_thread(_rows, keeper, skip)

    @inner.post("/documents")
    async def upload(name: Annotated[str, Query(min_length=1, max_length=300)], request: Request) -> dict[str, str]:
        try:
            # One that is within the bound is read before it is refused: a browser tells no answer that comes earlier.
            _check_size(keeper, _announced(request))
            data = bytearray()
            async for piece in request.stream():
                data += piece
                _check_size(keeper, len(data))
            outcome, kept = await asyncio.to_thread(keeper.upload, name, bytes(data))
        except NoRoom as error:
            raise HTTPException(413, str(error)) from error
        return {"outcome": outcome, "name": kept}

    @inner.delete("/documents/{name}", status_code=204)
    async def remove(name: str) -> None:
        await asyncio.to_thread(keeper.remove, name)

    routes.include_router(inner)
    return routes


def _lists(keeper: Keeper) -> str:
    rows, more, total = keeper.documents(_ROWS)
    return PARTS.get_template("keeper_lists.html").render(
        rows=rows, more=more, total=total, used=keeper.used(), quota=keeper.quota, refused=keeper.refused(),
        gaps=keeper.gaps(), feedback=keeper.feedback(), most=_MOST,
    )  # fmt: skip


def _rows(keeper: Keeper, skip: int) -> str:
    rows, more, _ = keeper.documents(_ROWS, skip)
    return PARTS.get_template("keeper_rows.html").render(rows=rows, more=more)


def _check_size(keeper: Keeper, size: int) -> None:
    if size > keeper.quota.file:
        raise NoRoom(f"it is larger than {keeper.quota.file // 1_000_000} MB, the most for one file: split it")


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
