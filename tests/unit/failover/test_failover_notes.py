"""What observers keep is read, and what cannot be read stops nothing."""

from __future__ import annotations

import pytest

from plugins.module_utils.failover_notes import REMEMBERED, bookings_per_minute, past_minutes, verified
from plugins.module_utils.failover_situation import Tier, Verified

NOTE = (
    '120 {"at": "2026-11-28T21:00:00+00:00", "findings": ["WAL gap: x.", "too old: y."], "spoiling": ["WAL gap: x."]}'
)


def test_a_verification_is_read_with_what_spoils_and_what_is_odd() -> None:
    assert verified([NOTE]) == Verified(120.0, ("WAL gap: x.",), ("too old: y.",))


@pytest.mark.parametrize(
    "note", ["", "120", "120 {", "120 []", "120 7", "x {}", '120 {"spoiling": null, "findings": []}']
)
def test_a_note_that_cannot_be_read_counts_as_none(note: str) -> None:
    assert verified([note]) is None
    assert verified([note, NOTE]) is not None


def test_failovers_that_two_observers_remember_count_once_and_the_last_ones_only() -> None:
    notes = [f"{age} 2026-11-{day:02}T00:00:00Z archive {day * 60}" for day in range(1, 15) for age in (7, 9)]
    assert past_minutes(notes, Tier.ARCHIVE) == tuple(range(15 - REMEMBERED, 15))
    assert past_minutes(notes, Tier.STANDBY) == ()
    assert past_minutes(["", "7", "7 2026 archive", "7 2026 archive x", "7 a archive 1 2"], Tier.ARCHIVE) == ()


def test_what_was_sold_after_the_newest_data_or_long_before_does_not_count() -> None:
    minutes = [(0, "99"), (4000, "3"), (7000, "NaN"), (7100, "5"), (9000, "99")]
    assert bookings_per_minute(minutes, 8000.0, 600.0) == 4.0
    assert bookings_per_minute(minutes, 8000.0, None) == 5.0
    assert bookings_per_minute([], 8000.0, 600.0) is None
    assert bookings_per_minute([(0, "99")], 8000.0, 600.0) is None
