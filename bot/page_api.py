"""What the page asks for beside the chat: its other parts, a whole document, questions that lead on; and feedback."""

import gzip
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from bot.answer import MAX_QUESTION, Question
from bot.api import keep
from bot.explore import render_about, render_explore
from bot.feedback import Feedback
from bot.service import Service


def router(service: Service) -> APIRouter:
    """Return the routes of the page. They need no key: whoever reads the page may use them."""
    routes = APIRouter()

    @routes.get("/page/document")
    async def document(id: Annotated[str, Query(max_length=1000)]) -> dict[str, Any]:
        found = await service.document(id)
        if found is None:
            raise HTTPException(404, "there is no such document")
        return {"title": found.title, "publisher": found.publisher, "date": found.date, "text": found.text}

    @routes.get("/page/next")
    async def follow_ups(q: Annotated[str, Query(min_length=1, max_length=MAX_QUESTION)]) -> dict[str, Any]:
        return {"questions": list(await service.follow_ups(Question(q)))}

    @routes.get("/page/starters")
    async def starters() -> dict[str, Any]:
        found = await service.starters()
        return {"topics": [{"topic": topic, "questions": list(questions)} for topic, questions in found]}

    @routes.get("/page/explore", response_class=HTMLResponse)
    async def explore(request: Request) -> HTMLResponse:
        # Half a megabyte of facts, of which a tenth goes over the wire.
        packed = await service.drawn(render_explore)
        varies = {"vary": "accept-encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return HTMLResponse(gzip.decompress(packed), headers=varies)
        return HTMLResponse(packed, headers=varies | {"content-encoding": "gzip"})

    @routes.get("/page/about", response_class=HTMLResponse)
    async def about() -> str:
        return await service.drawn(render_about)

    @routes.post("/page/feedback", status_code=204)
    async def feedback(given: Feedback) -> None:
        await keep(service, given)

    return routes
