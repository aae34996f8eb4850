"""What may be fetched: the open internet and nothing else. Names are resolved by the tests; nothing is connected to."""

import socket

import pytest

from corpus.errors import RefusedDocument
from corpus.fetching import checked, fetch, is_public

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
