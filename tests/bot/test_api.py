"""The API as a program uses it: over HTTP, from a real server on loopback, on the shipped corpus."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest

from bot.answer import Question
from bot.chain import Chain
from tests.bench.load import page_asker
from tests.fake_chain import FakeChain
from tests.serving import served

QUESTION = "How many data centers does Viettel operate?"


@pytest.fixture(scope="module")
def client(shipped_chain: Chain) -> Iterator[httpx.Client]:
    with served(shipped_chain) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def faulty() -> Iterator[httpx.Client]:
    with served(FakeChain()) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_an_answer_over_http_is_the_answer_of_the_chain(client: httpx.Client, shipped_chain: Chain) -> None:
    row = client.post("/api/ask", json={"question": QUESTION, "id": "a"}).json()
    own = json.loads(json.dumps(shipped_chain.ask(Question(QUESTION, id="a")).to_dict()))
    assert row | {"milliseconds": 0} == own | {"milliseconds": 0}
    source = client.get(f"/api/documents/{row['citations'][0]['document']}").json()
    assert all(c["quote"] == source["text"][c["start"] : c["end"]] for c in row["citations"][:1])
    assert row["citations"][0]["hash"] == source["hash"]


def test_a_follow_up_is_read_with_its_history(client: httpx.Client) -> None:
    history = ["How many AI models did the United States release in 2024?"]
    row = client.post("/api/ask", json={"question": "and China?", "history": history}).json()
    assert row["status"] == "answered"
    assert "China" in row["read_as"]


def test_a_streamed_answer_grows_and_ends_with_the_whole_of_it(client: httpx.Client) -> None:
    response = client.post("/api/ask", json={"question": QUESTION, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *partial, (name, last) = events(response.text)
    assert {n for n, _ in partial} == {"partial"}
    assert name == "answer"
    texts = [str(row["text"]) for _, row in partial]
    assert len(texts) > 1
    assert all(str(last["text"]).startswith(text) for text in texts)
    assert last["text"] == client.post("/api/ask", json={"question": QUESTION}).json()["text"]


def test_a_search_gives_slices_of_documents_best_first(client: httpx.Client) -> None:
    found = client.get("/api/search", params={"q": "GPU hours", "k": 3}).json()["passages"]
    assert len(found) == 3
    assert [p["score"] for p in found] == sorted((p["score"] for p in found), reverse=True)
    for p in found:
        assert client.get(f"/api/documents/{p['document']}").json()["text"][p["start"] : p["end"]] == p["text"]


def test_documents_are_listed_page_by_page(client: httpx.Client, shipped_chain: Chain) -> None:
    first = client.get("/api/documents", params={"limit": 2}).json()
    second = client.get("/api/documents", params={"limit": 2, "offset": 2}).json()
    ids = [d["id"] for d in first["documents"] + second["documents"]]
    assert ids == shipped_chain.index.catalogue.document_ids()[:4]
    assert first["total"] == shipped_chain.index.generation.documents
    whole = client.get(f"/api/documents/{ids[0]}").json()
    assert first["documents"][0]["characters"] == len(whole["text"])


def test_health_names_the_generation_and_the_encoder(client: httpx.Client, shipped_chain: Chain) -> None:
    generation = shipped_chain.index.generation
    row = client.get("/api/health").json()
    assert row["live"] is row["ready"] is True
    assert (row["generation"], row["encoder"]) == (generation.name, generation.encoder)


def test_metrics_count_requests_answers_and_time(client: httpx.Client) -> None:
    client.post("/api/ask", json={"question": QUESTION})
    client.get("/api/nothing")
    text = client.get("/metrics").text
    assert 'gapbot_requests_total{route="/api/ask",status="200"}' in text
    assert 'gapbot_requests_total{route="none",status="404"}' in text
    assert 'gapbot_answers_total{answered_by="extractive",status="answered",through="programs"}' in text
    assert 'gapbot_request_seconds_bucket{le="1.0",route="/api/ask"}' in text
    assert "gapbot_fallbacks_total 0.0" in text
    assert "Viettel" not in text


def test_metrics_count_the_answers_of_the_page_too(client: httpx.Client) -> None:
    async def ask() -> int:
        asker = await page_asker(str(client.base_url))
        async with httpx.AsyncClient(base_url=client.base_url) as http:
            return await asker(http, QUESTION)

    assert asyncio.run(ask()) == 200
    assert 'answered_by="extractive",status="answered",through="page"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/ask", b'{"question": ""}', 422),
        ("POST", "/api/ask", b'{"question": " \\n "}', 422),
        ("POST", "/api/ask", b'{"question": "\\ud800"}', 422),
        ("POST", "/api/ask", b'{"question": "a", "history": "b"}', 422),
        ("POST", "/api/ask", json.dumps({"question": "x" * 8001}).encode(), 422),
        ("POST", "/api/ask", b'{"question": ', 400),
        ("POST", "/api/ask", b"[" * 60_000, 400),
        ("POST", "/api/ask", b"\xff\xfe", 400),
        ("GET", "/api/search", b"", 422),
        ("GET", "/api/search?q=%20", b"", 422),
        ("GET", "/api/search?q=a&k=101", b"", 422),
        ("GET", "/api/documents/%2e%2e/%2e%2e/etc/passwd", b"", 404),
        ("GET", "/api/documents/none", b"", 404),
        ("GET", "/api/none", b"", 404),
        ("GET", "/api/ask", b"", 405),
        ("DELETE", "/v1/models", b"", 405),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    client: httpx.Client, method: str, path: str, body: bytes, status: int
) -> None:
    response = client.request(method, path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"message", "type", "code"}
    assert "\n" not in error["message"]


def test_text_of_every_kind_is_answered(client: httpx.Client) -> None:
    for text in (
        "\x00",
        "مرحبا ‮ abc",
        "𝕍𝕚𝕖𝕥𝕥𝕖𝕝",
        "<script>alert(1)</script>",
        "' or 1=1 --",
        "%s%n{0}${x}",
        "a\u0301" * 400,
    ):
        assert client.post("/api/ask", json={"question": text}).status_code == 200
        assert client.get("/api/search", params={"q": text}).status_code == 200


def test_errors_of_the_inside_are_one_line_without_a_secret(
    faulty: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    crashed = faulty.post("/api/ask", json={"question": "crash"})
    assert crashed.status_code == 500
    assert "secret" not in crashed.text
    assert "a secret of the inside" in caplog.text
    busy = faulty.post("/api/ask", json={"question": "busy"})
    assert (busy.status_code, busy.json()["error"]["message"]) == (
        503,
        "the index is being rebuilt: ask again in a moment",
    )
    for question in ("crash", "busy"):
        streamed = faulty.post("/api/ask", json={"question": question, "stream": True})
        assert streamed.status_code in (500, 503)
    for response in (crashed, busy):
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_description_of_the_api_loads_nothing_and_names_every_route(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/ask", "/api/search", "/api/documents", "/api/documents/{id}", "/api/feedback", "/api/health", "/metrics",
        "/v1/chat/completions", "/v1/models", "/v1/models/{model}",
    }  # fmt: skip
