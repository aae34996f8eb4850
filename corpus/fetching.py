"""Fetch a web page or file from the open internet, and from nowhere else.

An address that someone was made to add must not reach what only this machine can reach (SSRF): every hop's host is
resolved here, each of its addresses must be public, and the connection goes to the very address that was checked, so
that a name that changes its mind in between (DNS rebinding) changes nothing.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin, urlsplit

from corpus.errors import RefusedDocument

MOST_BYTES, MOST_SECONDS, MOST_HOPS = 10_000_000, 15.0, 5
_CHUNK = 65_536
_SLOW = f"it takes longer than {MOST_SECONDS:.0f} seconds"
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the address it came from in the end, its media type without parameters, its bytes."""

    url: str
    type: str
    data: bytes


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises RefusedDocument where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedDocument(f"the host {host} is not found: see that the address is right") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch(url: str, resolve: Resolve = resolved) -> Fetched:
    """Fetch what an http or https address holds.

    Follows at most 5 redirections, reads at most 10 MB, takes at most 15 seconds, looking up of names included. Raises
    RefusedDocument with a reason.
    """
    end = time.monotonic() + MOST_SECONDS
    for _ in range(MOST_HOPS + 1):
        host, port, address, path = checked(url, partial(_in_time, resolve, end))
        try:
            reply, data = _get(urlsplit(url).scheme, host, port, address, path, end)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= end:
                raise RefusedDocument(_SLOW) from error
            raise RefusedDocument(f"{host} does not answer as it should ({type(error).__name__})") from error
        if reply.status in (301, 302, 303, 307, 308) and reply.headers.get("location"):
            url = urljoin(url, reply.headers["location"])
            continue
        if reply.status != 200:
            raise RefusedDocument(f"{host} answers {reply.status} {reply.reason}"[:120])
        return Fetched(url, reply.headers.get_content_type(), data)
    raise RefusedDocument(f"it is redirected more than {MOST_HOPS} times")


def _in_time(resolve: Resolve, end: float, host: str, port: int) -> list[str]:
    """Look a host up in a thread that is left to itself at the end: the system's own look-up can take minutes."""
    found: Future[list[str]] = Future()

    def look_up() -> None:
        try:
            found.set_result(resolve(host, port))
        except Exception as error:  # raised where it is waited for
            found.set_exception(error)

    threading.Thread(target=look_up, name="gapbot-resolve", daemon=True).start()
    try:
        return found.result(max(0.0, end - time.monotonic()))
    except TimeoutError:
        raise RefusedDocument(_SLOW) from None


def checked(url: str, resolve: Resolve = resolved) -> tuple[str, int, str, str]:
    """Return host, port, a checked address and the path of a URL. Raises RefusedDocument for what must not be fetched."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode("ascii") if "%" not in (parts.hostname or "") else ""
    except (ValueError, UnicodeError):
        raise RefusedDocument("it is no address of the web") from None
    if parts.scheme not in ("http", "https") or not host:
        raise RefusedDocument("only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None or "\\" in url or any(c <= " " for c in url):
        raise RefusedDocument("an address with a user name, a backslash or a space is not fetched")
    addresses = resolve(host, port)
    if not addresses or not all(is_public(a) for a in addresses):
        raise RefusedDocument(f"{host} is not on the open internet: copy the file here and add it by its path")
    return host, port, addresses[0], (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet, also where it is wrapped in an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return wrapped.is_global and not wrapped.is_multicast
    return ip.is_global and not ip.is_multicast and not (ip.version == 6 and ip.is_site_local)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _get(
    scheme: str, host: str, port: int, address: str, path: str, end: float
) -> tuple[http.client.HTTPResponse, bytes]:
    left = end - time.monotonic()
    if left <= 0:
        raise RefusedDocument(_SLOW)
    with contextlib.ExitStack() as opened:
        plain = opened.enter_context(socket.create_connection((address, port), timeout=left))
        # A timeout is for one read: who sends a byte now and then would never come to an end.
        over = threading.Timer(end - time.monotonic(), _cut, [opened.enter_context(plain.dup())])
        opened.callback(over.cancel)
        over.start()
        connection = opened.enter_context(contextlib.closing(http.client.HTTPConnection(host, port, timeout=left)))
        connection.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) if scheme == "https" else plain
        )
        connection.request("GET", path, headers={"User-Agent": "gapbot", "Accept-Encoding": "identity"})
        reply = connection.getresponse()
        data = bytearray()
        while chunk := reply.read1(_CHUNK):
            data += chunk
            if len(data) > MOST_BYTES:
                raise RefusedDocument(f"it is larger than {MOST_BYTES // 1_000_000} MB")
        if time.monotonic() >= end:
            raise RefusedDocument(_SLOW)  # cut off, which may look like its end
        return reply, bytes(data)


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
