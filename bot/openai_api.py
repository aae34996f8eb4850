"""The chat protocol of OpenAI, so that its clients and whatever speaks it can ask: completions and models."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, StrictBool

from bot.answer import Answer, Question
from bot.api import EVENTS, SSE, event
from bot.failures import ERRORS, NOT_FOUND, ToldRoute, failure
from bot.plaintext import after, before, plain_text
from bot.service import Service
from corpus.errors import UsageError

MODEL = "gapbot"
"""The one model there is. Requests may name any other: what answers is the same."""
_WITHDRAWN = "\n\nWhat stands above is withdrawn. The answer is:\n\n"


class Part(BaseModel):
    """A part of a message; only text is read."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of a chat. The last one of the user is the question, the user's earlier ones are its history."""

    role: str
    content: str | list[Part] | None = None

    def text(self) -> str:
        """Return the text of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text)
        return self.content or ""


class StreamOptions(BaseModel):
    """What a stream brings besides the answer."""

    include_usage: StrictBool | None = None


class Chat(BaseModel):
    """A chat to go on with. Options that steer a language model (temperature, tools, …) are taken and have no effect."""

    messages: Annotated[
        list[Message], Field(min_length=1, examples=[[{"role": "user", "content": "What is a GPU hour?"}]])
    ]
    model: str = MODEL
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[Literal[1] | None, Field(description="there is one answer")] = None


class UrlCitation(BaseModel):
    """The source of a marker: `content[start_index:end_index]` is the marker, `quote` the sentence in the source."""

    start_index: int
    end_index: int
    title: str
    url: str
    marker: int
    document: str
    quote: str


class Annotation(BaseModel):
    """A citation, as OpenAI's web search has them."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class Reply(BaseModel):
    """What gapbot says."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: Reply
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class Usage(BaseModel):
    """Tokens that the LLM was sent and wrote, as it counted them; `gapbot.tokens.estimated` tells where it did not."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """An answer; `gapbot` is the same as `POST /api/ask` gives it.

    There is no `usage` where no LLM was asked: tokens are its unit, and a count of ours would look like one to be paid for.
    """

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage | None = None
    gapbot: Answer


class Model(BaseModel):
    """A model that can be named in a request."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: str = MODEL


class Models(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[Model]


def router(service: Service) -> APIRouter:
    """Return the routes over a service."""
    routes = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], responses=ERRORS, route_class=ToldRoute)
    started = int(time.time())

    @routes.post("/chat/completions", response_model=Completion, responses=EVENTS)
    async def complete(chat: Chat, request: Request) -> Response:
        """Answer the last question of a chat."""
        question = read_chat(chat.messages)
        base = str(request.base_url).rstrip("/")
        if chat.stream:
            answers = await service.stream(question)
            usage = bool(chat.stream_options and chat.stream_options.include_usage)
            return StreamingResponse(_chunks(answers, base, usage), media_type="text/event-stream", headers=SSE)
        answer = await service.ask(question)
        reply = Reply(content=plain_text(answer), annotations=annotations(answer, len(before(answer)), base))
        completion = Completion(
            id=_name(), created=int(time.time()), choices=[Choice(message=reply)], usage=used(answer), gapbot=answer
        )
        return JSONResponse(completion.model_dump(exclude={"gapbot"}) | {"gapbot": answer.to_dict()})

    @routes.get("/models")
    async def models() -> Models:
        """List the models: there is one."""
        return Models(data=[Model(created=started)])

    @routes.get("/models/{model}", responses=NOT_FOUND)
    async def model(model: str) -> Model:
        """Return a model."""
        if model != MODEL:
            raise HTTPException(404, f"there is one model: {MODEL}")
        return Model(created=started)

    return routes


def read_chat(messages: Sequence[Message]) -> Question:
    """Return the question of a chat with its history. Raises UsageError if the user has said nothing."""
    said = [text for m in messages if m.role == "user" and (text := m.text()).strip()]
    if not said:
        raise UsageError('no message has the role "user" and a text: the last such one is answered')
    return Question(said[-1], tuple(said[:-1]))


def annotations(answer: Answer, offset: int, base: str) -> list[Annotation]:
    """Return a citation for each marker in the text of an answer, which starts at `offset` of the message.

    What has no address of its own is linked to its text on this server, at `base`.
    """
    sources = {c.marker: c for c in answer.citations}
    return [
        Annotation(
            url_citation=UrlCitation(
                start_index=offset + m.start(), end_index=offset + m.end(), title=c.title,
                url=c.url or f"{base}/api/documents/{quote(c.document)}", marker=c.marker, document=c.document, quote=c.quote,
            )
        )
        for m in re.finditer(r"\[(\d+)\]", answer.text)
        if (c := sources.get(int(m[1])))
    ]  # fmt: skip


def used(answer: Answer) -> Usage | None:
    """Return the tokens of an LLM that an answer took, or None if none was asked or it failed."""
    t = answer.tokens
    return Usage(prompt_tokens=t.sent, completion_tokens=t.received, total_tokens=t.sent + t.received) if t else None


async def _chunks(answers: AsyncIterator[Answer], base: str, usage: bool) -> AsyncIterator[str]:
    """Yield the chunks of a stream: text as it grows, then what follows it, with all citations in the last one."""
    name, created, answer = _name(), int(time.time()), None
    sent, offset = "", 0

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        row = {"id": name, "object": "chat.completion.chunk", "created": created, "model": MODEL, "choices": choices}
        return event(row | ({"usage": None} if usage else {}) | more)

    yield chunk({"role": "assistant", "content": ""})
    try:
        async for answer in answers:
            if not sent:
                sent = before(answer)
                offset = len(sent)
                if sent:
                    yield chunk({"content": sent})
            elif not answer.text.startswith(sent[offset:]):
                # A stream cannot take back what it has said: it can only say so.
                sent += _WITHDRAWN
                offset = len(sent)
                yield chunk({"content": _WITHDRAWN})
            grown = answer.text[len(sent) - offset :]
            if grown:
                sent += grown
                yield chunk({"content": grown})
    except Exception as error:
        yield event(failure(error))
        return
    if answer:
        cited = [a.model_dump() for a in annotations(answer, offset, base)]
        yield chunk({"content": after(answer), "annotations": cited})
        yield chunk({}, "stop", gapbot=answer.to_dict())
    counted = used(answer) if answer and usage else None
    if counted:
        yield chunk({}, choices=[], usage=counted.model_dump())
    yield "data: [DONE]\n\n"


def _name() -> str:
    return f"chatcmpl-{uuid.uuid4().hex}"
