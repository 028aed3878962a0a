"""What a surge is summed up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lab.report import SCALE_KEYS
from lab.surge import cost, scaled

ALERT = datetime(2026, 12, 24, 9, tzinfo=UTC)
PRICES = {"currency": "KRW", "per_hour": {"was.small": 60}}


def test_times_count_from_the_arrival_of_the_alert() -> None:
    task, booking = ALERT + timedelta(milliseconds=420), ALERT + timedelta(seconds=18.26)
    told = scaled([(0.0, 3), (30.0, 5), (60.0, 3)], ALERT, task, booking, {"gave_up": 2})
    assert tuple(told) == SCALE_KEYS
    assert list(told.values()) == [420.0, 18.3, 3, 5, 3, 2]


def test_what_was_not_seen_is_null_and_not_zero() -> None:
    told = scaled([(0.0, 3)], None, None, None, {"gave_up": 0})
    assert told["alert_to_first_task_ms"] is None
    assert told["alert_to_first_booking_s"] is None


def test_servers_cost_what_they_ran_and_the_peak_for_all_of_the_time() -> None:
    told = cost([(0.0, 3), (1800.0, 5), (3600.0, 3)], PRICES)
    assert told["as_it_ran"] == pytest.approx(60 * (3 * 0.5 + 5 * 0.5))
    assert told["always_for_the_peak"] == pytest.approx(60 * 5)


def test_nothing_seen_costs_nothing() -> None:
    assert cost([], PRICES)["as_it_ran"] == 0
