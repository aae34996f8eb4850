"""An HTTP server on loopback that speaks the OpenAI protocol: it answers from a script, or fails in a named way."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = (
    "down", "dns", "401", "429", "500", "tls", "slow", "stall", "garbage", "truncated", "empty", "wrong-json", "endless",
)  # fmt: skip
SECRET = "sk-a-secret-that-nobody-may-see"
SAID = "Viettel operates 15 data centers [1]. "

Reply = Callable[[str], str]


class LlmServer:
    """How it misbehaves (first `first_faults`, one a request, then `fault`; None is not at all), and what it was sent."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.fault: str | None = None
        self.first_faults: list[str] = []
        self.prompts: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self.cut = threading.Event()
        self.pause = 0.0

    url = ""
    """The base URL of a client."""

    def url_of(self, fault: str) -> str:
        """Return the base URL that shows a fault, which for some lies in the address."""
        if fault == "down":
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                return f"http://127.0.0.1:{s.getsockname()[1]}/v1"
        if fault == "dns":
            return "http://no-such-host.invalid/v1"
        return self.url.replace("http:", "https:") if fault == "tls" else self.url


@contextmanager
def llm_server(reply: Reply = lambda prompt: SAID) -> Iterator[LlmServer]:
    """Serve in a thread; `reply` makes the answer from all that was sent."""
    state = LlmServer(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.bodies.append(body)
            state.prompts.append("\n".join(m["content"] for m in body["messages"]))
            try:
                _answer(self, state)
            except OSError:
                # The client has hung up, which is what a test may wait for.
                state.cut.set()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, state: LlmServer) -> None:
    fault = state.first_faults.pop(0) if state.first_faults else state.fault
    if fault in ("401", "429", "500"):
        return _plain(handler, int(fault), json.dumps({"error": {"message": f"wrong key {SECRET}", "code": SECRET}}))
    if fault == "slow":
        state.ended.wait(60)
        return None
    if fault == "garbage":
        return _plain(handler, 200, "\x00\xff<html>" + "{" * 300, "text/event-stream")
    if fault == "empty":
        return _plain(handler, 200, "", "text/event-stream")
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    if fault == "wrong-json":
        _send(handler, "data: " + json.dumps({"colour": "blue", "choices": [{"delta": 7}]}) + "\n\n")
        _send(handler, 'data: {"choices": [{"delta": {"content": "Viettel op\n\n')
        return _end(handler)
    text = state.reply(state.prompts[-1])
    pieces = re.findall(r".{1,12}", text, re.S)
    if fault == "stall":
        for piece in pieces:
            _send(handler, _chunk(piece))
        state.ended.wait(60)
        return None
    if fault == "truncated":
        for piece in pieces + pieces[:2]:
            _send(handler, _chunk(piece))
        # The connection closes in the middle of a sentence, without the mark of an end.
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)
        return None
    if fault == "endless":
        while not state.ended.is_set():
            _send(handler, _chunk("and so on and on "))
            time.sleep(0.002)
        return None
    for piece in pieces:
        _send(handler, _chunk(piece))
        time.sleep(state.pause)
    _send(handler, _chunk("", "length" if fault == "length" else "stop"))
    usage = {"prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366}
    _send(handler, _chunk(None, usage=usage))
    _send(handler, "data: [DONE]\n\n")
    return _end(handler)


def _chunk(text: str | None, finish: str | None = None, usage: dict[str, int] | None = None) -> str:
    row: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": []}
    if text is not None:
        row["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}]
    return f"data: {json.dumps(row | ({'usage': usage} if usage else {}))}\n\n"


def _send(handler: BaseHTTPRequestHandler, text: str) -> None:
    data = text.encode()
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


def _end(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"0\r\n\r\n")


def _plain(handler: BaseHTTPRequestHandler, status: int, body: str, kind: str = "application/json") -> None:
    data = body.encode("latin-1")
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
