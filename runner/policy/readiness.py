"""Whether the servers of the next busy hour will be there in time, and when to begin with them (pure)."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.policy.durations import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from runner.model import Capacity
    from runner.policy.calendar import PlannedHour

UNMEASURED_SECONDS = 600.0  # set-up time as long as none was measured: the time limit of scale_out
RESERVE = timedelta(minutes=5)  # for the person who reads the alarm


@dataclasses.dataclass(frozen=True, slots=True)
class Readiness:
    """A sentence about the next busy hour; `alarm` when it will not be ready by itself; `begin_at` of its set-up."""

    text: str
    alarm: bool
    begin_at: datetime | None = None


def setup_time(servers: int, p95_seconds: Mapping[int, float]) -> timedelta:
    """Return the time to set so many servers up at once: the p95 measured for as many, or for the next more.

    When only fewer were ever set up at once, the longest measured one grows in proportion.
    """
    if servers <= 0:
        return timedelta(0)
    larger = [number for number in p95_seconds if number >= servers]
    if larger:
        return timedelta(seconds=p95_seconds[min(larger)])
    known = max((number for number in p95_seconds if number > 0), default=None)
    if known is None:
        return timedelta(seconds=UNMEASURED_SECONDS)
    return timedelta(seconds=p95_seconds[known] * servers / known)


def start_early(
    planned: Sequence[PlannedHour], now: datetime, have: int, p95_seconds: Mapping[int, float]
) -> tuple[int, str]:
    """Return how many servers the plan wants now, and why: those of this hour and of each hour whose set-up must begin.

    A set-up begins so early that it may fail once and be done again: two p95 and a reserve before its hour.
    """
    best, reason = 0, "the plan says nothing about this hour"
    for hour in planned:
        if hour.ends_at <= now or hour.wanted < best or (hour.wanted == best and best):
            continue
        if hour.starts_at <= now or now >= _begin_at(hour, have, p95_seconds):
            best, reason = hour.wanted, hour.reason
    return best, reason


def readiness(
    planned: Sequence[PlannedHour],
    now: datetime,
    capacity: Capacity | None,
    p95_seconds: Mapping[int, float],
    *,
    zone: tzinfo,
    allowed: int | None = None,
) -> Readiness | None:
    """Say how ready the next hour is that wants more than this one, or None when none does.

    `allowed` is how many burst servers the cloud's quota lets there be, None when that is not known. An alarm comes
    while a set-up still has time: when a first one should be done and is not, when the quota is too small, or when
    nobody knows what there is.
    """
    hour = _next_rise(planned, now)
    if hour is None:
        return None
    ready = capacity.ready if capacity else 0
    known = capacity is not None and not capacity.stale
    state = f"ready {min(ready, hour.wanted)} of {hour.wanted} at {now.astimezone(zone):%H:%M} for {_at(hour, zone)}"
    if ready >= hour.wanted and known:
        return Readiness(f"{state}.", alarm=False)
    missing, begin_at = hour.wanted - ready, _begin_at(hour, ready, p95_seconds)
    takes, left = setup_time(missing, p95_seconds), hour.starts_at - now
    if allowed is not None and allowed < hour.wanted:
        text, alarm = f"{state}, and the cloud's quota lets there be {allowed}. Ask the cloud for more now.", True
    elif now < begin_at:
        begins = f"{begin_at.astimezone(zone):%H:%M}"
        text, alarm = f"{state}; the set-up begins at {begins} and takes {words(takes)}.", False
    elif not known:
        text, alarm = f"{state} is not certain: the inventory is stale or empty. Look at the cloud's API now.", True
    elif left < takes + RESERVE:
        times = f"{words(left)} are left, and the missing {missing} take {words(takes)}"
        text, alarm = f"{state}; {times}. Look at the jobs now.", True
    else:
        text, alarm = f"{state}; the missing {missing} are being set up.", False
    return Readiness(f"Alarm: {text}" if alarm else text, alarm, begin_at)


def _begin_at(hour: PlannedHour, have: int, p95_seconds: Mapping[int, float]) -> datetime:
    return hour.starts_at - 2 * setup_time(hour.wanted - have, p95_seconds) - RESERVE


def _next_rise(planned: Sequence[PlannedHour], now: datetime) -> PlannedHour | None:
    current = max((hour.wanted for hour in planned if hour.starts_at <= now < hour.ends_at), default=0)
    coming = sorted((hour for hour in planned if hour.starts_at > now), key=lambda hour: hour.starts_at)
    return next((hour for hour in coming if hour.wanted > current), None)


def _at(hour: PlannedHour, zone: tzinfo) -> str:
    return f"{hour.starts_at.astimezone(zone):%H:%M}"
