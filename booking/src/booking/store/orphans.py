"""Payments that the gateway knows and this database does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from booking.store.database import Connection


def take_turn(connection: Connection, interval_seconds: float) -> str | None:
    """Return the position to compare from if it is time, and keep other servers from it; None otherwise."""
    query = """
    UPDATE comparison SET next_at = now() + make_interval(secs => %s)
    WHERE id = (SELECT id FROM comparison WHERE next_at <= now() FOR UPDATE SKIP LOCKED) RETURNING position
    """
    row = connection.execute(query, (interval_seconds,)).fetchone()
    return str(row["position"]) if row else None


def note(connection: Connection, references: list[str], position: str) -> None:
    """Remember those references that have no payment here, and where to compare from next."""
    query = """
    INSERT INTO orphan_payments (merchant_reference)
    SELECT reference FROM unnest(%s::text[]) AS reference
    WHERE NOT EXISTS (SELECT FROM payments p WHERE p.merchant_reference = reference)
    ON CONFLICT DO NOTHING
    """
    connection.execute(query, (references,))
    if position:
        connection.execute("UPDATE comparison SET position = %s", (position,))


def ripe(connection: Connection, older_than_seconds: float) -> list[str]:
    """Return orphans whose customer has had the time to come back; forget those who did come back."""
    connection.execute(
        "DELETE FROM orphan_payments o USING payments p WHERE p.merchant_reference = o.merchant_reference"
    )
    query = "SELECT merchant_reference FROM orphan_payments WHERE seen_at <= now() - make_interval(secs => %s) LIMIT 50"
    return [row["merchant_reference"] for row in connection.execute(query, (older_than_seconds,))]


def forget(connection: Connection, reference: str) -> None:
    """Forget an orphan that was sent back."""
    connection.execute("DELETE FROM orphan_payments WHERE merchant_reference = %s", (reference,))
