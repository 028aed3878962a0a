"""The stand-in's payments, in an SQLite file: one per merchant's reference, charged once."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = """
CREATE TABLE IF NOT EXISTS payments (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    merchant_reference TEXT NOT NULL UNIQUE,
    payment_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('approved', 'declined', 'refunded')),
    amount_won INTEGER NOT NULL
)
"""
_COLUMNS = "position, merchant_reference, payment_id, state, amount_won"


@dataclass(frozen=True)
class Entry:
    """A payment."""

    position: int
    merchant_reference: str
    payment_id: str
    state: str
    amount_won: int


class Ledger:
    """Durable before it answers."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")  # a lab's power cut stops the process, not the disk
        self._connection.execute(_TABLE)

    def charge(self, reference: str, amount_won: int, state: str) -> Entry:
        """Record a payment, or return the one of this reference."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO payments (merchant_reference, payment_id, state, amount_won) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (merchant_reference) DO NOTHING",
                (reference, f"pay_{uuid4().hex}", state, amount_won),
            )
        entry = self.find(reference)
        if entry is None:
            raise LookupError(reference)
        return entry

    def find(self, reference: str) -> Entry | None:
        """Find a payment."""
        return next(iter(self._select("WHERE merchant_reference = ?", reference)), None)

    def refund(self, reference: str) -> Entry | None:
        """Send money back; a declined payment stays as it is."""
        with self._lock:
            self._connection.execute(
                "UPDATE payments SET state = 'refunded' WHERE merchant_reference = ? AND state = 'approved'",
                (reference,),
            )
        return self.find(reference)

    def listed(self, after: int, limit: int) -> list[Entry]:
        """List payments in the order they were made."""
        return self._select("WHERE position > ? ORDER BY position LIMIT ?", after, limit)

    def _select(self, tail: str, *parameters: object) -> list[Entry]:
        with self._lock:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM payments {tail}", parameters).fetchall()  # noqa: S608 - constants
        return [Entry(*row) for row in rows]
