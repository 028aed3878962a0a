"""Bookings with their payments: every change is one transaction, guarded by the state before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking.errors import NOT_HELD, TIME_OVER, WRONG_AMOUNT, Refusal
from booking.model import Order, Purchase

if TYPE_CHECKING:
    from booking.store.database import Connection, Row

_SELECT = """
SELECT b.id AS booking_id, b.booking_number, b.idempotency_key, b.request_digest, b.hold_id, b.screening_id, b.seats,
       b.amount_won, b.customer_name, b.contact, b.state, p.state AS payment_state, p.rechecks,
       extract(epoch FROM clock_timestamp() - p.created_at)::float AS payment_age_seconds
FROM bookings b JOIN payments p ON p.booking_id = b.id
"""
_BEGIN = """
INSERT INTO bookings (booking_number, idempotency_key, request_digest, hold_id, screening_id, seats, amount_won,
                      customer_name, contact, state)
SELECT %(number)s, %(key)s, %(digest)s, h.id, h.screening_id, h.seats, h.amount_won, %(name)s, %(contact)s, 'pending'
FROM holds h WHERE h.id = %(hold_id)s AND h.amount_won = %(amount_won)s
ON CONFLICT (idempotency_key) DO NOTHING
RETURNING id, screening_id, seats
"""
_KEEP = """
UPDATE seat_claims SET expires_at = 'infinity'
WHERE hold_id = %s AND expires_at > now() AND expires_at < 'infinity' RETURNING seat
"""
_START = """
INSERT INTO payments (booking_id, merchant_reference, state, amount_won, ask_after)
VALUES (%s, %s, 'started', %s, now() + interval '5 seconds')
"""


def begin(connection: Connection, order: Order, number: str, digest: str) -> tuple[Purchase, bool]:
    """Record a purchase before its payment is asked for; returns it and whether it is new.

    Raises Refusal when the hold cannot be paid for.
    """
    wish = {
        "number": number,
        "key": order.idempotency_key,
        "digest": digest,
        "hold_id": order.hold_id,
        "amount_won": order.amount_won,
        "name": order.customer_name,
        "contact": order.contact,
    }
    row = connection.execute(_BEGIN, wish).fetchone()
    if row is None:
        return _known(connection, order, digest), False
    kept = connection.execute(_KEEP, (order.hold_id,)).fetchall()
    if len(kept) != len(row["seats"]):
        raise Refusal("hold_expired", TIME_OVER)
    connection.execute(_START, (row["id"], order.idempotency_key, order.amount_won))
    return Purchase(
        booking_id=row["id"],
        booking_number=number,
        idempotency_key=order.idempotency_key,
        request_digest=digest,
        hold_id=order.hold_id,
        screening_id=row["screening_id"],
        seats=tuple(row["seats"]),
        amount_won=order.amount_won,
        customer_name=order.customer_name,
        contact=order.contact,
        state="pending",
        payment_state="started",
        payment_age_seconds=0.0,
        rechecks=0,
    ), True


def _known(connection: Connection, order: Order, digest: str) -> Purchase:
    purchase = find(connection, order.idempotency_key)
    if purchase and purchase.request_digest == digest:
        return purchase
    if purchase:
        raise Refusal("idempotency_key_reused", "This Idempotency-Key was used for another purchase. Use a new one.")
    hold = connection.execute("SELECT amount_won FROM holds WHERE id = %s", (order.hold_id,)).fetchone()
    if hold is None:
        raise Refusal("hold_expired", NOT_HELD)
    values = {"right": hold["amount_won"], "given": order.amount_won}
    raise Refusal("wrong_amount", WRONG_AMOUNT, values)


def find(connection: Connection, idempotency_key: str, *, lasting: bool = False) -> Purchase | None:
    """Find a purchase by its key. With `lasting` its transaction must be written to last, as must all before it.

    A commit whose wait for the standby was cut is visible but may be lost; a later commit that is confirmed covers it.
    """
    if lasting:
        connection.execute("SELECT pg_logical_emit_message(true, 'booking', '')")
    row = connection.execute(_SELECT + "WHERE b.idempotency_key = %s", (idempotency_key,)).fetchone()
    return _purchase(row) if row else None


def find_by_number(connection: Connection, number: str, *, lock: bool = False) -> Purchase | None:
    """Find a purchase by its booking number."""
    tail = "WHERE b.booking_number = %s" + (" FOR UPDATE" if lock else "")
    row = connection.execute(_SELECT + tail, (number,)).fetchone()
    return _purchase(row) if row else None


def lock(connection: Connection, idempotency_key: str) -> Purchase | None:
    """Find a purchase and keep others from changing it until the transaction ends."""
    row = connection.execute(_SELECT + "WHERE b.idempotency_key = %s FOR UPDATE", (idempotency_key,)).fetchone()
    return _purchase(row) if row else None


def sell(connection: Connection, purchase: Purchase) -> bool:
    """Turn the purchase's claims into sold seats and confirm it; False (and nothing done) when a seat is gone."""
    mine = connection.execute("SELECT 1 FROM seat_claims WHERE hold_id = %s FOR UPDATE", (purchase.hold_id,)).fetchall()
    if len(mine) != len(purchase.seats):
        return False
    connection.execute(
        "UPDATE seat_claims SET booking_id = %s, hold_id = NULL, expires_at = NULL WHERE hold_id = %s",
        (purchase.booking_id, purchase.hold_id),
    )
    connection.execute(
        "UPDATE bookings SET state = 'confirmed', confirmed_at = now() WHERE id = %s", (purchase.booking_id,)
    )
    return True


def give_up(connection: Connection, purchase: Purchase, state: str) -> None:
    """End a purchase that was not paid; its seats stay held as long as the hold had been promised."""
    connection.execute("UPDATE bookings SET state = %s WHERE id = %s", (state, purchase.booking_id))
    connection.execute(
        "UPDATE seat_claims c SET expires_at = coalesce((SELECT expires_at FROM holds h WHERE h.id = c.hold_id), now())"
        " WHERE c.hold_id = %s AND c.expires_at = 'infinity'",
        (purchase.hold_id,),
    )


def cancel(connection: Connection, purchase: Purchase) -> None:
    """Free a confirmed booking's seats, and note that its money must go back."""
    connection.execute(
        "UPDATE bookings SET state = 'cancelled', cancelled_at = now() WHERE id = %s", (purchase.booking_id,)
    )
    connection.execute("DELETE FROM seat_claims WHERE booking_id = %s", (purchase.booking_id,))
    note_payment(connection, purchase, "refunding", ask_after_seconds=3)


def note_payment(
    connection: Connection,
    purchase: Purchase,
    state: str,
    payment_id: str | None = None,
    *,
    ask_after_seconds: float | None = None,
    rechecks: int | None = None,
) -> None:
    """Write down a payment's state, and when the settler looks at it again (None: never)."""
    connection.execute(
        "UPDATE payments SET state = %s, gateway_payment_id = coalesce(%s, gateway_payment_id), changed_at = now(),"
        " ask_after = now() + make_interval(secs => %s), rechecks = coalesce(%s, rechecks) WHERE booking_id = %s",
        (state, payment_id, ask_after_seconds, rechecks, purchase.booking_id),
    )


def due(connection: Connection, limit: int, lease_seconds: float) -> list[str]:
    """Take payments that the settler must look at, and keep other servers from them for a while."""
    query = """
    UPDATE payments SET ask_after = now() + make_interval(secs => %s)
    WHERE id IN (SELECT id FROM payments WHERE ask_after <= now() ORDER BY ask_after LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING merchant_reference
    """
    return [row["merchant_reference"] for row in connection.execute(query, (lease_seconds, limit))]


def _purchase(row: Row) -> Purchase:
    return Purchase(**{**row, "seats": tuple(row["seats"])})
