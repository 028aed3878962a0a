"""Write domain values and refusals as JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from booking.errors import Refusal
    from booking.model import Film, Hold, Purchase, Screening, Theatre

STATUS = {
    "invalid_input": 422,
    "unknown_seat": 422,
    "wrong_amount": 422,
    "idempotency_key_reused": 422,
    "screening_over": 409,
    "seat_taken": 409,
    "hold_expired": 409,
    "payment_declined": 402,
    "not_found": 404,
}
PENDING_SECONDS = 1


def as_json(document: Any, status: int = 200, **headers: str) -> Response:
    """Return a JSON answer; header names are given with underscores."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Cache-Control": "no-store"}
    return Response(body, status, named, "application/json")


def failure(status: int, code: str, message: str, retry_after_seconds: float | None = None, **details: Any) -> Response:
    """Return an error as every client gets it."""
    error = {"code": code, "message": message, **details}
    if retry_after_seconds is None:
        return as_json({"error": error}, status)
    error["retry_after_seconds"] = round(retry_after_seconds, 1)
    return as_json({"error": error}, status, Retry_After=str(math.ceil(retry_after_seconds)))


def refusal(refused: Refusal) -> Response:
    """Return a refusal with its status."""
    return failure(STATUS[refused.code], refused.code, refused.message, **refused.details)


def pending() -> Response:
    """Return the answer for a payment whose outcome is not known yet."""
    body = {"state": "pending", "retry_after_seconds": PENDING_SECONDS}
    return as_json(body, 202, Retry_After=str(PENDING_SECONDS))


def names(thing: Theatre | Film) -> dict[str, Any]:
    """Return a theatre or film."""
    return dict(vars(thing))


def screening(found: Screening) -> dict[str, Any]:
    """Return a screening."""
    fields = {name: value for name, value in vars(found).items() if name not in {"starts_at", "seats_per_row"}}
    return fields | {"starts_at": found.starts_at.isoformat()}


def hold(held: Hold) -> dict[str, Any]:
    """Return a hold."""
    return {
        "hold_id": str(held.id),
        "screening_id": held.screening_id,
        "seats": list(held.seats),
        "amount_won": held.amount_won,
        "expires_at": held.expires_at.isoformat(),
    }


def purchase(bought: Purchase) -> dict[str, Any]:
    """Return a purchase that is confirmed, or was cancelled since."""
    return {
        "booking_number": bought.booking_number,
        "state": bought.state,
        "screening_id": bought.screening_id,
        "seats": list(bought.seats),
        "amount_won": bought.amount_won,
        "idempotency_key": bought.idempotency_key,
    }
