"""What a drill's journals and logs are summed up to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.drills import measure
from lab.drills.measure import Acknowledged, Booking, Sight

EVENT = datetime(2026, 12, 24, 9, tzinfo=UTC)


def at(seconds: float, number: str = "", longest_wait_s: float = 0.1) -> Booking:
    return Booking(measure.later(EVENT, seconds), number or f"B{seconds:g}", longest_wait_s)


def until(seconds: float) -> datetime:
    return EVENT + timedelta(seconds=seconds)


def test_a_journal_is_read_in_the_order_of_time_and_without_a_last_half_line() -> None:
    lines = [
        {"at": until(second).isoformat(), "booking_number": f"B{second}", "longest_wait_s": second} for second in (2, 1)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"at": "2026-12-2'
    assert measure.bookings(text) == [at(1, longest_wait_s=1), at(2, longest_wait_s=2)]


def test_an_empty_journal_has_no_bookings() -> None:
    assert measure.bookings("") == []


def test_a_pause_that_the_event_began_counts_from_the_event() -> None:
    found = measure.outage([at(-1), at(0.4), at(27.5), at(28)], EVENT, until(30))
    assert (found.began_s, found.ended_s, found.rto_s, found.over) == (0.4, 27.5, 27.5, True)


def test_a_pause_that_began_much_later_counts_from_its_own_beginning() -> None:
    found = measure.outage([at(1), at(2), at(3), at(10), at(11), at(31), at(32)], EVENT, until(33))
    assert found.rto_s == 20


def test_a_pause_before_the_event_does_not_count() -> None:
    found = measure.outage([at(-90), at(-1), at(1), at(2)], EVENT, until(3))
    assert found.rto_s == 1


def test_a_pause_that_nobody_ended_is_not_over() -> None:
    found = measure.outage([at(-1)], EVENT, until(60))
    assert (found.rto_s, found.over) == (60, False)


@pytest.mark.parametrize(
    ("missing", "seconds"), [([], 0), (["B-2"], 2), (["B-4", "B-2"], 4), (["B-2", "B5"], 7), (["B5"], 0)]
)
def test_what_is_lost_spans_from_the_first_missing_booking_to_the_event_or_to_the_last(
    missing: list[str], seconds: float
) -> None:
    assert measure.lost_seconds([at(-4), at(-2), at(5)], missing, EVENT) == seconds


def test_only_missing_bookings_of_an_audit_are_lost() -> None:
    findings = [{"kind": "missing", "booking_number": "B1"}, {"kind": "unsettled", "booking_number": "B2"}]
    assert measure.missing_numbers({"findings": findings}) == ["B1"]


def finding(kind: str, key: str) -> dict[str, str]:
    return {"kind": kind, "idempotency_key": key, "booking_number": f"B-{key}"}


def test_a_drill_does_not_answer_for_what_was_wrong_before_it() -> None:
    old, new = finding("paid_without_booking", "a"), finding("paid_without_booking", "b")
    before = {"confirmed": 0, "missing": 0, "paid_without_booking": 1, "findings": [old]}
    audit = {"confirmed": 9, "missing": 1, "paid_without_booking": 2, "findings": [old, new, finding("missing", "a")]}
    told = measure.news(audit, before)
    assert (told["confirmed"], told["missing"], told["paid_without_booking"]) == (9, 1, 1)
    assert told["findings"] == [new, finding("missing", "a")]


def test_only_rows_that_were_acknowledged_count() -> None:
    log = "A 10.0 10.1 1\nE 10.2 10.3 2 gone\nL 10.4 10.5 3\nA 10.6 10.7 4\nA 10.8 10."
    assert measure.acknowledged(log) == [Acknowledged(10.1, 1), Acknowledged(10.7, 4)]


def rows(*moments: float) -> list[Acknowledged]:
    return [Acknowledged(moment, number) for number, moment in enumerate(moments)]


@pytest.mark.parametrize(
    ("old", "new", "milliseconds"),
    [((1, 2, 3), (20, 21), 0), ((1, 2, 3), (2.5, 21), 500), ((1, 2), (), 0), ((), (1, 2), 0)],
)
def test_both_wrote_from_the_new_leaders_first_row_to_the_old_ones_last(
    old: tuple[float, ...], new: tuple[float, ...], milliseconds: float
) -> None:
    assert measure.both_wrote_ms(rows(*old), rows(*new)) == pytest.approx(milliseconds)


def test_the_log_of_the_lease_leaves_out_what_nobody_knew() -> None:
    seen = measure.sights("1.0 colo-db1\n1.1 ?\n1.2 -\n1.3 cloud-db1\n1.4 clo")
    assert seen == [Sight(1.0, "colo-db1"), Sight(1.2, ""), Sight(1.3, "cloud-db1")]


@pytest.mark.parametrize(("event", "ended"), [(0.5, 2.0), (2.5, 3.0), (3.0, None)])
def test_a_lease_ended_when_its_holder_was_first_seen_without_it(event: float, ended: float | None) -> None:
    seen = [Sight(1.0, "colo-db1"), Sight(2.0, ""), Sight(3.0, "cloud-db1")]
    assert measure.lease_ended(seen, "colo-db1", event) == ended


def test_a_lease_that_was_always_held_did_not_end() -> None:
    assert measure.lease_ended([Sight(1.0, "colo-db1"), Sight(2.0, "colo-db1")], "colo-db1", 0.0) is None


@pytest.mark.parametrize(
    ("moments", "ended", "early"), [((1, 5), 20, 15), ((1, 21), 20, -1), ((), 20, None), ((1,), None, None)]
)
def test_an_old_leader_stops_before_its_lease_or_after_it(
    moments: tuple[float, ...], ended: float | None, early: float | None
) -> None:
    assert measure.before_lease_ended_s(rows(*moments), ended) == early


@pytest.mark.parametrize(("values", "expected"), [([3, None, 1, 2], 2), ([None], None), ([], None)])
def test_the_median_is_of_what_was_measured(values: list[Any], expected: float | None) -> None:
    assert measure.middle(values) == expected


def test_the_longest_wait_is_that_of_a_purchase_which_ended_between_two_moments() -> None:
    sold = [at(second, "", waited) for second, waited in ((0, 9), (1, 0.1), (4, 2.5), (5, 0.3), (20, 7))]
    assert measure.longest_wait_s(sold, until(0), until(6)) == 2.5


def test_where_nobody_bought_everybody_waited() -> None:
    assert measure.longest_wait_s([at(0), at(20)], until(6), until(9)) == 3
