"""Bookings of the other side, brought to this one: each is one transaction, safe to repeat by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from booking.sides.comparison import Booking
    from booking.store.database import Connection

_INSERT = """
INSERT INTO bookings (booking_number, idempotency_key, request_digest, hold_id, screening_id, seats, amount_won,
                      customer_name, contact, state, created_at, confirmed_at, cancelled_at)
VALUES (%(number)s, %(key)s, %(digest)s, %(hold_id)s, %(screening_id)s, %(seats)s, %(amount_won)s,
        %(name)s, %(contact)s, %(state)s, %(created_at)s, %(confirmed_at)s,
        CASE WHEN %(state)s = 'cancelled' THEN coalesce(%(cancelled_at)s, now()) END)
ON CONFLICT DO NOTHING
RETURNING id
"""
_PAYMENT = """
INSERT INTO payments (booking_id, merchant_reference, state, amount_won, gateway_payment_id, created_at, ask_after)
VALUES (%(id)s, %(key)s, %(payment_state)s, %(amount_won)s, %(payment_id)s, %(created_at)s,
        CASE WHEN %(payment_state)s <> 'approved' THEN now() END)
"""
# As a hold is claimed and sold: free seats are inserted, expired holds and the booking's own are taken over, the rest
# is left alone. A claim without end is of a purchase whose payment is open. Sorted, as holds claim: no circle of waits.
_CLAIM = """
INSERT INTO seat_claims AS claim (screening_id, seat, booking_id)
SELECT %(screening_id)s, seat, %(id)s FROM unnest(%(seats)s::text[]) AS seat ORDER BY seat
ON CONFLICT (screening_id, seat) DO UPDATE SET booking_id = excluded.booking_id, hold_id = NULL, expires_at = NULL
WHERE claim.booking_id IS NULL
  AND (claim.expires_at <= now() OR (claim.hold_id = %(hold_id)s AND claim.expires_at < 'infinity'))
RETURNING seat
"""


def insert(
    connection: Connection, booking: Booking, screening_id: int, *, state: str, payment_state: str
) -> int | None:
    """Write the booking and its payment in these states; None (and nothing done) when its key or number is there.

    A payment that is not `approved` is due at once for the settler.
    """
    values: dict[str, Any] = {
        "number": booking.booking_number,
        "key": booking.idempotency_key,
        "digest": booking.request_digest,
        "hold_id": booking.hold_id,
        "screening_id": screening_id,
        "seats": list(booking.seats),
        "amount_won": booking.amount_won,
        "name": booking.customer_name,
        "contact": booking.contact,
        "state": state,
        "created_at": booking.created_at,
        "confirmed_at": booking.confirmed_at,
        "cancelled_at": booking.cancelled_at,
        "payment_state": payment_state,
        "payment_id": booking.gateway_payment_id,
    }
    row = connection.execute(_INSERT, values).fetchone()
    if row is None:
        return None
    connection.execute(_PAYMENT, values | {"id": row["id"]})
    return int(row["id"])


def claim(connection: Connection, booking: Booking, screening_id: int, booking_id: int) -> bool:
    """Sell the booking its seats; False when one is not to be had, and then the transaction must not last."""
    values = {
        "screening_id": screening_id,
        "seats": list(booking.seats),
        "id": booking_id,
        "hold_id": booking.hold_id,
    }
    return len(connection.execute(_CLAIM, values).fetchall()) == len(booking.seats)
