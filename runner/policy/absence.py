"""The colo's absence: how many servers the cloud needs in its place, from its loss until its return (pure)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, TypeAdapter

from runner.policy import files
from runner.policy.calendar import HOUR, HOURS_BACK, Count, PlannedHour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import Capacity

NO_CALENDAR = "there is no calendar"


@dataclasses.dataclass(frozen=True, slots=True)
class _Written:
    """What the file says; the moment at which it was written is the file's own."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    colo: Literal["lost", "back"]
    servers: Count = 0
    ceiling: Count = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Absence:
    """That the colo is lost since a moment, or is back since then (`over`).

    `servers`: as many as the colo has itself, which are missing with it. `ceiling`: the most burst servers that the
    cloud has places for. `since` is aware.
    """

    servers: int
    ceiling: int
    since: datetime
    over: bool = False


def load(text: str, file: str, written_at: datetime) -> Absence:
    """Read the text of the file that a failover or a return wrote. Raises PolicyError: file, key path and value."""
    found = files.checked(text, file, _ADAPTER, {})
    return Absence(found.servers, found.ceiling, written_at, over=found.colo == "back")


def raised(hours: Sequence[PlannedHour], absence: Absence | None, ceiling: int | None) -> tuple[PlannedHour, ...]:
    """Return the plan with the colo's own servers on top in each hour of its absence, those to come included.

    `ceiling` is the calendar's, None where there is none; no hour gets fewer servers than it had.
    """
    if absence is None or absence.over:
        return tuple(hours)
    most = absence.ceiling if ceiling is None else min(ceiling, absence.ceiling)
    return tuple(_raised(hour, absence.servers, most) if hour.ends_at > absence.since else hour for hour in hours)


def counted_since(absence: Absence | None, capacity: Capacity | None, now: datetime) -> Capacity | None:
    """Return the count of servers; none where it is from before the colo was lost.

    In between hands have made and removed servers without a word to the runner. So the plan asks for what it wants,
    which changes nothing where it is there, and brings a new count.
    """
    if absence is None or absence.over or capacity is None:
        return capacity
    return capacity if now - timedelta(seconds=capacity.age_seconds) >= absence.since else None


def came_back(absence: Absence | None, now: datetime, added_at: datetime | None) -> bool:
    """Tell whether the colo came back a while ago, so that what stood in for it may go: as long as hours matter.

    `added_at` is when servers were last asked for: what somebody asked for since the return does not stand in for it.
    """
    if absence is None or not absence.over or now >= absence.since + HOURS_BACK * HOUR:
        return False
    return added_at is None or added_at < absence.since


def unplanned(now: datetime, hours_ahead: int) -> tuple[PlannedHour, ...]:
    """Return the hours around a moment where there is no calendar: they want nothing."""
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOURS_BACK * HOUR
    return tuple(PlannedHour(first + number * HOUR, 0, NO_CALENDAR) for number in range(HOURS_BACK + hours_ahead))


def _raised(hour: PlannedHour, servers: int, most: int) -> PlannedHour:
    asked = hour.wanted + servers
    wanted = max(hour.wanted, min(asked, most))
    capped = f" (the ceiling is {most}, not the {asked} asked for)" if wanted < asked else ""
    reason = f"{hour.reason}, and {servers} in place of the lost colo's{capped}"
    return dataclasses.replace(hour, wanted=wanted, reason=reason)


_ADAPTER = TypeAdapter(_Written)
