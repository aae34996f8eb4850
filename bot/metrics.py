"""What a server counts, for Prometheus: requests, how long they take, and answers. The one user of prometheus_client."""

import time
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import generate_latest as _generate

from bot.answer import Answer
from bot.limits import App, Message, Receive, Send, is_for_programs
from bot.service import Workers

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counts of one server. Nothing that was asked or answered is in them."""

    def __init__(self, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "gapbot_requests", "Requests by route and HTTP status", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "gapbot_request_seconds",
            "Time to the end of a response",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter(
            "gapbot_answers", "Whole answers given", ("status", "answered_by", "through"), registry=self._registry
        )
        self._fallbacks = Counter(
            "gapbot_fallbacks", "Answers that are extractive because the model did not answer", registry=self._registry
        )
        self._tokens = Counter(
            "gapbot_tokens", "Tokens of the LLM, sent and received", ("way",), registry=self._registry
        )
        under_way = Gauge("gapbot_under_way", "Requests being answered or waiting for it", registry=self._registry)
        under_way.set_function(lambda: workers.under_way)

    def count_answer(self, answer: Answer, through: Literal["page", "programs"] = "programs") -> None:
        """Count an answer, and the tokens of the LLM that it took. Safe for several threads."""
        self._answers.labels(answer.status, answer.answered_by, through).inc()
        if answer.tokens:
            self._tokens.labels("sent").inc(answer.tokens.sent)
            self._tokens.labels("received").inc(answer.tokens.received)
        if answer.notice and answer.answered_by == "extractive":
            self._fallbacks.inc()

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request whose response has ended."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return _generate(self._registry)


class Measured:
    """An ASGI app whose requests are counted, by route and not by path: paths are without number."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "") if is_for_programs(scope["path"]) else "page"
            if scope["path"] == "/mcp":
                route = "/mcp"
            self._metrics.count_request(route or "none", status, time.perf_counter() - started)
