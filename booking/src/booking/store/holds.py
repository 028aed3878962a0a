"""Seats kept for a customer for a few minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from booking.errors import Refusal
from booking.model import Hold, in_seat_order

if TYPE_CHECKING:
    from uuid import UUID

    from booking.store.database import Connection

_INSERT = """
INSERT INTO holds (id, screening_id, seats, amount_won, expires_at)
VALUES (%(id)s, %(screening_id)s, %(seats)s, %(amount_won)s, now() + make_interval(secs => %(seconds)s))
RETURNING expires_at
"""
# Free seats are inserted, expired holds are taken over, anything else is left alone: one statement, decided by the key.
# Sorted, so that two customers never wait for each other in a circle.
_CLAIM = """
INSERT INTO seat_claims AS claim (screening_id, seat, hold_id, expires_at)
SELECT %(screening_id)s, seat, %(id)s, %(expires_at)s FROM unnest(%(seats)s::text[]) AS seat ORDER BY seat
ON CONFLICT (screening_id, seat) DO UPDATE SET hold_id = excluded.hold_id, expires_at = excluded.expires_at
WHERE claim.booking_id IS NULL AND claim.expires_at <= now()
RETURNING seat
"""


def create(
    connection: Connection, hold_id: UUID, screening_id: int, seats: list[str], *, amount_won: int, seconds: int
) -> Hold:
    """Hold all of the seats or none; raises Refusal seat_taken."""
    wish: dict[str, Any] = {
        "id": hold_id,
        "screening_id": screening_id,
        "seats": list(in_seat_order(seats)),
        "amount_won": amount_won,
        "seconds": seconds,
    }
    row = connection.execute(_INSERT, wish).fetchone()
    wish["expires_at"] = row["expires_at"] if row else None
    got = {claim["seat"] for claim in connection.execute(_CLAIM, wish)}
    if taken := in_seat_order(set(seats) - got):
        sentence = "Somebody else has taken a seat that you chose. Choose other seats."
        raise Refusal("seat_taken", sentence, seats=list(taken))
    return Hold(hold_id, screening_id, in_seat_order(seats), amount_won, wish["expires_at"])


def find(connection: Connection, hold_id: UUID) -> Hold | None:
    """Find a hold, also one that has expired."""
    query = "SELECT id, screening_id, seats, amount_won, expires_at FROM holds WHERE id = %s"
    row = connection.execute(query, (hold_id,)).fetchone()
    return Hold(**{**row, "seats": tuple(row["seats"])}) if row else None


def forget_old(connection: Connection) -> int:
    """Delete holds and claims that expired an hour ago; returns how many holds."""
    connection.execute("DELETE FROM seat_claims WHERE hold_id IS NOT NULL AND expires_at < now() - interval '1 hour'")
    return connection.execute("DELETE FROM holds WHERE expires_at < now() - interval '1 day'").rowcount
