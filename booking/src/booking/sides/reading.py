"""Read what differs from both sides, each as it stands at one moment, and change nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from booking.errors import SidesError
from booking.sides.comparison import Booking, Claim, NewSide, Showing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from booking.store.database import Connection

_SETTINGS: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "booking divergence",
    "options": "-c timezone=UTC -c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on",
}


@dataclass(frozen=True)
class Read:
    """The old side's bookings that differ, what the new side holds of them, and how much there is."""

    old: tuple[Booking, ...]
    new: NewSide
    bookings_old: int
    only_on_new_side: int


def rows(connection: Connection, name: str, **values: Any) -> list[dict[str, Any]]:
    """Run the SQL file of a name."""
    query = resources.files("booking.sides").joinpath(f"{name}.sql").read_text(encoding="utf-8")
    return connection.execute(query.encode(), values or None).fetchall()


def read(old_url: str, new_url: str, since: datetime | None = None) -> Read:
    """Read both sides at once, one repeatable-read transaction each; with `since` only what changed from then on.

    Raises SidesError when a side cannot be read, or both are one.
    """
    with _open(old_url, "old") as old, _open(new_url, "new") as new, ThreadPoolExecutor(2) as threads:
        try:
            one, other = threads.map(lambda side: rows(side, "identity")[0], (old, new))
            if one["identity"] == other["identity"]:
                message = "--old and --new lead to the same database; nothing can differ. Name the old leader's copy."
                raise SidesError(message)
            held, holds = threads.map(lambda side: _fingerprints(side, since), (old, new))
            differing = [key for key in held.keys() | holds.keys() if held.get(key) != holds.get(key)]
            # Without `since` all keys are known: what the old side does not have need not be asked of it.
            asked = differing if since else [key for key in differing if key in held]
            of_old = bookings(old, asked)
            there = new_side(new, of_old, other["at"])
        except psycopg.Error as error:
            raise SidesError(f"The two sides cannot be compared: {error}".strip()) from error
    only_new = len(differing) - len(of_old)
    return Read(tuple(of_old), there, bookings_old=len(held), only_on_new_side=only_new)


def _open(url: str, name: str) -> Connection:
    try:
        return psycopg.connect(url, row_factory=dict_row, **_SETTINGS)
    except psycopg.Error as error:
        raise SidesError(f"The {name} side cannot be read: {error}".strip()) from error


def _fingerprints(connection: Connection, since: datetime | None) -> dict[str, str]:
    found = rows(connection, "fingerprints_since", since=since) if since else rows(connection, "fingerprints")
    return {row["idempotency_key"]: row["fingerprint"] for row in found}


def bookings(connection: Connection, keys: Collection[str]) -> list[Booking]:
    """Read the bookings of these keys."""
    found = rows(connection, "bookings", keys=list(keys)) if keys else []
    return [
        Booking(**row, showing=showing, seats=seats)
        for row in found
        for showing, seats in [(_showing(row), tuple(row.pop("seats")))]
    ]


def now(connection: Connection) -> datetime:
    """Tell when the transaction began by the database's clock."""
    moment: datetime = rows(connection, "identity")[0]["at"]
    return moment


def _showing(row: dict[str, Any]) -> Showing:
    return Showing(row.pop("theatre"), row.pop("auditorium"), row.pop("film"), row.pop("starts_at"))


def new_side(connection: Connection, old: Iterable[Booking], at: datetime) -> NewSide:
    """Read what the new side holds of these bookings of the old one; `at` is its clock's now."""
    found = {booking.idempotency_key: booking for booking in bookings(connection, [b.idempotency_key for b in old])}
    missing = [booking for booking in old if booking.idempotency_key not in found]
    taken = rows(connection, "numbers", numbers=[booking.booking_number for booking in missing])
    ids = showings(connection, {booking.showing for booking in missing})
    return NewSide(
        at=at,
        bookings=found,
        numbers={row["booking_number"]: row["idempotency_key"] for row in taken},
        showings=frozenset(ids),
        claims=claims(connection, missing, ids),
    )


def showings(connection: Connection, wanted: Collection[Showing]) -> dict[Showing, int]:
    """Find the row numbers of screenings; those that are not there are left out."""
    found = rows(
        connection,
        "showings",
        theatres=[showing.theatre for showing in wanted],
        auditoriums=[showing.auditorium for showing in wanted],
        films=[showing.film for showing in wanted],
        starts=[showing.starts_at for showing in wanted],
    )
    return {_showing(row): row["id"] for row in found}


def claims(
    connection: Connection, wanted: Iterable[Booking], ids: dict[Showing, int]
) -> dict[tuple[Showing, str], Claim]:
    """Find who has the seats of these bookings."""
    pairs = [(ids[each.showing], seat) for each in wanted if each.showing in ids for seat in each.seats]
    by_id = {number: showing for showing, number in ids.items()}
    found = rows(connection, "claims", screenings=[number for number, _ in pairs], seats=[seat for _, seat in pairs])
    return {(by_id[row.pop("screening_id")], row.pop("seat")): Claim(**row) for row in found}
