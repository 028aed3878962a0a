"""Count requests and purchases for Prometheus, and name the server in each answer. Owns prometheus_client."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)


class Metrics:
    """The numbers of this process; with PROMETHEUS_MULTIPROC_DIR, of all workers of the server."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.requests = Counter("booking_requests", "Answers", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram(
            "booking_request_seconds", "Answer times", ["route"], buckets=_BUCKETS, registry=registry
        )
        self.purchases = Counter("booking_purchases", "Purchase requests by outcome", ["outcome"], registry=registry)
        self.active = Gauge(
            "booking_customers_buying", "Requests that hold or buy now", registry=registry, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "booking_customers_waiting", "Requests in the waiting room", registry=registry, multiprocess_mode="livesum"
        )
        self.ready = Gauge(
            "booking_ready", "1 when this server can sell", registry=registry, multiprocess_mode="livemin"
        )
        self._registry = registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            self._registry = CollectorRegistry()
            MultiProcessCollector(self._registry)  # type: ignore[no-untyped-call]  # prometheus_client types only half of it

    def text(self) -> bytes:
        """Return the numbers in Prometheus' format."""
        return generate_latest(self._registry)


class Measured:
    """Count every answer by its route, and put the server's name on it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, server: str) -> None:
        self._app = app
        self._metrics = metrics
        self._name = (b"x-understudy-server", server.encode("ascii", "replace"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), self._name]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(scope["method"], route, status).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - began)
