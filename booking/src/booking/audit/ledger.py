"""Read what the database holds, as it stands at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg

from booking.audit.comparison import Sale
from booking.crowd.errors import CrowdError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONNECT_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Ledger:
    """All bookings, the keys of payments that are not settled, and of settled ones that the shop will look at again."""

    sales: list[Sale]
    unsettled: list[str]
    watched: list[str]


def read(database: str) -> Ledger:
    """Read the ledger; CrowdError when the database cannot be read."""
    try:
        with psycopg.connect(database, connect_timeout=_CONNECT_TIMEOUT_SECONDS) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            sales = [
                Sale(number, key, state, screening, frozenset(promised), frozenset(seats), amount_won)
                for number, key, state, screening, promised, seats, amount_won in _rows(connection, "sales.sql")
            ]
            payments = list(_rows(connection, "open_payments.sql"))
            return Ledger(
                sales,
                unsettled=[key for key, unsettled in payments if unsettled],
                watched=[key for key, unsettled in payments if not unsettled],
            )
    except psycopg.Error as error:
        raise CrowdError(f"The database cannot be audited: {error}".strip()) from error


def _rows(connection: psycopg.Connection[Any], name: str) -> Iterator[Any]:
    query = resources.files("booking.audit").joinpath(name).read_text(encoding="utf-8")
    return iter(connection.execute(query))
