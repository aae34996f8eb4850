"""Errors as HTTP carries them: one status and one line for each, in the one shape that OpenAI's clients know."""

import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from bot.limits import error_body
from corpus.errors import GapbotError, Overloaded, UsageError

BROKEN = "something went wrong here, and no answer came: try again"
_log = logging.getLogger(__name__)


class Error(BaseModel):
    """What went wrong and what to do, in one line; `code` is the HTTP status."""

    message: str
    type: str
    code: str


class Failure(BaseModel):
    """The body of every response that is an error."""

    error: Error


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Failure, "description": "the body is not JSON"},
    401: {"model": Failure, "description": "an API key is needed"},
    413: {"model": Failure, "description": "the body is too large"},
    422: {"model": Failure, "description": "the request cannot be used as it is"},
    429: {"model": Failure, "description": "too many requests: wait as long as Retry-After says"},
    503: {"model": Failure, "description": "not now: too much is asked at once, or there is no index"},
}
"""What every route may answer in place of its answer."""
NOT_HERE: dict[int | str, dict[str, Any]] = {403: {"model": Failure, "description": "this server does not do that"}}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "there is none of that name"}}


def status_of(error: Exception) -> tuple[int, str]:
    """Return the HTTP status of an error and the line that is told about it. What nobody foresaw is logged, not told."""
    if isinstance(error, UsageError):
        return 422, str(error)
    if isinstance(error, GapbotError):
        return 503, str(error)
    _log.error("a request could not be answered", exc_info=error)
    return 500, BROKEN


def failure(error: Exception) -> dict[str, Any]:
    """Return an error as the row that ends a stream."""
    row: dict[str, Any] = json.loads(error_body(*status_of(error)))
    return row


class ToldRoute(APIRoute):
    """A route that tells what nobody foresaw as a `Failure` as well.

    An app's handler of Exception would not do: it is called outside of everything, and the error raised again after it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except (GapbotError, HTTPException, RequestValidationError):
                raise
            except Exception as error:
                return _response(*status_of(error))

        return told


def tell_errors(app: FastAPI) -> None:
    """Let an app answer every error with a `Failure`. What was sent is never repeated: it may be no valid text."""

    @app.exception_handler(GapbotError)
    async def known(_: Request, error: GapbotError) -> Response:
        return _response(*status_of(error), {"retry-after": "1"} if isinstance(error, Overloaded) else None)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        kinds = {(e["type"], e["loc"]) for e in error.errors()}
        if any(kind == "json_invalid" for kind, _ in kinds):
            return _response(400, "the body is not JSON: send an object as /api/openapi.json describes it")
        if ("model_attributes_type", ("body",)) in kinds:
            return _response(422, "the body is no JSON object: send one, with Content-Type: application/json")
        said = (f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()[:3])
        return _response(422, "; ".join(said))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return _response(error.status_code, str(error.detail), error.headers)


def _response(status: int, message: str, headers: Any = None) -> Response:
    return Response(error_body(status, message), status, headers, "application/json")
