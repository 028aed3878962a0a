"""The stand-in gateway's HTTP interface."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import random
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from booking.gateway import SIGNATURE_HEADER, signature
from booking.gateway_standin.faults import Faults

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from booking.gateway_standin.ledger import Entry, Ledger

logger = logging.getLogger("booking.gateway")
_DECLINED = "tok_declined"


class Charge(BaseModel):
    """A merchant's request for money."""

    merchant_reference: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    amount_won: int = Field(gt=0, le=100_000_000)
    card_token: str = Field(min_length=1, max_length=128)
    notify_url: str = ""


class _Silence(Response):
    """Close the connection without an answer: uvicorn does that when an application ends without one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "merchant_reference": entry.merchant_reference,
        "payment_id": entry.payment_id,
        "state": entry.state,
        "amount_won": entry.amount_won,
    }


class Standin:
    """A gateway that behaves as its faults say; `chance` returns numbers from 0 to 1."""

    def __init__(self, ledger: Ledger, secret: str, trust: ssl.SSLContext | None, chance: Callable[[], float]) -> None:
        self._ledger = ledger
        self._secret = secret
        self._trust = trust
        self._chance = chance
        self._faults = Faults()
        self._notifying: set[asyncio.Task[None]] = set()

    def merchant(self, authorization: Annotated[str, Header()] = "") -> None:
        """Let the merchant in; a dependency of every route but the health check."""
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._secret}".encode()):
            raise HTTPException(401, "Send the merchant's secret as bearer token.")

    async def charge(self, body: Charge) -> Response:
        """Take money, once for each reference."""
        faults = self._faults
        strikes = faults.mode != "none" and self._chance() < faults.share
        if strikes and faults.mode == "fail":
            return JSONResponse({"detail": "The gateway fails, as it was told to."}, 500)
        state = "declined" if body.card_token == _DECLINED else "approved"
        entry = self._ledger.charge(body.merchant_reference, body.amount_won, state)
        if strikes and faults.mode == "silent":
            return _Silence()
        if strikes and faults.mode == "twice":
            self._notify(faults.notify_url or body.notify_url, _fields(entry))
        if strikes:
            await asyncio.sleep(faults.delay_seconds())
        return JSONResponse(_fields(entry))

    def _notify(self, url: str, fields: dict[str, Any]) -> None:
        task = asyncio.create_task(_notify_twice(url, fields, self._secret, self._trust))
        self._notifying.add(task)
        task.add_done_callback(self._notifying.discard)

    async def find(self, reference: str) -> Response:
        """Tell what became of a payment."""
        return _answer(self._ledger.find(reference))

    async def refund(self, reference: str) -> Response:
        """Send money back; a repeat changes nothing."""
        return _answer(self._ledger.refund(reference))

    async def listed(self, limit: int = 500, after: str = "") -> Response:
        """List payments in the order they were made; `next` continues, until it is null."""
        entries = self._ledger.listed(int(after) if after.isdigit() else 0, max(1, min(limit, 5000)))
        following = str(entries[-1].position) if entries else None
        return JSONResponse({"payments": [_fields(entry) for entry in entries], "next": following})

    async def put_faults(self, faults: Faults) -> Faults:
        """Behave like this from now on."""
        self._faults = faults
        logger.info("faults_set mode=%s share=%s delay_ms=%s", faults.mode, faults.share, faults.delay_ms)
        return faults


def create_app(
    ledger: Ledger, secret: str, trust: ssl.SSLContext | None = None, chance: Callable[[], float] = random.random
) -> FastAPI:
    """Make the application; `trust` verifies the shop that is notified."""
    app = FastAPI(title="Stand-in payment gateway", docs_url=None, redoc_url=None)
    standin = Standin(ledger, secret, trust, chance)
    known = [Depends(standin.merchant)]

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app.add_api_route("/payments", standin.charge, methods=["POST"], dependencies=known)
    app.add_api_route("/payments", standin.listed, methods=["GET"], dependencies=known)
    app.add_api_route("/payments/{reference}", standin.find, methods=["GET"], dependencies=known)
    app.add_api_route("/payments/{reference}/refund", standin.refund, methods=["POST"], dependencies=known)
    app.add_api_route("/faults", standin.put_faults, methods=["PUT"], dependencies=known)
    app.add_route("/healthz", healthz)
    return app


def _answer(entry: Entry | None) -> Response:
    if entry is None:
        return JSONResponse({"detail": "The gateway knows no payment of this reference."}, 404)
    return JSONResponse(_fields(entry))


async def _notify_twice(url: str, fields: dict[str, Any], secret: str, trust: ssl.SSLContext | None) -> None:
    """Tell the merchant twice, as payment companies do now and then."""
    if not url:
        return
    body = json.dumps(fields).encode()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(secret, body)}
    async with httpx.AsyncClient(verify=trust or True, trust_env=False, timeout=5) as client:
        for _ in range(2):
            try:
                answer = await client.post(url, content=body, headers=headers)
                logger.info(
                    "notification_answered reference=%s status=%s", fields["merchant_reference"], answer.status_code
                )
            except httpx.HTTPError as error:
                logger.warning("notification_lost url=%s error=%r", url, error)
            await asyncio.sleep(0.2)
