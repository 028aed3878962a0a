"""What the demonstration counts of a release that rolled while customers bought."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lab.demo import rolled
from lab.report import Release

BEGAN = datetime(2026, 12, 24, 9, tzinfo=UTC)
ENDED = BEGAN + timedelta(seconds=40)


def journal(*seconds: float) -> str:
    """Write a journal of bookings that were confirmed so many seconds after the release began."""
    times = [(BEGAN + timedelta(seconds=each)).isoformat(timespec="milliseconds") for each in seconds]
    return "".join(f"{json.dumps({'at': at, 'booking_number': str(number)})}\n" for number, at in enumerate(times))


@pytest.mark.parametrize(
    ("seconds", "meanwhile", "after"),
    [
        ((-3, -1, 10, 30, 39.5, 40.2, 42), 3, 2),
        ((-3, -1, 10, 30), 2, 0),  # they had left before it ended
        ((-3, 41), 0, 1),
        ((), 0, 0),
    ],
)
def test_bookings_count_by_the_side_of_the_releases_end_on_which_they_were_confirmed(
    seconds: tuple[float, ...], meanwhile: int, after: int
) -> None:
    assert rolled(journal(*seconds), BEGAN, ENDED, everywhere=True) == Release(True, meanwhile, after)
