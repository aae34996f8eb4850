"""The API of gapbot's own: questions, searches, documents, health and metrics, described by OpenAPI."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr

from bot.answer import MAX_QUESTION, Answer, Question
from bot.failures import ERRORS, NOT_FOUND, NOT_HERE, ToldRoute, failure
from bot.feedback import Feedback
from bot.metrics import CONTENT_TYPE, Metrics
from bot.service import MAX_PASSAGES, Health, Passages, Service
from corpus.documents import Document
from index.catalogue import Listed

SSE = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""Headers of a response that streams: no proxy may hold it back."""
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
                    "required": ["data"],
                }
            }
        }
    }
}
"""A response that may be a stream of events."""
MAX_QUERY = 1000
"""The longest query in characters: it is part of the address, which no client makes much longer."""


class Asked(BaseModel):
    """A question, with the user's earlier questions for a follow-up."""

    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, examples=["and China?"])]
    history: Annotated[
        list[str],
        Field(description="earlier questions, oldest first", examples=[["How many AI models has the US developed?"]]),
    ] = []
    id: Annotated[StrictStr | StrictInt | None, Field(description="comes back with the answer")] = None
    stream: Annotated[StrictBool, Field(description="send the answer as it grows, as server-sent events")] = False


@dataclass(frozen=True, slots=True)
class Documents:
    """A page of the list of all documents."""

    total: int
    documents: list[Listed]


@dataclass(frozen=True, slots=True)
class Source(Document):
    """A document with its `hash`, which is that of every citation of it until its text or what is recorded changes."""

    hash: str = ""


def router(service: Service, metrics: Metrics) -> APIRouter:
    """Return the routes over a service."""
    routes = APIRouter(responses=ERRORS, route_class=ToldRoute)

    @routes.post("/api/ask", tags=["answers"], response_model=Answer, responses=EVENTS)
    async def ask(asked: Asked) -> Response:
        """Answer a question from the sources.

        With `"stream": true` the answer comes as server-sent events: `partial` each time a sentence is added, then one
        `answer`, which is the whole, or one `error`. Text that was not followed by `answer` is not complete.
        """
        question = Question(asked.question, tuple(asked.history), asked.id)
        if asked.stream:
            answers = await service.stream(question)
            return StreamingResponse(_events(answers), media_type="text/event-stream", headers=SSE)
        return JSONResponse((await service.ask(question)).to_dict())

    @routes.get("/api/search", tags=["sources"])
    async def search(
        q: Annotated[str, Query(min_length=1, max_length=MAX_QUERY, description="what to look for")],
        k: Annotated[int, Query(ge=1, le=MAX_PASSAGES, description="how many passages")] = 10,
    ) -> Passages:
        """Find the passages that fit a query, best first."""
        return await service.search(q, k)

    @routes.get("/api/documents", tags=["sources"])
    async def documents(
        limit: Annotated[int, Query(ge=1, le=1000, description="how many documents")] = 100,
        offset: Annotated[int, Query(ge=0, le=10**9, description="how many to pass over")] = 0,
    ) -> Documents:
        """List the documents in the order of their ids."""
        return Documents(*await service.documents(limit, offset))

    @routes.get("/api/documents/{id:path}", tags=["sources"], responses=NOT_FOUND)
    async def document(id: Annotated[str, Path(min_length=1, max_length=1000)]) -> Source:
        """Return a document with its whole text, to which all offsets refer, and what is recorded about its sentences."""
        found = await service.document(id)
        if found is None:
            raise HTTPException(404, "there is no document with this id: GET /api/documents lists them")
        return Source(**{f.name: getattr(found, f.name) for f in fields(found)}, hash=found.content_hash())

    @routes.post("/api/feedback", tags=["answers"], status_code=204, responses=NOT_HERE)
    async def feedback(given: Feedback) -> None:
        """Keep what someone thinks of an answer, for the keeper of the corpus."""
        await keep(service, given)

    @routes.get("/api/health", tags=["server"], response_model=Health, responses={503: {"model": Health}})
    async def health() -> Response:
        """Say whether questions can be answered: status 200 if so, 503 if not. Needs no API key."""
        found = await service.health()
        return JSONResponse(asdict(found), 200 if found.ready else 503)

    @routes.get("/metrics", tags=["server"], responses={200: {"content": {"text/plain": {}}}}, response_class=Response)
    async def read_metrics() -> Response:
        """Return counts and latencies in Prometheus' text format."""
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return routes


async def keep(service: Service, given: Feedback) -> None:
    """Keep feedback, or answer 403 where none is kept."""
    if not service.keeps_feedback:
        raise HTTPException(403, "feedback is not kept here: GAPBOT_FEEDBACK turns it off")
    await service.keep(given)


async def _events(answers: AsyncIterator[Answer]) -> AsyncIterator[str]:
    last = None
    try:
        async for last in answers:
            yield event(last.to_dict(), "partial")
    except Exception as error:
        yield event(failure(error), "error")
        return
    if last:
        yield event(last.to_dict(), "answer")


def event(row: Any, name: str | None = None) -> str:
    """Return a server-sent event; all of it is ASCII, for some clients take U+2028 for the end of a line."""
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(row)}\n\n"
