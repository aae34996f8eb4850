"""Keys, rates and sizes: how they are read, and that they hold at the door of a real server."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from bot.limits import MAX_BODY, MAX_CHAT, Access, is_for_programs, read_access
from bot.service import Workers
from corpus.errors import UsageError
from tests.fake_chain import FakeChain
from tests.serving import served

KEY = "a-key-that-is-a-secret"
ASK = {"question": "How many?"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(FakeChain()) as address:
        yield address


def test_nothing_is_limited_on_a_local_server_unless_asked_for() -> None:
    assert read_access({}) == Access()
    assert str(read_access({}, public=True).rate) == "300 per 1 minute"
    assert read_access({"GAPBOT_RATE": "off"}, public=True).rate is None


def test_keys_rate_and_origins_are_read_and_keys_never_shown() -> None:
    access = read_access(
        {"GAPBOT_API_KEYS": f" {KEY}, other ", "GAPBOT_RATE": "5/second", "GAPBOT_ORIGINS": "https://A.example/"}
    )
    assert access.keys == (KEY, "other")
    assert access.origins == {"https://a.example"}
    assert KEY not in repr(access)


@pytest.mark.parametrize(
    "environment",
    [
        {"GAPBOT_RATE": "many"}, {"GAPBOT_RATE": "-1/minute"}, {"GAPBOT_ORIGINS": "*"}, {"GAPBOT_ORIGINS": "a.example"},
        {"GAPBOT_ORIGINS": "https://a.example/path"}, {"GAPBOT_API_KEYS": f"{KEY}\u2028é"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_without_the_keys(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(environment))) as raised:
        read_access(environment)
    assert KEY not in str(raised.value)


def test_the_paths_of_the_api_are_told_from_those_of_the_page() -> None:
    assert all(is_for_programs(p) for p in ("/api/ask", "/v1/models", "/mcp", "/metrics", "/api/health"))
    assert not any(is_for_programs(p) for p in ("/", "/gradio_api/queue/join", "/apiary", "/page/chat.css"))


def test_with_keys_only_who_brings_one_may_ask() -> None:
    with served(FakeChain(), Access(keys=(KEY,))) as address, httpx.Client(base_url=address) as client:
        for path in ("/api/search?q=a", "/api/documents", "/metrics", "/v1/models", "/api/openapi.json"):
            refused = client.get(path)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert KEY not in refused.text
        assert client.post("/mcp", json={}).status_code == 401
        for wrong in (
            b"Bearer",
            b"Bearer wrong",
            f"Bearer {KEY}x".encode(),
            f"Basic {KEY}".encode(),
            "Bearer é".encode(),
        ):
            assert client.post("/api/ask", json=ASK, headers={b"authorization": wrong}).status_code == 401
        for right in ({"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer  {KEY}"}, {"x-api-key": KEY}):
            assert client.post("/api/ask", json=ASK, headers=right).status_code == 200
        assert client.get("/").status_code == 200
        assert client.get("/api/health").status_code in (200, 500)


def test_too_many_requests_are_told_when_to_come_back() -> None:
    access = read_access({"GAPBOT_API_KEYS": "k1,k2", "GAPBOT_RATE": "3/2 second"})
    with served(FakeChain(), access) as address, httpx.Client(base_url=address) as client:

        def ask(key: str) -> httpx.Response:
            return client.post("/api/ask", json=ASK, headers={"authorization": f"Bearer {key}"})

        statuses = [ask("k1").status_code for _ in range(3)]
        refused = ask("k1")
        assert statuses == [200, 200, 200]
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 3
        assert ask("k2").status_code == 200
        # Guessing keys is counted too, by address.
        assert [ask(f"guess{n}").status_code for n in range(5)] == [401, 401, 401, 429, 429]
        time.sleep(int(refused.headers["retry-after"]))
        assert ask("k1").status_code == 200


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/ask", MAX_BODY), ("/v1/chat/completions", MAX_BODY), ("/mcp", MAX_BODY), ("/page/feedback", MAX_BODY),
        ("/gradio_api/queue/join", MAX_CHAT),
    ],
)  # fmt: skip
def test_a_large_body_is_refused_before_it_is_read(address: str, path: str, most: int) -> None:
    for body in (b"x" * 50_000_000, (b"x" * 10_000 for _ in range(200))):
        response = httpx.post(f"{address}{path}", content=body, timeout=60)
        assert response.status_code == 413
        assert f"{most // 1024} KiB" in response.json()["error"]["message"]
    with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=10) as connection:
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {most + 1}\r\n\r\n"
        connection.sendall(head.encode())
        # Not a byte of the body has been sent.
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_body_of_unknown_size_within_the_limit_is_read(address: str) -> None:
    pieces = iter([b'{"question": ', b'"How many?"}'])
    response = httpx.post(f"{address}/api/ask", content=pieces, headers={"content-type": "application/json"})
    assert response.status_code == 200


def test_a_question_that_is_too_long_is_refused_at_once(address: str) -> None:
    started = time.perf_counter()
    response = httpx.post(f"{address}/api/ask", json={"question": "x" * 8001})
    assert response.status_code == 422
    assert time.perf_counter() - started < 1


def test_other_sites_may_ask_only_if_they_are_named() -> None:
    named, other = "https://a.example", "https://b.example"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    with served(FakeChain(), Access(origins=frozenset({named}))) as address, httpx.Client(base_url=address) as client:
        allowed = client.options("/api/ask", headers=preflight | {"origin": named})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == named
        asked = client.post("/api/ask", json=ASK, headers={"origin": named})
        assert asked.headers["access-control-allow-origin"] == named
        for method, path in (("OPTIONS", "/api/ask"), ("POST", "/api/ask"), ("GET", "/api/search?q=a")):
            refused = client.request(method, path, headers=preflight | {"origin": other})
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers
        # A named site may use the API, not the page.
        assert client.post("/gradio_api/queue/join", json={}, headers={"origin": named}).status_code == 403


def test_no_site_may_read_answers_by_default(address: str) -> None:
    for origin in ("https://a.example", "null"):
        response = httpx.get(f"{address}/api/documents", headers={"origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
    assert httpx.get(f"{address}/api/documents", headers={"host": "a.example"}).status_code == 421


@pytest.mark.parametrize("path", ["/api/nothing", "/v1/models", "/metrics", "/mcp", "/api/openapi.json"])
def test_every_response_to_programs_has_the_security_headers(address: str, path: str) -> None:
    headers = httpx.get(f"{address}{path}").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_overload_is_refused_at_once_and_over_as_soon_as_there_is_room() -> None:
    chain = FakeChain()
    slow = {"question": "slow", "stream": True}
    with (
        served(chain, workers=Workers(threads=1, waiting=2)) as address,
        httpx.Client(base_url=address, timeout=30) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        asked = [pool.submit(client.post, "/api/ask", json=slow) for _ in range(3)]
        while client.get("/metrics").text.find("gapbot_under_way 3.0") < 0:
            time.sleep(0.02)
        for path, body in (
            ("/api/ask", ASK),
            ("/api/ask", slow),
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]}),
        ):
            started = time.perf_counter()
            shed = client.post(path, json=body)
            assert shed.status_code == 503
            assert shed.headers["retry-after"] == "1"
            assert time.perf_counter() - started < 1
        # Nothing of the body is read, so none can be wrong yet; what takes no place is still answered.
        assert client.post("/api/ask", content=b"{").status_code == 503
        assert client.get("/metrics").status_code == 200
        chain.go_on.set()
        assert [a.result().status_code for a in asked] == [200, 200, 200]
        assert client.post("/api/ask", json=ASK).status_code == 200


def test_a_client_that_goes_away_frees_its_place() -> None:
    chain = FakeChain()
    with served(chain, workers=Workers(threads=1, waiting=0)) as address, httpx.Client(base_url=address) as client:
        with client.stream("POST", "/api/ask", json={"question": "slow", "stream": True}) as response:
            # Held on to: an iterator that is thrown away closes its connection.
            lines = response.iter_lines()
            next(lines)
            assert httpx.post(f"{address}/api/ask", json=ASK).status_code == 503
        for _ in range(100):
            if httpx.post(f"{address}/api/ask", json=ASK).status_code == 200:
                return
            time.sleep(0.05)
        raise AssertionError("the place was not freed")


def test_a_name_behind_a_proxy_is_known_and_no_other() -> None:
    with served(FakeChain(), Access(hosts=frozenset({"gapbot.example"}))) as address, httpx.Client() as client:
        named = {"host": "gapbot.example", "origin": "https://gapbot.example"}
        assert client.get(f"{address}/page/starters", headers=named).status_code == 200
        for other in ({**named, "host": "evil.example"}, {**named, "origin": "https://evil.example"}):
            assert client.get(f"{address}/page/starters", headers=other).status_code in (403, 421)
    assert read_access({"GAPBOT_HOSTS": "gapbot.example, Other.example"}).hosts == {"gapbot.example", "other.example"}
    with pytest.raises(UsageError, match="GAPBOT_HOSTS"):
        read_access({"GAPBOT_HOSTS": "https://gapbot.example"})


def test_what_another_site_embeds_is_refused_and_its_links_are_not() -> None:
    with served(FakeChain()) as address, httpx.Client() as client:
        for site in ("cross-site", "same-site"):
            embedded = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
            assert client.get(f"{address}/page/next?q=x", headers=embedded).status_code == 403
            linked = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
            assert client.get(f"{address}/", headers=linked).status_code == 200
        assert client.get(f"{address}/page/next?q=x", headers={"sec-fetch-site": "same-origin"}).status_code == 200
        assert client.get(f"{address}/page/chat.css").headers["cache-control"] == "no-cache"
