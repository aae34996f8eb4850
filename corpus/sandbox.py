"""Read files of intricate formats in a process apart, under limits of time and memory: a crafted file may need any amount.

The process gets bytes and gives text; it inherits nothing of the environment and serves many files. Run as a module it
is that process.
"""

import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO

from corpus.errors import RefusedDocument
from corpus.formats import READERS, Content

SUFFIXES = frozenset({".html", ".htm", ".pdf", ".docx"})
"""The formats that are read apart; the others are plain text, whose reading takes as much as the file is long."""
SECONDS, MEGABYTES = 30, 512
_ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    """A process that reads files, started when the first one comes. Not for several threads at once."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, suffix: str, data: bytes) -> Content:
        """Read a file. Raises RefusedDocument where its reader refuses it or goes beyond the limits."""
        process = self._process if self._process and self._process.poll() is None else self._start()
        assert process.stdin
        assert process.stdout
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, end)
        timer.start()
        try:
            _write(process.stdin, json.dumps({"suffix": suffix}).encode())
            _write(process.stdin, data)
            answer = _read(process.stdout)
        except OSError:
            answer = None
        finally:
            timer.cancel()
        if answer is None:
            self.close()
            reason = f"takes longer than {self._seconds:.0f} seconds" if late.is_set() else "ends the reading process"
            raise RefusedDocument(f"reading it {reason}: save it again from the program that made it")
        row = json.loads(answer)
        if "refused" in row:
            raise RefusedDocument(row["refused"])
        return Content(**{**row, "pages": tuple(row["pages"])})

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        kept = {k: os.environ[k] for k in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP") if k in os.environ}
        environment = kept | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "corpus.sandbox"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        return self._process


def read_content(suffix: str, data: bytes) -> Content:
    """Read a file with the reader of its format. Raises RefusedDocument for what is no text or cannot be read."""
    try:
        content = READERS[suffix](data)
    except RefusedDocument:
        raise
    except ImportError as error:
        raise RefusedDocument(f"a library that reads it is missing ({error}): install gapbot again") from error
    except MemoryError:
        raise RefusedDocument(f"reading it needs more than {MEGABYTES} MB of memory") from None
    except Exception as error:  # Parsers of foreign formats raise anything; one file must not stop the others.
        raise RefusedDocument(f"it cannot be read as {suffix[1:].upper()} ({type(error).__name__})") from error
    if not content.text.strip():
        raise RefusedDocument("it holds no text")
    return content


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(struct.pack(">Q", len(data)) + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """Return what `_write` wrote, or None at the end of the pipe."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack(">Q", head)
    data = pipe.read(size)
    return data if len(data) == size else None


def _limit() -> None:
    try:
        import resource
    except ImportError:
        return  # not on Windows, where the time limit alone holds
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20, MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It reads what it is given and writes no file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    """Answer with the content of each file that comes, until the pipe ends."""
    _limit()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a parser that prints must not spoil the answers
    while (head := _read(source)) is not None and (data := _read(source)) is not None:
        try:
            answer = asdict(read_content(json.loads(head)["suffix"], data))
        except RefusedDocument as error:
            answer = {"refused": str(error)}
        _write(sink, json.dumps(answer).encode())


if __name__ == "__main__":
    main()
