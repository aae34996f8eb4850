"""One writer at a time on a Chroma server: a lock that all machines see, and that ends with a writer that has died."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from corpus.errors import IndexBusy, IndexError_
from index.chroma import Client, Collection, NotFoundError, translated

LEASE_SECONDS = 60
"""How long a writer that has died keeps others out."""
_SECOND = 1_000_000_000
_BUSY = "another gapbot is writing this index: wait until it is done, or a minute if it was stopped, then try again"


class Lease:
    """A lock that is held."""

    def __init__(self, client: Client, collection: Collection) -> None:
        self._client = client
        self._collection = collection

    def holds(self) -> bool:
        """Tell whether nobody has taken it over."""
        with translated(), suppress(NotFoundError):
            found = self._client.get_collection(self._collection.name, embedding_function=None)
            return bool(found.id == self._collection.id)
        return False


@contextmanager
def leased(client: Client, name: str) -> Iterator[Lease]:
    """Hold a lock. Raises IndexBusy if another process, on any machine, has it.

    It is a collection, which only one can create. Its metadata tells until when it holds, by the server's clock, and is
    renewed in the background. One that is over is taken away by its id, so that a newer one of that name is not hit.
    """
    with translated(), suppress(NotFoundError):
        found = client.get_collection(name, embedding_function=None)
        if client.heartbeat() <= int((found.metadata or {}).get("until", 0)):
            raise IndexBusy(_BUSY)
        _discard(client, found)
    held = created(client, name, {"until": _end(client)})
    if not held:
        raise IndexBusy(_BUSY)
    done = threading.Event()

    def renew() -> None:
        while not done.wait(LEASE_SECONDS / 4):
            # What goes wrong here is seen before anything is published.
            with suppress(Exception):
                held.modify(metadata={"until": _end(client)})

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield Lease(client, held)
    finally:
        done.set()
        renewing.join()
        with suppress(IndexError_):
            _discard(client, held)


def created(client: Client, name: str, metadata: dict[str, Any] | None = None) -> Collection | None:
    """Create a collection and return it, or None where there is one of that name: only one of many succeeds."""
    with translated():
        try:
            return client.create_collection(name, embedding_function=None, metadata=metadata)
        except Exception as error:
            if "already exists" in str(error):
                return None
            raise


def _end(client: Client) -> int:
    with translated():
        return client.heartbeat() + LEASE_SECONDS * _SECOND


def _discard(client: Client, collection: Collection) -> None:
    """Delete a collection by its id: deleting goes by name alone, which another may have taken since."""
    name = f"{collection.name}.{uuid.uuid4().hex}"
    with translated(), suppress(NotFoundError):
        collection.modify(name=name)
        client.delete_collection(name)
