"""What the page asks for beside the chat: a whole document, questions that lead on, and where to leave feedback."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from bot.answer import MAX_QUESTION, Question
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

    return routes
