"""Health, metrics, and the gateway's notifications."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotations
from starlette.responses import Response

from booking import __version__
from booking.gateway import SIGNATURE_HEADER
from booking.service import checking, settling
from booking.web import answers

if TYPE_CHECKING:
    from booking.web.house import House


def create_router(house: House) -> APIRouter:
    """Make the routes that machines ask for."""
    router = APIRouter(include_in_schema=False)
    server = house.shop.settings.site_name

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        """Tell that the process answers."""
        return answers.as_json({"status": "ok", "version": __version__, "server": server})

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    async def readyz() -> Response:
        """Tell whether this server can sell, and what is missing."""
        missing = house.lookout.readiness().missing
        state = {
            "status": "not ready" if missing else "ready",
            "missing": missing,
            "version": __version__,
            "server": server,
        }
        return answers.as_json(state, 503 if missing else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        """Return the numbers for Prometheus."""
        house.metrics.ready.set(0 if house.lookout.readiness().missing else 1)
        return Response(house.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.post("/payments/notifications")
    async def notification(request: Request) -> Response:
        """Take the gateway's word that something happened, and ask it what: a repeat then changes nothing."""
        body = await request.body()
        if not house.shop.gateway.signed(body, request.headers.get(SIGNATURE_HEADER, "")):
            return answers.failure(403, "not_signed", "This notification is not signed by the payment gateway.")
        try:
            key = checking.idempotency_key(str(json.loads(body)["merchant_reference"]))
        except (ValueError, KeyError, TypeError):
            return answers.failure(422, "invalid_input", "Send the payment's merchant_reference.")
        with house.counted():  # and not before: anybody may send to this address
            await run_in_threadpool(settling.settle, house.shop, key, house.shop.deadline())
        return Response(status_code=204)

    return router
