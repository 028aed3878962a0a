"""The capacity plan: a calendar file becomes the servers wanted in each hour (pure: takes text and moment)."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

import holidays
from pydantic import ConfigDict, Field, PlainValidator, Strict, TypeAdapter

from runner.errors import PolicyError
from runner.policy import files, zones
from runner.policy.readiness import Readiness, readiness, start_early

__all__ = ["Calendar", "PlannedHour", "Readiness", "load", "plan", "readiness", "start_early", "wanted_at"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
CLOCK = re.compile(r"([01]\d|2[0-4]):(00|15|30|45)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:(?:00|15|30|45)")
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
HOURS_BACK, HOURS_AHEAD = 3, 24  # that are looked at


def _minutes(value: object) -> int:
    found = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None or (minutes := int(found[1]) * 60 + int(found[2])) > 1440:
        raise ValueError("expected a time of day on a quarter of an hour, from 00:00 to 24:00, such as '18:00'")
    return minutes


def _moment(value: object) -> datetime:
    """Read a local moment; it stays without a zone, because the calendar's zone holds for all of them."""
    expected = "expected date and time on a quarter of an hour, such as '2026-12-16 18:00'"
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise ValueError(expected)
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(expected) from error


def _country(value: object) -> str:
    if not isinstance(value, str) or value not in holidays.list_supported_countries(include_aliases=False):
        raise ValueError("expected the code of a country that the holidays library knows, such as KR")
    return value


Zone = Annotated[ZoneInfo, PlainValidator(zones.zone)]
Minutes = Annotated[int, PlainValidator(_minutes)]
Moment = Annotated[datetime, PlainValidator(_moment)]
Country = Annotated[str, PlainValidator(_country)]
Factor = Annotated[float, Strict(), Field(gt=0, le=100)]
Load = Annotated[float, Strict(), Field(ge=0, le=1_000_000)]
Count = Annotated[int, Strict(), Field(ge=0, le=200)]
Named = Mapping[str, Factor]


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """The usual load of some hours of some days of the week. `start` and `end` are minutes of the day."""

    __pydantic_config__ = ConfigDict(extra="forbid", validate_by_alias=True)
    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    start: Annotated[Minutes, Field(alias="from")]
    end: Annotated[Minutes, Field(alias="to")]
    load: Load


@dataclasses.dataclass(frozen=True, slots=True)
class Holidays:
    """How public holidays change the usual week. `named`: part of a holiday's name -> its own factor."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    country: Country
    like: Day | None = None
    factor: Factor = 1.0
    named: Named = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """A film that draws a crowd between two local moments. `servers`: at least so many, whatever the load."""

    __pydantic_config__ = ConfigDict(extra="forbid", validate_by_alias=True)
    film: Annotated[str, Field(min_length=1, max_length=200)]
    start: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="to")]
    factor: Factor = 1.0
    servers: Count = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Calendar:
    """The whole calendar file. With `servers_per_load` of 1, the default, a load is a number of servers."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    ceiling: Count
    time_zone: Zone = dataclasses.field(default_factory=lambda: ZoneInfo("UTC"))
    servers_per_load: Factor = 1.0
    week: tuple[Range, ...] = ()
    holidays: Holidays | None = None
    openings: tuple[Opening, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedHour:
    """One hour of the plan: the most servers wanted within it, and why. Times in UTC."""

    starts_at: datetime
    wanted: int
    reason: str

    @property
    def ends_at(self) -> datetime:
        """Return the moment at which the next hour begins."""
        return self.starts_at + HOUR


def load(text: str, file: str) -> Calendar:
    """Read the text of the calendar file. Raises PolicyError that names file, key path and value."""
    calendar = files.checked(text, file, _ADAPTER, {})
    for index, span in enumerate(calendar.week):
        if span.start >= span.end:
            end = f"{span.end // 60:02}:{span.end % 60:02}"
            raise _ends_early(file, f"week[{index}]", end)
    for index, opening in enumerate(calendar.openings):
        if opening.start >= opening.end:
            raise _ends_early(file, f"openings[{index}]", f"{opening.end:%Y-%m-%d %H:%M}")
    return calendar


def _ends_early(file: str, path: str, end: str) -> PolicyError:
    expected = "expected a time after its from; write a range over midnight as two"
    return PolicyError(f"{file}: {path}.to is {end!r}; {expected}.")


def wanted_at(calendar: Calendar, moment: datetime) -> tuple[int, str]:
    """Return how many burst servers the calendar wants at an aware moment, and the reason in words."""
    local = moment.astimezone(calendar.time_zone)
    names, factor = _holiday(calendar, local.date())
    day = calendar.holidays.like if names and calendar.holidays and calendar.holidays.like else DAYS[local.weekday()]
    usual = _usual(calendar, day, local.hour * 60 + local.minute)
    openings = [each for each in calendar.openings if each.start <= local.replace(tzinfo=None) < each.end]
    busy = usual * factor * math.prod(each.factor for each in openings)
    # Rounded before the ceiling: 3 x 0.1 / 0.1 are three servers, not four.
    asked = max([math.ceil(round(busy * calendar.servers_per_load, 6)), *(each.servers for each in openings)])
    parts = [f"usual load {usual:g} on {day} {local:%H:%M}"]
    parts += [f"x{factor:g} for {names}"] if names else []
    parts += [f"x{each.factor:g} for the opening of {each.film}" for each in openings if each.factor != 1]
    parts += [f"at least {each.servers} for the opening of {each.film}" for each in openings if each.servers]
    if asked > calendar.ceiling:
        parts.append(f"the ceiling is {calendar.ceiling}, not the {asked} asked for")
    return min(asked, calendar.ceiling), ", ".join(parts)


def plan(calendar: Calendar, start: datetime, hours: int) -> tuple[PlannedHour, ...]:
    """Return the plan for so many hours, the first being the hour of the local clock that `start` is in."""
    local = start.astimezone(calendar.time_zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    first = start.astimezone(UTC) - into
    return tuple(_hour(calendar, first + number * HOUR) for number in range(hours))


def look(calendar: Calendar, now: datetime, hours_ahead: int = HOURS_AHEAD) -> tuple[PlannedHour, ...]:
    """Return the plan around a moment: the hours to come, and those before that may still matter."""
    return plan(calendar, now - HOURS_BACK * HOUR, HOURS_BACK + hours_ahead)


def _hour(calendar: Calendar, starts_at: datetime) -> PlannedHour:
    wanted, reason = max(
        (wanted_at(calendar, starts_at + quarter * QUARTER) for quarter in range(4)), key=lambda each: each[0]
    )
    return PlannedHour(starts_at, wanted, reason)


def _usual(calendar: Calendar, day: Day, minute: int) -> float:
    return max(
        (each.load for each in calendar.week if day in each.days and each.start <= minute < each.end), default=0.0
    )


def _holiday(calendar: Calendar, day: date) -> tuple[str, float]:
    """Return a holiday's English name and its factor; an empty name on other days."""
    if calendar.holidays is None:
        return "", 1.0
    english, own = _names(calendar.holidays.country, day.year).get(day, ("", ""))
    named = [
        factor
        for part, factor in calendar.holidays.named.items()
        if part.casefold() in english.casefold() or part in own
    ]
    if not english:
        return "", 1.0
    return english, max(named, default=calendar.holidays.factor)


@functools.lru_cache(maxsize=32)
def _names(country: str, year: int) -> Mapping[date, tuple[str, str]]:
    """Return the holidays of a year: day -> English name and the country's own name."""
    own = holidays.country_holidays(country, years=year)
    english = holidays.country_holidays(country, years=year, language="en_US")
    return {day: (english.get(day) or name, name) for day, name in own.items()}


_ADAPTER = TypeAdapter(Calendar)
