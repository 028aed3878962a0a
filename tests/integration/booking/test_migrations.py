"""Migrations and seeding may run twice, and from several servers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from booking.migrate import migrate, newest
from booking.seeding import Wish, seed


def test_several_servers_migrate_an_empty_database_once(postgresql_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: migrate(postgresql_url), range(4)))
    assert sorted(results) == sorted([("none", newest()), *[(newest(), newest())] * 3])


def test_checking_changes_nothing(postgresql_url: str) -> None:
    assert migrate(postgresql_url, check=True) == ("none", "none")
    migrate(postgresql_url)
    assert migrate(postgresql_url, check=True) == (newest(), newest())


def test_a_newer_databases_shape_is_left_alone(postgresql_url: str) -> None:
    migrate(postgresql_url)
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert migrate(postgresql_url) == ("9999", "9999")


def test_a_second_seed_changes_nothing_and_the_numbers_are_as_wished(postgresql_url: str) -> None:
    migrate(postgresql_url)
    wish = Wish(theatres=65, days=1, screening_seats=2000, screenings=1)
    first, second = seed(postgresql_url, wish), seed(postgresql_url, wish)
    assert first == second
    assert first.startswith("theatres: 66, films: 8")
    with psycopg.connect(postgresql_url) as connection:
        load = (
            "SELECT seats_total FROM auditoriums a JOIN screenings s ON s.auditorium_id = a.id WHERE theatre_id = 9000"
        )
        assert connection.execute(load).fetchall() == [(2000,)]
        assert connection.execute("SELECT count(DISTINCT name_en) FROM theatres").fetchone() == (66,)


def test_the_database_itself_forbids_to_sell_a_seat_twice(postgresql_url: str) -> None:
    migrate(postgresql_url)
    seed(postgresql_url, Wish(theatres=1, days=1))
    booking = """
    INSERT INTO bookings (booking_number, idempotency_key, request_digest, hold_id, screening_id, seats, amount_won,
                          customer_name, contact, state, confirmed_at)
    SELECT %s, %s, '', gen_random_uuid(), min(id), '{A1}', 1, 'n', 'c', 'confirmed', now() FROM screenings
    RETURNING id, screening_id
    """
    with psycopg.connect(postgresql_url) as connection:
        sold = [connection.execute(booking, (name, name)).fetchone() for name in ("first", "second")]
        claim = "INSERT INTO seat_claims (booking_id, screening_id, seat) VALUES (%s, %s, 'A1')"
        connection.execute(claim, sold[0])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(claim, sold[1])
