"""Read files in a process apart, under limits of time and memory: a crafted file may need any amount.

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
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from corpus.errors import RefusedDocument
from corpus.formats import READERS, Content
from corpus.rows import Fact, Row, read_many

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
        """Read a file that is one document. Raises RefusedDocument where its reader refuses it or goes beyond the limits."""
        row = self._answers({"suffix": suffix}, data)[0]
        return Content(**{**row, "pages": tuple(row["pages"])})

    def rows(self, suffix: str, data: bytes, topic: str) -> list[Row | Fact | RefusedDocument]:
        """Read a file of many documents as `read_many` does. Raises RefusedDocument as `read` does."""
        return [_item(row) for row in self._answers({"suffix": suffix, "topic": topic}, data)]

    def _answers(self, request: dict[str, str], data: bytes) -> list[dict[str, Any]]:
        """Return what the process answers about a file, piece by piece up to the empty one."""
        process = self._process if self._process and self._process.poll() is None else self._start()
        assert process.stdin
        assert process.stdout
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, end)
        timer.start()
        pieces: list[bytes] = []
        try:
            _write(process.stdin, json.dumps(request).encode())
            _write(process.stdin, data)
            while piece := _read(process.stdout):
                pieces.append(piece)
        except OSError:
            piece = None
        finally:
            timer.cancel()
        if piece is None:
            self.close()
            reason = f"takes longer than {self._seconds:.0f} seconds" if late.is_set() else "ends the reading process"
            raise RefusedDocument(f"reading it {reason}: save it again from the program that made it")
        answers: list[dict[str, Any]] = [json.loads(p) for p in pieces]
        if "refused" in answers[-1]:
            raise RefusedDocument(answers[-1]["refused"])
        return answers

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


def _item(row: dict[str, Any]) -> Row | Fact | RefusedDocument:
    if "problem" in row:
        return RefusedDocument(row["problem"])
    return Row(**row) if "line" in row else Fact(**{**row, "disagrees_with": tuple(row["disagrees_with"])})


def read_content(suffix: str, data: bytes) -> Content:
    """Read a file with the reader of its format. Raises RefusedDocument for what is no text or cannot be read."""
    try:
        content = READERS[suffix](data)
    except RefusedDocument:
        raise
    except ImportError as error:
        raise RefusedDocument(f"a library that reads it is missing ({error}): install gapbot again") from error
    except MemoryError:
        raise  # told by whoever answers, whatever needed it
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
            for answer in _answers(json.loads(head), data):
                _write(sink, json.dumps(answer).encode())
        except RefusedDocument as error:
            _write(sink, json.dumps({"refused": str(error)}).encode())
        except MemoryError:
            _write(sink, json.dumps({"refused": f"reading it needs more than {MEGABYTES} MB of memory"}).encode())
        _write(sink, b"")


def _answers(request: dict[str, str], data: bytes) -> Iterator[dict[str, Any]]:
    if "topic" not in request:
        yield asdict(read_content(request["suffix"], data))
        return
    for item in read_many(request["suffix"], data, request["topic"]):
        yield {"problem": str(item)} if isinstance(item, RefusedDocument) else asdict(item)


if __name__ == "__main__":
    main()
