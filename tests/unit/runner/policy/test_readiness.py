"""The set-up begins early enough to fail once, and the alarm comes while a person can still do something."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from runner.model import Capacity
from runner.policy.calendar import PlannedHour, Readiness, readiness, start_early
from runner.policy.readiness import setup_time

SIX = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)  # 18:00 in Seoul
PLAN = (
    PlannedHour(SIX - timedelta(hours=1), 2, "afternoon"),
    PlannedHour(SIX, 6, "evening"),
    PlannedHour(SIX + timedelta(hours=1), 1, "night"),
)
P95 = {1: 20.0, 4: 120.0}
KNOWN = Capacity(wanted=6, ready=2, age_seconds=1, stale=False)


def before(**ago: float) -> datetime:
    return SIX - timedelta(**ago)


def said(now: datetime, capacity: Capacity | None = KNOWN, allowed: int | None = None) -> Readiness:
    found = readiness(PLAN, now, capacity, P95, zone=ZoneInfo("Asia/Seoul"), allowed=allowed)
    assert found is not None
    return found


def test_the_set_up_time_is_the_measured_one_or_grows_in_proportion() -> None:
    seconds = [setup_time(number, P95).total_seconds() for number in (0, 1, 2, 4, 8)]
    assert seconds == [0, 20, 120, 120, 240]
    assert setup_time(3, {}) == timedelta(minutes=10)


def test_the_servers_of_the_next_hour_are_wanted_two_set_ups_and_a_reserve_before_it() -> None:
    assert start_early(PLAN, before(minutes=9, seconds=1), 2, P95) == (2, "afternoon")
    assert start_early(PLAN, before(minutes=9), 2, P95) == (6, "evening")
    assert start_early(PLAN, before(minutes=6), 5, P95) == (2, "afternoon")


def test_fewer_are_not_wanted_early() -> None:
    assert start_early(PLAN, SIX + timedelta(minutes=59), 6, P95) == (6, "evening")
    assert start_early(PLAN, SIX + timedelta(minutes=60), 6, P95) == (1, "night")
    assert start_early((), SIX, 6, P95)[0] == 0


def test_ready_servers_are_said_to_be_ready() -> None:
    ready = said(before(minutes=19), dataclasses.replace(KNOWN, ready=6))
    assert (ready.text, ready.alarm) == ("ready 6 of 6 at 17:41 for 18:00.", False)


def test_before_its_time_the_set_up_is_announced() -> None:
    early = said(before(minutes=19))
    assert early.text == "ready 2 of 6 at 17:41 for 18:00; the set-up begins at 17:51 and takes 2m."
    assert (early.alarm, early.begin_at) == (False, before(minutes=9))


def test_during_the_set_up_there_is_no_alarm_yet() -> None:
    assert said(before(minutes=7)).text == "ready 2 of 6 at 17:53 for 18:00; the missing 4 are being set up."


def test_a_set_up_that_should_be_done_and_is_not_raises_the_alarm_with_time_left() -> None:
    late = said(before(minutes=6))
    assert late.alarm
    assert late.text == (
        "Alarm: ready 2 of 6 at 17:54 for 18:00; 6m are left, and the missing 4 take 2m. Look at the jobs now."
    )


def test_a_small_quota_raises_the_alarm_at_once() -> None:
    assert said(before(minutes=50), allowed=4).alarm
    assert not said(before(minutes=50), allowed=6).alarm


def test_servers_that_nobody_can_see_are_not_ready() -> None:
    for unknown in (None, dataclasses.replace(KNOWN, ready=6, stale=True)):
        assert not said(before(minutes=50), unknown).alarm
        assert said(before(minutes=4), unknown).alarm


def test_nothing_is_said_when_no_hour_wants_more() -> None:
    assert readiness(PLAN[2:], SIX + timedelta(minutes=70), KNOWN, P95, zone=UTC) is None
    assert readiness(PLAN, SIX, KNOWN, P95, zone=UTC) is None
