"""See the moment a decision is made from, as the store has it."""

from __future__ import annotations

import dataclasses
from datetime import UTC
from typing import TYPE_CHECKING

from runner.model import JobState
from runner.policy.absence import NO_CALENDAR, came_back, counted_since, raised, unplanned
from runner.policy.calendar import HOURS_AHEAD, PlannedHour, Readiness, look, readiness, start_early
from runner.policy.situation import Situation
from runner.policy.wishes import HINDSIGHT
from runner.store import brake, capacity, jobs, marks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from runner.model import Capacity
    from runner.service.rules import Rules

MEASURED_JOBS = 50
COUNTED = "wanted_servers"


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """What the capacity plan wants at a moment, early start included, and the hours around it."""

    servers: int = 0
    reason: str = NO_CALENDAR
    hours: tuple[PlannedHour, ...] = ()
    readiness: Readiness | None = None
    allowed: int | None = None  # by the cloud's quota; None: without limit, or not known


def planned(connection: Connection, rules: Rules, now: datetime, hours_ahead: int = HOURS_AHEAD) -> Planned:
    """Return what the plan wants now: the calendar's servers, and the colo's while it is lost."""
    calendar = rules.calendar
    if calendar is None and rules.absence is None:
        return Planned()
    hours = unplanned(now, hours_ahead) if calendar is None else look(calendar, now, hours_ahead)
    hours = raised(hours, rules.absence, calendar.ceiling if calendar else None)
    known = counted(connection, rules, now)
    measured = set_up_seconds(connection)
    servers, reason = start_early(hours, now, known.ready if known else 0, measured)
    zone, allowed = calendar.time_zone if calendar else UTC, known.allowed if known else None
    ready = readiness(hours, now, known, measured, zone=zone, allowed=allowed)
    return Planned(servers, reason, hours, ready, allowed)


def set_up_seconds(connection: Connection) -> dict[int, float]:
    """Return the p95 of how long the last scale-outs took: servers wanted -> seconds."""
    taken: dict[int, list[float]] = {}
    for job in jobs.page(connection, limit=MEASURED_JOBS, states={JobState.SUCCEEDED}, action="scale_out"):
        wanted = job.variables.get(COUNTED)
        if isinstance(wanted, int) and job.started_at and job.ended_at:
            taken.setdefault(wanted, []).append((job.ended_at - job.started_at).total_seconds())
    return {wanted: p95(seconds) for wanted, seconds in taken.items()}


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile of one or more durations (nearest rank)."""
    ordered = sorted(seconds)
    return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]


def situation(connection: Connection, rules: Rules, now: datetime, planned_servers: int) -> Situation:
    """Return the situation at a moment, inside the transaction that will keep the decision."""
    position, absence = brake.get(connection), rules.absence
    added_at = _added_at(connection) if absence is not None and absence.over else None
    return Situation(
        now=now,
        site=rules.site,
        brake_reason=position.reason if position and position.on else None,
        active=jobs.active(connection),
        recent=jobs.ended_since(connection, now - max(rules.policies.memory(), HINDSIGHT)),
        capacity=counted(connection, rules, now),
        planned_servers=planned_servers,
        colo_back=came_back(absence, now, added_at),
        last_fired=marks.last_fired(connection),
    )


def counted(connection: Connection, rules: Rules, now: datetime) -> Capacity | None:
    """Return the last count of burst servers; none where there was none, or it is not to be believed."""
    return counted_since(rules.absence, capacity.get(connection, now), now)


def _added_at(connection: Connection) -> datetime | None:
    """Return when more servers were last asked for, by whomever."""
    return next((job.created_at for job in jobs.page(connection, limit=1, action="scale_out")), None)
