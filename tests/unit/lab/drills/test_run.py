"""The figures of a drill, put together from what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lab.drills import judge, measure, rows, run

EVENT = datetime(2026, 12, 24, 9, tzinfo=UTC)
CLEAN: dict[str, Any] = dict.fromkeys(("missing", *judge.ALWAYS_ZERO), 0) | {"confirmed": 3, "findings": []}
BACK = {"seconds": 60.0, "longest_wait_s": 2.0, "only_on_old_side": 1, "conflicts": 0}


def seen(**changes: Any) -> run.Seen:
    sold = [measure.Booking(EVENT + timedelta(seconds=at), f"B{at:g}", 0.1) for at in (-2, 27, 28)]
    facts: dict[str, Any] = {
        "event": EVENT, "until": EVENT + timedelta(seconds=30), "sold": sold, "audit": CLEAN, "both_wrote_ms": 0.0,
        "stopped_early_s": 19.694, "rows_lost": 1,
    }  # fmt: skip
    return run.Seen(**(facts | changes))


def test_a_failover_is_summed_up_from_the_event_on() -> None:
    told = run.figures(seen(), CLEAN, BACK)
    assert (told["rto_s"], told["rpo_s"], told["rpo_bookings"]) == (27.0, 0, 0)
    assert (told["stopped_before_lease_ended_s"], told["failback"]) == (19.69, BACK)
    assert told["sold_again"]


def test_what_is_missing_at_the_side_that_took_over_is_the_recovery_point() -> None:
    missing = {"kind": "missing", "booking_number": "B-2", "idempotency_key": "k"}
    told = run.figures(seen(audit=CLEAN | {"missing": 1, "findings": [missing]}), CLEAN, BACK)
    assert (told["rpo_s"], told["rpo_bookings"]) == (2.0, 1)


def test_the_figures_have_all_that_is_judged() -> None:
    told = run.figures(seen(), CLEAN, BACK) | {"purchases": {"gave_up": 0}}
    assert judge.faults(rows.named("colo-dark"), told) == []
