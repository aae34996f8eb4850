"""The chat protocol of OpenAI, spoken by the official client, unmodified."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat.chat_completion_chunk import ChoiceDelta

from bot.answer import Question
from bot.chain import Chain
from bot.llm import load_model
from bot.openai_api import Message, Part, read_chat
from corpus.errors import UsageError
from tests.fake_chain import FakeChain
from tests.llm_server import llm_server
from tests.serving import served

QUESTION = "How many data centers does Viettel operate?"


@pytest.fixture(scope="module")
def address(shipped_chain: Chain) -> Iterator[str]:
    with served(shipped_chain) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=address, api_key="unused", max_retries=0) as client:
        yield client


def annotations(deltas: Sequence[ChoiceDelta]) -> list[Any]:
    return [found for d in deltas if (found := (d.model_extra or {}).get("annotations"))]


def test_a_completion_has_the_cited_answer(client: OpenAI, shipped_chain: Chain) -> None:
    completion = client.chat.completions.create(model="gapbot", messages=[{"role": "user", "content": QUESTION}])
    message = completion.choices[0].message
    own = shipped_chain.ask(Question(QUESTION))
    assert message.content
    assert message.content.startswith(own.text)
    assert "Sources:\n[1] The AI Investment Gap" in message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is None
    assert completion.model_extra
    assert completion.model_extra["gapbot"]["short"] == own.short


def test_annotations_point_at_the_markers(client: OpenAI) -> None:
    message = (
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
        .choices[0]
        .message
    )
    assert message.content
    assert message.annotations
    for annotation in message.annotations:
        cited = annotation.url_citation
        assert message.content[cited.start_index : cited.end_index] == f"[{cited.model_extra['marker']}]"  # type: ignore[index]
        assert cited.url.startswith("http")


def test_a_stream_adds_up_to_the_completion(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="gapbot", messages=[{"role": "user", "content": QUESTION}])
    stream = client.chat.completions.create(
        model="gapbot",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    deltas = [c.choices[0].delta for c in chunks if c.choices]
    assert "".join(d.content or "" for d in deltas) == whole.choices[0].message.content
    assert sum(bool(d.content) for d in deltas) > 2
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert not any(c.usage for c in chunks)
    (annotated,) = annotations(deltas)
    assert len(annotated) == len(whole.choices[0].message.annotations or [])


def test_the_client_can_read_the_stream_with_its_own_helper(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="gapbot", messages=[{"role": "user", "content": "What is a GPU hour?"}]
    ) as stream:
        final = stream.get_final_completion()
    assert "one hour" in (final.choices[0].message.content or "")


def test_the_async_client_follows_up_with_the_history(address: str) -> None:
    async def ask() -> str:
        async with AsyncOpenAI(base_url=address, api_key="unused") as client:
            completion = await client.chat.completions.create(
                model="gapbot",
                temperature=0.3,
                messages=[
                    {"role": "system", "content": "Answer like a pirate."},
                    {"role": "user", "content": "How many AI models did the United States release in 2024?"},
                    {"role": "assistant", "content": "40. [1]"},
                    {"role": "user", "content": [{"type": "text", "text": "and China?"}]},
                ],
            )
            return completion.choices[0].message.content or ""

    content = asyncio.run(ask())
    assert content.startswith("I read this as: ")
    assert "China" in content


def test_the_models_are_listed(client: OpenAI) -> None:
    assert [m.id for m in client.models.list()] == ["gapbot"]
    assert client.models.retrieve("gapbot").owned_by == "gapbot"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_errors_reach_the_client_as_its_own(client: OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="role"):
        client.chat.completions.create(model="gapbot", messages=[{"role": "system", "content": "x"}])
    with pytest.raises(openai.UnprocessableEntityError, match="8,001 characters"):
        client.chat.completions.create(model="gapbot", messages=[{"role": "user", "content": "x" * 8001}])
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="gapbot", n=2, messages=[{"role": "user", "content": QUESTION}])


def test_a_stream_that_breaks_off_is_an_error_for_the_client() -> None:
    class Breaking(FakeChain):
        def stream(self, question):  # type: ignore[no-untyped-def]
            yield from list(super().stream(question))[:1]
            raise RuntimeError("a secret of the inside")

    with served(Breaking()) as address, OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="gapbot", stream=True, messages=[{"role": "user", "content": "How many?"}]
        )
        said: list[str] = []
        with pytest.raises(openai.APIError, match="something went wrong"):
            said.extend(chunk.choices[0].delta.content or "" for chunk in stream)
        assert "".join(said) == "Viettel oper"


def test_a_text_that_is_taken_back_is_told_so() -> None:
    class Restarting(FakeChain):
        def stream(self, question):  # type: ignore[no-untyped-def]
            _, whole = list(super().stream(question))
            yield type(whole)(whole.question, whole.status, "Another beginning.")
            yield whole

    with served(Restarting()) as address, OpenAI(base_url=f"{address}/v1", api_key="x") as client:
        stream = client.chat.completions.create(
            model="gapbot", stream=True, messages=[{"role": "user", "content": "How many?"}]
        )
        deltas = [c.choices[0].delta for c in stream]
    said = "".join(d.content or "" for d in deltas)
    assert said.startswith("Another beginning.\n\nWhat stands above is withdrawn.")
    (annotated,) = annotations(deltas)
    cited = annotated[0]["url_citation"]
    assert said[cited["start_index"] : cited["end_index"]] == "[1]"


def test_only_what_the_user_said_is_question_and_history() -> None:
    chat = [
        Message(role="system", content="s"),
        Message(role="user", content="one"),
        Message(role="assistant", content="1"),
        Message(role="user", content=[Part(type="image_url"), Part(type="text", text="two")]),
        Message(role="assistant", content=None),
    ]
    assert read_chat(chat) == Question("two", ("one",))
    with pytest.raises(UsageError, match="role"):
        read_chat([Message(role="user", content=" ")])


def test_usage_is_what_the_llm_counted_and_metrics_add_it_up(
    shipped_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    with llm_server() as llm:
        chain = Chain(shipped_chain.index, model=load_model("openai:fake", llm.url, 5))
        with served(chain) as address, OpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0) as client:
            whole = client.chat.completions.create(model="gapbot", messages=[{"role": "user", "content": QUESTION}])
            *_, last = client.chat.completions.create(
                model="gapbot",
                messages=[{"role": "user", "content": QUESTION}],
                stream=True,
                stream_options={"include_usage": True},
            )
            metrics = httpx.get(f"{address}/metrics").text
    for usage in (whole.usage, last.usage):
        assert usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (321, 45, 366)
    assert 'gapbot_tokens_total{way="sent"} 642.0' in metrics
    assert 'gapbot_tokens_total{way="received"} 90.0' in metrics
