"""A database that is away for a moment is overlooked, one that stays away is not."""

from __future__ import annotations

from booking.service.readiness import Patience

AWAY = "The database does not answer."


def test_a_database_that_was_never_there_is_missing_at_once() -> None:
    assert Patience(3).told(AWAY, now=100) == AWAY


def test_it_is_overlooked_for_as_long_as_a_request_may_wait() -> None:
    patience = Patience(3)

    assert [patience.told(missing, now) for missing, now in (("", 100), (AWAY, 100.9), (AWAY, 102.9))] == ["", "", ""]
    assert patience.told(AWAY, 103) == AWAY


def test_one_that_comes_back_is_overlooked_anew() -> None:
    patience = Patience(3)
    told = [patience.told(missing, now) for missing, now in (("", 100), (AWAY, 104), ("", 105), (AWAY, 107))]

    assert told == ["", AWAY, "", ""]
