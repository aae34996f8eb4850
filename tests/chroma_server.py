"""A real Chroma server for tests: `chroma run`, which is the one in Rust, on loopback and a port that the system gives."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ChromaServer:
    """`chroma run` over a folder; it can be stopped, and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
        arguments = ["run", "--path", str(self._folder), "--host", "127.0.0.1", "--port", str(self._port)]
        with (self._folder.parent / "chroma.log").open("ab") as log:
            self._process = subprocess.Popen([command, *arguments], stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5):
                    return
            except OSError:
                assert self._process.poll() is None, "chroma run has ended"
                assert time.monotonic() < end, "chroma run does not answer"
                time.sleep(0.05)

    def stop(self) -> None:
        """End it without warning, as a machine that fails does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    """Run a Chroma server over a folder."""
    server = ChromaServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
