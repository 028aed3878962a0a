"""Read what observers keep for the day when the colo is gone: how the last verification ended, how long failovers took.

Pure: lines in, values out. A note that cannot be read counts as none: it must not stand between the cloud and a
failover. Lines are `AGE NOTE`, with the age of the note's file in seconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .failover_situation import Tier, Verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REMEMBERED = 10  # how many failovers say how long the next one takes
BEFORE_SECONDS = 3600.0  # the time before the colo was lost whose sales say what is lost


def verified(notes: Iterable[str]) -> Verified | None:
    """Return how the last verification of the backups ended, as the youngest note says; None without one."""
    found = [read for note in notes if (read := _verified(note))]
    return min(found, key=lambda each: each.age_seconds, default=None)


def _verified(note: str) -> Verified | None:
    age, _, text = note.partition(" ")
    try:
        told = json.loads(text)
        spoiling = tuple(str(each) for each in told["spoiling"])
        odd = tuple(str(each) for each in told["findings"] if each not in told["spoiling"])
        return Verified(float(age), spoiling, odd)
    except (ValueError, TypeError, KeyError):
        return None


def past_minutes(notes: Iterable[str], tier: Tier) -> tuple[float, ...]:
    """Return how long the last failovers of a tier took, the oldest first: lines `AGE MOMENT TIER SECONDS`."""
    rows = {tuple(note.split()[1:]) for note in notes}
    took = [(moment, float(seconds)) for moment, kind, seconds in _threes(rows) if kind == tier.value]
    return tuple(seconds / 60 for _, seconds in sorted(took)[-REMEMBERED:])


def _threes(rows: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, str, str]]:
    for row in rows:
        if len(row) == 3 and row[2].replace(".", "", 1).isdecimal():
            yield row


def bookings_per_minute(
    minutes: Iterable[Sequence[object]], now: float, data_age_seconds: float | None
) -> float | None:
    """Return how many bookings a minute there were in the hour before the newest data; None when nobody knows.

    `minutes`: moments, in seconds since the epoch, with bookings a minute, as Prometheus tells them.
    """
    until = now - (data_age_seconds or 0.0)
    told = [(float(str(at)), float(str(rate))) for at, rate in minutes]
    sold = [rate for at, rate in told if until - BEFORE_SECONDS <= at <= until and rate >= 0]  # which NaN is not
    return sum(sold) / len(sold) if sold else None
