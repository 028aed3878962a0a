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


def take(connection: Connection, reference: str) -> bool:
    """Take an orphan out, to send its money back in this transaction; False when it has a payment here by now.

    Whoever brings its booking back meanwhile (`keep`) waits until this transaction has ended, or this one for theirs.
    """
    query = """
    DELETE FROM orphan_payments o WHERE merchant_reference = %s
    AND NOT EXISTS (SELECT FROM payments p WHERE p.merchant_reference = o.merchant_reference)
    """
    return connection.execute(query, (reference,)).rowcount == 1


def keep(connection: Connection, reference: str) -> None:
    """Keep a payment from being sent back as an orphan until this transaction has ended."""
    query = "INSERT INTO orphan_payments (merchant_reference) VALUES (%s) ON CONFLICT (merchant_reference) DO UPDATE"
    connection.execute(f"{query} SET seen_at = orphan_payments.seen_at", (reference,))


def release(connection: Connection, reference: str) -> None:
    """End what `keep` began, in the same transaction: the payment has its booking."""
    connection.execute("DELETE FROM orphan_payments WHERE merchant_reference = %s", (reference,))


def pause(connection: Connection) -> None:
    """Compare no more, so that no orphan is sent back, until `go_on`."""
    connection.execute("UPDATE comparison SET next_at = 'infinity'")


def go_on(connection: Connection) -> None:
    """Compare again, from where it stopped."""
    connection.execute("UPDATE comparison SET next_at = now() WHERE next_at = 'infinity'")
