"""Theatres, films and screenings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking.model import Film, Screening, Theatre

if TYPE_CHECKING:
    from datetime import date

    from booking.store.database import Connection, Row

# A hold that has expired counts as free: whoever wants the seat takes it over.
_SCREENINGS = """
SELECT s.id, a.theatre_id, s.film_id, a.name AS auditorium, s.starts_at, s.price_won, a.seats_total, a.seats_per_row,
       a.seats_total - (
           SELECT count(*) FROM seat_claims c
           WHERE c.screening_id = s.id AND (c.booking_id IS NOT NULL OR c.expires_at > now())
       ) AS seats_free
FROM screenings s JOIN auditoriums a ON a.id = s.auditorium_id
"""
_LIST = (
    _SCREENINGS
    + """
WHERE s.starts_at > now()
  AND (%(theatre_id)s::integer IS NULL OR a.theatre_id = %(theatre_id)s)
  AND (%(film_id)s::integer IS NULL OR s.film_id = %(film_id)s)
  AND (%(day)s::date IS NULL OR (s.starts_at >= %(day)s::date::timestamp AT TIME ZONE 'Asia/Seoul'
                                 AND s.starts_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'Asia/Seoul'))
ORDER BY s.starts_at, s.id LIMIT %(limit)s
"""
)
_CLAIMS = """
SELECT seat, booking_id IS NOT NULL AS sold FROM seat_claims
WHERE screening_id = %s AND (booking_id IS NOT NULL OR expires_at > now())
"""


def theatres(connection: Connection) -> list[Theatre]:
    """List the theatres by city and name."""
    rows = connection.execute("SELECT id, name_ko, name_en, city_ko, city_en FROM theatres ORDER BY id")
    return [Theatre(**row) for row in rows]


def films(connection: Connection) -> list[Film]:
    """List the films."""
    rows = connection.execute("SELECT id, title_ko, title_en, minutes, rating FROM films ORDER BY id")
    return [Film(**row) for row in rows]


def screenings(
    connection: Connection, theatre_id: int | None, film_id: int | None, day: date | None, limit: int
) -> list[Screening]:
    """List screenings that have not begun, soonest first; a day is a day in Seoul."""
    wish = {"theatre_id": theatre_id, "film_id": film_id, "day": day, "limit": limit}
    return [_screening(row) for row in connection.execute(_LIST, wish)]


def screening(connection: Connection, screening_id: int) -> Screening | None:
    """Find a screening, also one that is over."""
    row = connection.execute(_SCREENINGS + "WHERE s.id = %s", (screening_id,)).fetchone()
    return _screening(row) if row else None


def claims(connection: Connection, screening_id: int) -> dict[str, str]:
    """Return the seats that are not free: `held` or `sold`."""
    rows = connection.execute(_CLAIMS, (screening_id,))
    return {row["seat"]: "sold" if row["sold"] else "held" for row in rows}


def _screening(row: Row) -> Screening:
    return Screening(**row)
