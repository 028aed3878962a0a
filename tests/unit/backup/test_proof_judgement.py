"""What is said of a restored database, alone and beside the one it was copied from."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.module_utils import proof_judgement as judgement

WELL = {"bookings": 3, "sold_twice": [], "without_seats": [], "without_payment": []}
# Screening 1: 10 seats, 2 of them sold a moment ago. Screening 2: 5, and 1 given back a moment ago.
THERE = {"moment": "2026-11-29 00:09:00+09", "bookings": 7, "screenings": {"1": [10, 2, 0], "2": [5, 0, 1]}}


def copied(bookings: int = 7, **seats: int) -> dict[str, Any]:
    counts = {"1": 10, "2": 5} | {name.removeprefix("s"): count for name, count in seats.items()}
    return {"bookings": bookings, "screenings": {name: [count, 0, 0] for name, count in counts.items()}}


def test_nothing_is_said_of_a_copy_that_is_the_same() -> None:
    compared = judgement.compare(THERE, copied(), 11)
    assert compared == judgement.Compared((), 2, 0)


def test_what_was_sold_a_moment_before_may_be_missing_and_is_counted() -> None:
    assert judgement.compare(THERE, copied(bookings=6, s1=8), 11) == judgement.Compared((), 2, 1)


def test_a_return_of_a_moment_before_may_be_missing() -> None:
    assert judgement.compare(THERE, copied(s2=6), 11).findings == ()


@pytest.mark.parametrize(
    ("seats", "sentence"),
    [
        ({"s1": 7}, "screening 1 has 7 seats sold, and 10 where it was copied from"),
        ({"s1": 11}, "screening 1 has 11 seats sold, and 10 where it was copied from"),
        ({"s2": 7}, "screening 2 has 7 seats sold, and 5 where it was copied from"),
        ({"s3": 1}, "screening 3 has 1 seats sold, and 0 where it was copied from"),
    ],
    ids=["older sales are missing", "more than were sold", "more than were returned", "a screening that sold nothing"],
)
def test_anything_else_that_differs_is_said_with_the_screening(seats: dict[str, int], sentence: str) -> None:
    (said,) = judgement.compare(THERE, copied(**seats), 11).findings
    within = f"within 11 s before {THERE['moment']} may be missing."
    assert said == f"sales differ: {sentence}. Only what was sold or given back {within}"


def test_many_differences_are_counted() -> None:
    there = {"moment": "now", "bookings": 5, "screenings": {str(number): [4, 0, 0] for number in range(5)}}
    (said,) = judgement.compare(there, {"bookings": 0, "screenings": {}}, 11).findings
    assert "screening 2 has 0 seats sold, and 4 where it was copied from; and 2 more" in said


def test_nothing_is_said_of_a_database_that_agrees_with_itself() -> None:
    assert judgement.judge_answers(WELL) == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sold_twice", "sold twice"),
        ("without_seats", "seats and bookings differ"),
        ("without_payment", "payments and bookings differ"),
    ],
)
def test_each_contradiction_is_said_in_its_own_words(key: str, words: str) -> None:
    assert judgement.judge_answers(WELL | {key: ["booking A", "booking B"]}) == [f"{words}: booking A; booking B."]
