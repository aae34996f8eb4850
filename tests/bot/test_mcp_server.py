"""The tools for agents, called by the official MCP client over HTTP and over standard input and output."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from bot.answer import Question
from bot.chain import Chain
from bot.limits import Access
from tests.fake_chain import FakeChain
from tests.serving import served

QUESTION = "How many data centers does Viettel operate?"


@pytest.fixture(scope="module")
def address(shipped_chain: Chain) -> Iterator[str]:
    with served(shipped_chain) as address:
        yield address


def call(server: Any, work: Callable[[Client], Awaitable[Any]], mode: Literal["auto", "legacy"] = "auto") -> Any:
    async def session() -> Any:
        async with Client(server, mode=mode) as client:
            return await work(client)

    return asyncio.run(session())


def text(result: CallToolResult) -> str:
    return "\n".join(c.text for c in result.content if isinstance(c, TextContent))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_ask_over_http_gives_the_answer_as_text_and_as_data(
    address: str, shipped_chain: Chain, mode: Literal["auto", "legacy"]
) -> None:
    result = call(f"{address}/mcp", lambda c: c.call_tool("ask", {"question": QUESTION}), mode)
    own = shipped_chain.ask(Question(QUESTION))
    assert not result.is_error
    assert text(result).startswith(own.text)
    assert "Sources:\n[1] The AI Investment Gap" in text(result)
    assert result.structured_content["short"] == own.short
    assert result.structured_content["citations"][0]["quote"] == own.citations[0].quote


def test_the_tools_describe_themselves(address: str) -> None:
    async def describe(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = {t.name: t for t in call(f"{address}/mcp", describe)}
    assert set(tools) == {"ask", "search", "read_document"}
    assert all(t.description and t.annotations and t.annotations.read_only_hint for t in tools.values())
    assert set(tools["ask"].input_schema["properties"]) == {"question", "history"}
    assert "citations" in str(tools["ask"].output_schema)


def test_what_is_found_can_be_read_where_it_stands(address: str) -> None:
    async def look(client: Client) -> tuple[Any, Any]:
        found = await client.call_tool("search", {"query": "Viettel data centers", "k": 3})
        hit = found.structured_content["passages"][0]
        place = {"document": hit["document"], "start": hit["start"], "length": hit["end"] - hit["start"]}
        return hit, await client.call_tool("read_document", place)

    hit, read = call(f"{address}/mcp", look)
    assert read.content[1].text == hit["text"]
    assert hit["title"] in read.content[0].text


def test_a_follow_up_is_read_with_its_history(address: str) -> None:
    arguments = {"question": "and China?", "history": ["How many AI models did the United States release in 2024?"]}
    result = call(f"{address}/mcp", lambda c: c.call_tool("ask", arguments))
    assert text(result).startswith("I read this as: ")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("ask", {"question": " "}, "empty"),
        ("ask", {"question": "x" * 8001}, "8,001 characters"),
        ("search", {"query": "a", "k": 0}, "greater than or equal to 1"),
        ("read_document", {"document": "none"}, "there is no document"),
    ],
)
def test_errors_are_told_to_the_model(address: str, tool: str, arguments: dict[str, Any], said: str) -> None:
    result = call(f"{address}/mcp", lambda c: c.call_tool(tool, arguments))
    assert result.is_error
    assert said in text(result)


def test_a_crash_tells_nothing_of_the_inside() -> None:
    with served(FakeChain()) as address:
        result = call(f"{address}/mcp", lambda c: c.call_tool("ask", {"question": "crash"}))
    assert result.is_error
    assert "secret" not in text(result)


def test_only_posts_are_taken_and_no_session_is_kept(address: str) -> None:
    assert httpx.get(f"{address}/mcp", headers={"accept": "text/event-stream"}).status_code == 405
    assert httpx.delete(f"{address}/mcp").status_code == 405
    start = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    response = httpx.post(f"{address}/mcp", json=start, headers={"accept": "application/json, text/event-stream"})
    assert response.json()["result"]["serverInfo"]["name"] == "gapbot"
    assert "mcp-session-id" not in response.headers
    assert response.headers["x-content-type-options"] == "nosniff"


def test_the_command_serves_the_same_tools_on_standard_input_and_output(shipped_home: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GAPBOT_")}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "bot.cli", "--home", str(shipped_home), "mcp"], env=environment
    )
    result = call(stdio_client(server), lambda c: c.call_tool("ask", {"question": QUESTION}))
    assert result.structured_content["status"] == "answered"
    assert "[1]" in text(result)


def test_the_http_transport_can_carry_a_key(shipped_chain: Chain) -> None:
    async def ask(address: str) -> Any:
        headers = {"authorization": "Bearer k1"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool("ask", {"question": QUESTION})

    with served(shipped_chain, Access(keys=("k1",))) as address:
        assert not asyncio.run(ask(address)).is_error
        assert httpx.post(f"{address}/mcp", json={}).status_code == 401
