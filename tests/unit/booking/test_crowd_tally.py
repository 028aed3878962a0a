"""The report adds up."""

from __future__ import annotations

from booking.crowd.display import progress
from booking.crowd.tally import Outcome, Tally, percentile


def test_percentiles_are_values_that_happened() -> None:
    assert percentile([], 0.99) == 0
    assert percentile([5], 0.5) == 5
    assert [percentile(range(1, 101), share) for share in (0.5, 0.9, 0.99)] == [51, 91, 100]


def test_the_report_counts_requests_purchases_and_seconds() -> None:
    tally = Tally()
    tally.started = 3
    for at, seconds in ((0.2, 0.010), (0.9, 0.020), (2.5, 0.100)):
        tally.tried("200", "192.0.2.1", "was1")
        tally.answered("seats", at, seconds)
    tally.tried("timeout", "192.0.2.2", "")
    tally.fail("purchase", 2.6, "timeout")
    for status in (201, 409, 422, 409):
        tally.hold(status)
    tally.finish(Outcome.CONFIRMED, 2.7)
    tally.finish(Outcome.GAVE_UP, 2.8)
    report = tally.report()
    assert {key: report["requests"][key] for key in ("total", "failed", "retried")} == {
        "total": 4,
        "failed": 1,
        "retried": 0,
    }
    assert report["requests"]["by_status"] == {"200": 3, "timeout": 1}
    assert report["requests"]["by_kind"]["purchase"] == {"total": 1, "failed": 1, "p50_ms": 0.0, "p99_ms": 0.0}
    assert report["requests"]["p50_ms"] == 20.0
    assert report["holds"] == {"tried": 4, "refused": 2}
    assert report["purchases"] == {
        "attempted": 3,
        "confirmed": 1,
        "sold_out": 0,
        "declined": 0,
        "pending": 0,
        "gave_up": 1,
    }
    assert [second["requests"] for second in report["per_second"]] == [2, 0, 2]
    assert report["per_second"][2] == {"at_s": 2, "requests": 2, "confirmed": 1, "failed": 1, "p99_ms": 100.0}
    assert report["edges"] == {"192.0.2.1": 3, "192.0.2.2": 1}
    assert report["servers"] == {"was1": 3}
    assert report["failures"] == [{"at_s": 2.6, "kind": "purchase", "why": "timeout"}]


def test_an_answer_that_turns_out_useless_is_failed_and_counted_once() -> None:
    tally = Tally()
    tally.answered("seats", 0.1, 0.01)
    tally.fail("seats", 0.1, "no seats in it", answered=True)
    assert (tally.total, tally.failed) == (1, 1)
    assert tally.report()["requests"]["by_kind"]["seats"]["total"] == 1


def test_the_progress_line_tells_of_the_last_seconds() -> None:
    tally = Tally()
    for at in (0.5, 1.5, 2.5, 3.5):
        tally.answered("seats", at, at / 100)
    line = progress(tally, 7, 4.0, 2.0)
    assert "(7 inside)" in line
    assert "requests/s    1.0" in line
    assert "p99    35 ms" in line
