"""What may be fetched: the open internet and nothing else. Names are resolved by the tests; nothing is connected to."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corpus import fetching
from corpus.errors import RefusedDocument
from corpus.fetching import Fetched, checked, fetch, is_public

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2002:a00:1::", "2001:db8::1", "fec0::1", "fe80::1%eth0", "localhost", "0x7f.1",
]  # fmt: skip
REFUSED = [
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "javascript:alert(1)", "data:text/html,x", "dict://x/",
    "//example.org/", "http://", "https:///path", "http://user@example.org/", "http://user:pw@example.org/",
    "http://127.0.0.1\\@example.org/", "http://example.org\\@127.0.0.1/", "http://exa mple.org/", "http://example.org/\n",
    "http://[::1/", "http://example.org:99999/", "http://example.org:x/", "http://[fe80::1%25eth0]/", "HTTP:example.org",
]  # fmt: skip
LITERAL = [
    "http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://169.254.169.254/latest/meta-data/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise AssertionError("something was connected to")

    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_points_inside_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(RefusedDocument):
        fetch("https://example.org/", lambda host, port: [address])
    with pytest.raises(RefusedDocument):
        fetch("https://example.org/", lambda host, port: ["93.184.215.14", address])


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_of_another_kind_is_refused_before_it_is_looked_up(url: str) -> None:
    def look_up(host: str, port: int) -> list[str]:
        raise AssertionError("it was looked up")

    with pytest.raises(RefusedDocument):
        fetch(url, look_up)


@pytest.mark.parametrize("url", LITERAL)
def test_an_inside_address_in_any_spelling_is_refused(url: str) -> None:
    with pytest.raises(RefusedDocument):
        fetch(url)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is_what_is_connected_to(address: str) -> None:
    assert checked("https://example.org/a?b=1", lambda host, port: [address]) == (
        "example.org", 443, address, "/a?b=1",
    )  # fmt: skip


PUBLIC = "93.184.215.14"
real_connection = socket.create_connection


class Site(BaseHTTPRequestHandler):
    """A site of a few pages, served on loopback in the place of a public one."""

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        if name == "to":
            self.send_response(302)
            self.send_header("Location", rest)
        elif name == "hops":
            self.send_response(302 if int(rest) else 200)
            self.send_header("Location", f"/hops/{int(rest) - 1}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        if name == "slow%20head":
            for number in range(1000):
                self.send_header(f"X-{number}", "y")
                self.flush_headers()
                time.sleep(0.1)
        self.end_headers()
        if name == "bytes":
            self.wfile.write(b"x" * int(rest))
        elif name == "slow":
            for _ in range(1000):
                self.wfile.write(b"x")
                time.sleep(0.1)
        elif name == "page":
            self.wfile.write(b"Rain fell.")

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # whoever fetches has hung up
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """Lead every connection to a site on loopback; what was to be connected to is in the list."""
    asked: list[tuple[str, int]] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            asked.append(address)
            return real_connection(("127.0.0.1", server.server_port), timeout)

        monkeypatch.setattr(socket, "create_connection", connect)
        yield asked
        server.shutdown()


def public(host: str, port: int) -> list[str]:
    return [PUBLIC] if host.endswith("example.org") else [host]


def test_a_page_is_fetched_also_through_five_redirections_and_not_through_six(
    connected: list[tuple[str, int]],
) -> None:
    assert fetch("http://example.org/page/", public) == Fetched("http://example.org/page/", "text/plain", b"Rain fell.")
    assert fetch("http://example.org/hops/5", public).url == "http://example.org/hops/0"
    with pytest.raises(RefusedDocument, match="redirected more than 5 times"):
        fetch("http://example.org/hops/6", public)
    assert set(connected) == {(PUBLIC, 80)}


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/", "http://10.0.0.1:8080/x", "http://169.254.169.254/latest/", "//192.168.0.1/", "http://[::1]/",
        "file:///etc/passwd", "ftp://example.org/", "http://user@example.org/", "http://[::ffff:127.0.0.1]/", "gopher://x/",
    ],
)  # fmt: skip
def test_a_redirection_to_the_inside_is_not_followed(connected: list[tuple[str, int]], target: str) -> None:
    with pytest.raises(RefusedDocument):
        fetch(f"http://example.org/to/{target}", public)
    assert connected == [(PUBLIC, 80)]


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(connected: list[tuple[str, int]]) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    assert fetch("http://example.org/page/", lambda host, port: next(answers)).data == b"Rain fell."
    assert connected == [(PUBLIC, 80)]
    assert next(answers) == ["127.0.0.1"]  # nobody asked for it again


def test_ten_megabytes_are_fetched_and_no_more(connected: list[tuple[str, int]]) -> None:
    assert len(fetch(f"http://example.org/bytes/{fetching.MOST_BYTES}", public).data) == 10_000_000
    with pytest.raises(RefusedDocument, match="larger than 10 MB"):
        fetch(f"http://example.org/bytes/{fetching.MOST_BYTES + 1}", public)


def test_a_name_that_takes_long_to_look_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_SECONDS", 0.2)
    asleep = threading.Event()

    def look_up(host: str, port: int) -> list[str]:
        asleep.wait(20)
        return [PUBLIC]

    started = time.monotonic()
    with pytest.raises(RefusedDocument, match="takes longer"):
        fetch("http://example.org/page/", look_up)
    assert time.monotonic() - started < 5
    asleep.set()


def test_no_socket_is_left_open_where_no_thread_can_be_started_to_watch_it(
    connected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[socket.socket] = []
    connect = socket.create_connection

    def noted(address: tuple[str, int], timeout: float) -> socket.socket:
        opened.append(connect(address, timeout))
        return opened[-1]

    class Unstartable(threading.Timer):
        def start(self) -> None:
            raise OSError("can't start new thread")

    monkeypatch.setattr(socket, "create_connection", noted)
    monkeypatch.setattr(threading, "Timer", Unstartable)
    with pytest.raises(RefusedDocument, match="does not answer"):
        fetch("http://example.org/page/", public)
    assert [s.fileno() for s in opened] == [-1]


@pytest.mark.parametrize("page", ["slow/", "slow%20head/"])
def test_a_site_that_sends_a_byte_now_and_then_is_given_up(
    connected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(fetching, "MOST_SECONDS", 1.0)
    started = time.monotonic()
    with pytest.raises(RefusedDocument, match="takes longer"):
        fetch(f"http://example.org/{page}", public)
    assert time.monotonic() - started < 10
