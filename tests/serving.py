"""A real server on loopback for tests and benches: uvicorn in a thread, on a port that the system gives."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn

from bot.chain import Chain
from bot.feedback import FeedbackLog
from bot.keeping import Keeper
from bot.limits import Access
from bot.server import create_app
from bot.service import Workers


@contextmanager
def served(
    chain: object,
    access: Access | None = None,
    workers: Workers | None = None,
    feedback: FeedbackLog | None = None,
    keeper: Keeper | None = None,
) -> Iterator[str]:
    """Serve a chain, and give the address of the server."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(cast(Chain, chain), "127.0.0.1", access, workers, feedback, keeper)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
