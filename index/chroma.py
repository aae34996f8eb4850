"""Chroma, in the one place that knows it: in a folder, on a server, or in Chroma Cloud."""

import ctypes
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Chroma must not phone home, whatever its settings say.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

import chromadb
from chromadb.api import ClientAPI as Client
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import DEFAULT_DATABASE, DEFAULT_TENANT, Settings
from chromadb.errors import NotFoundError

from corpus.errors import GapbotError, IndexError_, IndexReadOnly, IndexUnreachable

__all__ = [
    "CLOUD",
    "Client",
    "Collection",
    "NotFoundError",
    "connect",
    "elsewhere",
    "give_back_memory",
    "in_folder",
    "point_elsewhere",
    "translated",
]

CLOUD = "cloud"
"""The address of Chroma Cloud, whose own variables say who asks: CHROMA_API_KEY, CHROMA_TENANT, CHROMA_DATABASE."""
_CLOUD_HOST, _CLOUD_PORT, _CLOUD_SSL = "api.trychroma.com", 443, True
_CONNECT_SECONDS, _SECONDS = 5, 60


def in_folder(folder: Path) -> Client:
    """Open the database in a folder."""
    try:
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True))
    except BaseException:
        # Chroma keeps what could not start, on a full disk say, and would hand it out in place of a new one.
        if str(folder) not in SharedSystemClient._identifier_to_refcount:
            SharedSystemClient._identifier_to_system.pop(str(folder), None)
        raise


def connect(address: str) -> Client:
    """Connect to the Chroma server at an address such as http://127.0.0.1:8000, or to Chroma Cloud at `CLOUD`.

    On a server of one's own, CHROMA_TENANT and CHROMA_DATABASE name others than its defaults.
    Raises IndexUnreachable if it does not answer.
    """
    settings = Settings(anonymized_telemetry=False)
    tenant, database = os.environ.get("CHROMA_TENANT"), os.environ.get("CHROMA_DATABASE")
    if address == CLOUD:
        host, port, secure = _CLOUD_HOST, _CLOUD_PORT, _CLOUD_SSL
    else:
        url = urlsplit(address)
        secure = url.scheme == "https"
        host, port = str(url.hostname), url.port or (443 if secure else 80)
    _look(f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}", address)
    with translated():
        if address == CLOUD:
            client = chromadb.CloudClient(
                tenant, database, None, settings, cloud_host=host, cloud_port=port, enable_ssl=secure
            )
        else:
            places = (tenant or DEFAULT_TENANT, database or DEFAULT_DATABASE)
            client = chromadb.HttpClient(host, port, secure, None, settings, *places)
    # Chroma's own client would wait for ever for a server that has stopped.
    server: Any = client
    server._server._session.timeout = _SECONDS
    return client


def _look(url: str, address: str) -> None:
    """See that a server answers, for Chroma's own client would wait for ever."""
    try:
        with urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=_CONNECT_SECONDS):
            pass
    except (OSError, ValueError) as error:
        raise IndexUnreachable(
            f"no Chroma server answers at {address}: start it, or set GAPBOT_CHROMA to where it is"
        ) from error


def give_back_memory() -> None:
    """Give memory that closed clients held back to the system.

    The C library of Linux keeps what was freed between what is still in use: without this, what each full collection
    leaves adds up to as much as the two that are open.
    """
    with suppress(OSError, AttributeError, TypeError):  # other systems have no such call
        ctypes.CDLL(None).malloc_trim(0)


def elsewhere(folder: Path) -> tuple[str, str] | None:
    """Return the address of the server that holds the collections of a folder, and what their names begin with there.

    A file beside the folder, of its name with `.json`, says so: see `point_elsewhere`.
    """
    try:
        row = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
        return str(row["server"]), str(row["prefix"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexError_(f"the index file {folder.with_suffix('.json')} cannot be read: delete it") from error


def point_elsewhere(folder: Path, server: str, prefix: str) -> None:
    """Say that the collections of a folder are on a server, and what their names there begin with."""
    folder.with_suffix(".json").write_text(json.dumps({"server": server, "prefix": prefix}), encoding="utf-8")


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever Chroma raises into IndexError_: its Rust part raises more kinds than its errors module names."""
    try:
        yield
    except GapbotError:
        raise
    except Exception as error:
        if "readonly" in str(error):
            # Chroma writes to its database even to read it.
            raise IndexReadOnly(
                "the index lies where nothing can be written: make its folder writable or name another with --home DIR"
            ) from error
        # Its client raises what its HTTP library does.
        if type(error).__module__.partition(".")[0] in ("httpx", "httpcore"):
            raise IndexUnreachable("the Chroma server with the index does not answer: try again in a moment") from error
        raise IndexError_(f"the index cannot be read or written: run `gapbot index --rebuild` ({error})") from error
