"""What the benchmark of the reach makes of a job's story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.reach.run import BOOKED, figures, medians
from lab.errors import LabError

ALERT = datetime(2026, 12, 24, 9, tzinfo=UTC)


def event(after_s: float, kind: str, task: str | None = None) -> dict[str, Any]:
    return {"at": (ALERT + timedelta(seconds=after_s)).isoformat(), "kind": kind, "task": task}


STORY = [
    event(0.3, "play"),
    event(0.4, "task", "Plan"),
    event(9, "task", BOOKED),
    event(12.5, "changed", BOOKED),
    event(11, "ok", BOOKED),
    event(10.9, "ok", f"Validating arguments against arg spec 'verify' - {BOOKED}"),
    event(13, "failed", BOOKED),
]


def test_times_count_from_the_alert_to_the_first_task_and_to_the_bookings_at_new_servers() -> None:
    told = figures(ALERT, STORY, servers=2)
    assert told == {"first_task_ms": 400.0, "first_booking_s": 11.0, "last_booking_s": 12.5}


def test_a_round_in_which_a_server_is_missing_counts_for_nothing() -> None:
    with pytest.raises(LabError, match="3 new servers were to sell, and 2 did"):
        figures(ALERT, STORY, servers=3)


def test_what_was_never_seen_has_no_median() -> None:
    rounds = [{"first_task_ms": None, "first_booking_s": at, "last_booking_s": at} for at in (9.0, 7.0, 30.0)]
    assert medians(rounds) == {"first_task_ms": None, "first_booking_s": 9.0, "last_booking_s": 9.0}
