"""Look a booking up by its number, and cancel it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from booking.errors import CommitUnknownError, Refusal
from booking.service import checking, settling
from booking.store import catalogue, purchases

if TYPE_CHECKING:
    from booking.deadline import Deadline
    from booking.model import Purchase, Screening
    from booking.service.shop import Shop
    from booking.store.database import Connection

_UNKNOWN = "There is no booking of this number and contact. Check both."


def _mine(purchase: Purchase | None, contact: str) -> Purchase:
    """Return a booking to who knows its contact; to others it does not exist."""
    booked = purchase is not None and purchase.state in {"confirmed", "cancelled"}
    if purchase is None or not booked or not checking.same_contact(purchase.contact, contact):
        raise Refusal("not_found", _UNKNOWN)
    return purchase


def find(shop: Shop, number: str, contact: str, deadline: Deadline) -> tuple[Purchase, Screening]:
    """Find a booking and its screening, or refuse."""

    def look(connection: Connection) -> tuple[Purchase, Screening | None]:
        purchase = _mine(purchases.find_by_number(connection, number.strip().upper()), contact)
        return purchase, catalogue.screening(connection, purchase.screening_id)

    purchase, screening = shop.database.read(look, deadline)
    if screening is None:
        raise Refusal("not_found", _UNKNOWN)
    return purchase, screening


def cancel(shop: Shop, number: str, contact: str, deadline: Deadline) -> Purchase:
    """Cancel a booking and send its money back; a repeat changes nothing."""

    def work(connection: Connection) -> Purchase:
        purchase = _mine(purchases.find_by_number(connection, number.strip().upper(), lock=True), contact)
        if purchase.state == "cancelled":
            return purchase
        screening = catalogue.screening(connection, purchase.screening_id)
        if screening is None or screening.starts_at <= datetime.now(UTC):
            raise Refusal("screening_over", "This screening has begun; the booking cannot be cancelled any more.")
        purchases.cancel(connection, purchase)
        return replace(purchase, state="cancelled", payment_state="refunding")

    try:
        cancelled = shop.database.write(work, deadline)
    except CommitUnknownError:
        cancelled = shop.database.write(work, deadline)  # repeats change nothing
    if cancelled.payment_state == "refunding":
        settling.refund(shop, cancelled.idempotency_key, deadline)
    return cancelled
