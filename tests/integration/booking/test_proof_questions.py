"""What the proof of the backups asks: the same answer as of one moment at any later time; contradictions are found."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.content.project import ROOT
from tests.integration.booking.two_sides import TwoSides

QUESTIONS = ROOT / "roles/backup/files/questions"
NOW = "SELECT clock_timestamp()::text"


def asked(url: str, name: str, moment: str = "now", window_seconds: int = 11) -> dict[str, Any]:
    """Ask as the modules do: settings first, then the file."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('understudy.moment', %s, false)", (moment,))
        connection.execute("SELECT set_config('understudy.window_seconds', %s, false)", (str(window_seconds),))
        row = connection.execute((QUESTIONS / f"{name}.sql").read_text(encoding="utf-8")).fetchone()
    assert row
    return dict(row[0]) if isinstance(row[0], dict) else dict(json.loads(row[0]))


def moment(sides: TwoSides) -> str:
    return str(sides.old.ask(NOW)[0][0])


def seats(told: dict[str, Any]) -> list[list[int]]:
    return sorted(told["screenings"].values())


def test_what_is_sold_and_given_back_later_does_not_change_the_count(sides: TwoSides) -> None:
    sides.old.buy("A2,A3")
    then = moment(sides)
    before = asked(sides.old.url, "sold", then)
    assert (before["bookings"], seats(before)) == (2, [[3, 3, 0]])
    sides.old.buy("A5")
    sides.old.ask("UPDATE bookings SET state = 'cancelled', cancelled_at = now() WHERE seats = ARRAY['A2', 'A3']")
    assert asked(sides.old.url, "sold", then) == before
    assert seats(asked(sides.old.url, "sold", moment(sides))) == [[2, 2, 2]]


def test_older_sales_are_not_fresh(sides: TwoSides) -> None:
    sides.old.ask("UPDATE bookings SET confirmed_at = now() - interval '1 minute'")
    assert seats(asked(sides.old.url, "sold", moment(sides))) == [[1, 0, 0]]


def test_a_shop_that_is_well_contradicts_itself_in_nothing(sides: TwoSides) -> None:
    sides.old.buy("A2,A3", "A5")
    told = asked(sides.old.url, "restored")
    assert (told["bookings"], told["sold_twice"], told["without_seats"], told["without_payment"]) == (3, [], [], [])
    assert 0 <= told["newest_booking_age_s"] < 60


@pytest.mark.parametrize(
    ("damage", "finding", "words"),
    [
        ("DELETE FROM seat_claims", "without_seats", "promises 1 seats, and the seat table gives it 0"),
        ("UPDATE bookings SET seats = ARRAY['B9']", "without_seats", "promises 1 seats, and the seat table gives it 1"),
        ("UPDATE bookings SET state = 'released'", "without_seats", "which is released"),
        ("UPDATE bookings SET state = 'released'", "without_payment", "is approved, and its booking"),
        ("UPDATE payments SET state = 'declined'", "without_payment", "its payment is declined of"),
        ("UPDATE payments SET amount_won = 1", "without_payment", "its payment is approved of 1 won"),
        ("DELETE FROM payments", "without_payment", "its payment is missing of 0 won"),
    ],
)
def test_a_contradiction_is_found(sides: TwoSides, damage: str, finding: str, words: str) -> None:
    sides.old.ask(damage)
    (sentence,) = asked(sides.old.url, "restored")[finding]
    assert words in sentence


def test_a_seat_that_is_promised_twice_is_found(sides: TwoSides) -> None:
    first, second = sides.old.buy("A2", "A3")
    sides.old.ask("UPDATE bookings SET seats = ARRAY['A2'] WHERE booking_number = %s", second.booking_number)
    (sentence,) = asked(sides.old.url, "restored")["sold_twice"]
    numbers = ", ".join(sorted((first.booking_number, second.booking_number)))
    assert sentence.startswith("seat A2 of screening ")
    assert sentence.endswith(f" is promised to bookings {numbers}")


def test_a_payment_that_is_being_settled_is_counted_apart(sides: TwoSides) -> None:
    sides.old.ask("UPDATE payments SET state = 'unknown'")
    told = asked(sides.old.url, "restored")
    assert (told["unsettled"], told["without_payment"]) == (1, [])
