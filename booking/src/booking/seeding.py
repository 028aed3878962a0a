"""Fill a database with a cinema chain: the same wish gives the same programme, a second run only what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg

from booking.seeding_names import CITIES, DISTRICTS, FILMS

if TYPE_CHECKING:
    from datetime import date

_SEOUL = ZoneInfo("Asia/Seoul")
_LOAD_THEATRE = 9000
_OPENING_MINUTES = (9 * 60, 12 * 60 + 10, 15 * 60 + 30, 18 * 60 + 40, 21 * 60 + 50)
_LOAD_ROW = 50


@dataclass(frozen=True)
class Wish:
    """What to fill in; with screening_seats, also screenings of exactly that many seats in the theatre `load`."""

    theatres: int = 65
    days: int = 3
    seed: int = 1
    screening_seats: int = 0
    screenings: int = 1


def seed(database_url: str, wish: Wish, now: datetime | None = None) -> str:
    """Fill in what is missing, and say how much there is."""
    today = (now or datetime.now(_SEOUL)).astimezone(_SEOUL).date()
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(7355609)")
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO films (id, code, title_ko, title_en, minutes, rating) VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [(number, *film) for number, film in enumerate(FILMS, 1)],
        )
        _theatres(cursor, wish)
        _screenings(cursor, wish, today)
        if wish.screening_seats:
            _load_screenings(cursor, wish, today)
        counted = cursor.execute(
            "SELECT (SELECT count(*) FROM theatres), (SELECT count(*) FROM films), (SELECT count(*) FROM screenings)"
        ).fetchone()
    theatres, films, screenings = counted or (0, 0, 0)
    return f"theatres: {theatres}, films: {films}, screenings: {screenings}"


def _theatres(cursor: psycopg.Cursor[Any], wish: Wish) -> None:
    random = Random(wish.seed)  # noqa: S311 - a programme, not a secret
    theatres, halls = [], []
    for number in range(1, wish.theatres + 1):
        city_ko, city_en = CITIES[(number - 1) % len(CITIES)]
        district_ko, district_en = DISTRICTS[((number - 1) // len(CITIES)) % len(DISTRICTS)]
        theatres.append(
            (number, f"t{number:03}", f"{city_ko} {district_ko}점", f"{city_en} {district_en}", city_ko, city_en)
        )
        for hall in range(1, random.randint(3, 4) + 1):
            width = random.choice((10, 12, 14))
            halls.append((number, str(hall), width * random.randint(8, 11), width))
    cursor.executemany(
        "INSERT INTO theatres (id, code, name_ko, name_en, city_ko, city_en) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        theatres,
    )
    _halls(cursor, halls)


def _halls(cursor: psycopg.Cursor[Any], halls: list[tuple[int, str, int, int]]) -> None:
    cursor.executemany(
        "INSERT INTO auditoriums (theatre_id, name, seats_total, seats_per_row) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        halls,
    )


def _screenings(cursor: psycopg.Cursor[Any], wish: Wish, today: date) -> None:
    cursor.execute("SELECT id, theatre_id, name FROM auditoriums WHERE theatre_id <= %s ORDER BY id", (wish.theatres,))
    rows = []
    for hall_id, theatre_id, name in cursor.fetchall():
        for day in (today + timedelta(days=number) for number in range(wish.days)):
            # The day is part of the randomness, so that tomorrow's run agrees with today's about tomorrow.
            random = Random(f"{wish.seed} {theatre_id} {name} {day}")  # noqa: S311 - a programme, not a secret
            for minutes in _OPENING_MINUTES:
                starts = datetime.combine(day, time(), _SEOUL) + timedelta(minutes=minutes + 5 * random.randint(0, 6))
                price = 11_000 if minutes < 600 else random.choice((14_000, 15_000, 16_000))
                rows.append((random.randint(1, len(FILMS)), hall_id, starts, price))
    _add_screenings(cursor, rows)


def _add_screenings(cursor: psycopg.Cursor[Any], rows: list[tuple[int, int, datetime, int]]) -> None:
    films, halls, starts, prices = ([row[place] for row in rows] for place in range(4))
    cursor.execute(
        "INSERT INTO screenings (film_id, auditorium_id, starts_at, price_won)"
        " SELECT * FROM unnest(%s::integer[], %s::integer[], %s::timestamptz[], %s::integer[])"
        " ON CONFLICT (auditorium_id, starts_at) DO NOTHING",
        (films, halls, starts, prices),
    )


def _load_screenings(cursor: psycopg.Cursor[Any], wish: Wish, today: date) -> None:
    cursor.execute(
        "INSERT INTO theatres VALUES (%s, 'load', 'load', 'load', '부하 시험', 'Load test') ON CONFLICT DO NOTHING",
        (_LOAD_THEATRE,),
    )
    names = [f"load-{wish.screening_seats}-{number}" for number in range(1, wish.screenings + 1)]
    width = min(_LOAD_ROW, wish.screening_seats)
    _halls(cursor, [(_LOAD_THEATRE, name, wish.screening_seats, width) for name in names])
    cursor.execute("SELECT id FROM auditoriums WHERE theatre_id = %s AND name = ANY(%s)", (_LOAD_THEATRE, names))
    starts = datetime.combine(today + timedelta(days=1), time(20), _SEOUL)
    _add_screenings(cursor, [(1, hall_id, starts, 10_000) for (hall_id,) in cursor.fetchall()])
