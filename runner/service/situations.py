"""See the moment a decision is made from, as the store has it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.model import JobState
from runner.policy.calendar import HOURS_AHEAD, PlannedHour, Readiness, look, readiness, start_early
from runner.policy.situation import Situation
from runner.store import brake, capacity, jobs, marks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from runner.service.rules import Rules

MEASURED_JOBS = 50
COUNTED = "wanted_servers"


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """What the capacity plan wants at a moment, early start included, and the hours around it."""

    servers: int = 0
    reason: str = "there is no calendar"
    hours: tuple[PlannedHour, ...] = ()
    readiness: Readiness | None = None


def planned(connection: Connection, rules: Rules, now: datetime, hours_ahead: int = HOURS_AHEAD) -> Planned:
    """Return what the plan wants now. Without a calendar it wants nothing."""
    if rules.calendar is None:
        return Planned()
    hours = look(rules.calendar, now, hours_ahead)
    known = capacity.get(connection, now)
    measured = set_up_seconds(connection)
    servers, reason = start_early(hours, now, known.ready if known else 0, measured)
    ready = readiness(hours, now, known, measured, zone=rules.calendar.time_zone)
    return Planned(servers, reason, hours, ready)


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
    position = brake.get(connection)
    return Situation(
        now=now,
        site=rules.site,
        brake_reason=position.reason if position and position.on else None,
        active=jobs.active(connection),
        recent=jobs.ended_since(connection, now - rules.policies.memory()),
        capacity=capacity.get(connection, now),
        planned_servers=planned_servers,
        last_fired=marks.last_fired(connection),
    )
