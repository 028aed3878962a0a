"""What can be asked of the runner. Every function only reads."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.policy.calendar import HOURS_AHEAD
from runner.service.situations import planned
from runner.store import brake as brakes
from runner.store import capacity as capacities
from runner.store import events as stories
from runner.store import heartbeats, inbox, nodes
from runner.store import jobs as job_rows
from runner.store import ledger as ledgers

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from runner.model import Capacity, Job, JobEvent, JobState, Verdict
    from runner.service.rules import Rules
    from runner.service.situations import Planned
    from runner.store.brake import Brake
    from runner.store.engine import Store
    from runner.store.ledger import Entry
    from runner.store.nodes import Node

UNJUDGED_SECONDS = 30.0  # a delivery that waits longer than this shows that no worker judges


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """How the runner is. `problems` are sentences; none of them means that it is well."""

    ready: bool  # takes alerts and has a worker that lives
    unjudged: int
    oldest_unjudged_at: datetime | None
    active_jobs: int
    nodes: tuple[Node, ...]
    heartbeat_at: datetime | None
    problems: tuple[str, ...]


def job(store: Store, job_id: str) -> Job:
    """Return one job. Raises NotFound."""
    with store.read() as connection:
        return job_rows.get(connection, job_id)


def jobs(
    store: Store,
    before_id: str | None = None,
    limit: int = 100,
    states: AbstractSet[JobState] | None = None,
    action: str | None = None,
) -> tuple[Job, ...]:
    """Return jobs, newest first; `before_id` is the last job of the page before."""
    with store.read() as connection:
        return job_rows.page(connection, before_id, limit, states, action)


def events(store: Store, job_id: str, after: int = 0, limit: int = 500) -> tuple[JobEvent, ...]:
    """Return a job's story after a number, in order; 0 means from the start. Raises NotFound."""
    with store.read() as connection:
        job_rows.get(connection, job_id)
        return stories.since(connection, job_id, after, limit)


def ledger(
    store: Store,
    before_id: int | None = None,
    limit: int = 100,
    verdict: Verdict | None = None,
    name: str | None = None,
) -> tuple[Entry, ...]:
    """Return what came and what became of it, newest first."""
    with store.read() as connection:
        return ledgers.page(connection, before_id, limit, verdict, name)


def capacity(store: Store, now: datetime) -> Capacity | None:
    """Return the capacity as last observed; None when it never was."""
    with store.read() as connection:
        return capacities.get(connection, now)


def plan(store: Store, rules: Rules, now: datetime, hours: int = HOURS_AHEAD) -> Planned:
    """Return what the capacity plan wants now and in so many hours from now."""
    with store.read() as connection:
        found = planned(connection, rules, now, hours)
    return dataclasses.replace(found, hours=tuple(each for each in found.hours if each.ends_at > now))


def brake(store: Store) -> Brake | None:
    """Return the brake's position; None: nobody ever touched it, so it is off."""
    with store.read() as connection:
        return brakes.get(connection)


def brake_history(store: Store, limit: int = 100) -> tuple[Brake, ...]:
    """Return what was done to the brake, newest first."""
    with store.read() as connection:
        return brakes.history(connection, limit)


def health(store: Store, rules: Rules, now: datetime) -> Health:
    """Return how the runner is. Raises StoreUnavailable, which means: not well."""
    with store.read() as connection:
        waiting, oldest = inbox.waiting(connection)
        living = nodes.every(connection)
        at = nodes.clock(connection)
        active = len(job_rows.active(connection))
        heartbeat = rules.policies.heartbeat
        heard = heartbeats.last(connection, heartbeat.alertname) if heartbeat else None
    problems = [rules.problem] if rules.problem else []
    worked = [each for each in living if each.until is not None and each.until >= at]
    if not worked:
        problems.append("No worker is alive: alerts are kept and nothing is judged. Start one.")
    if oldest is not None and (now - oldest).total_seconds() > UNJUDGED_SECONDS:
        problems.append(f"{waiting} deliveries are not judged, the oldest since {oldest:%H:%M:%S} UTC; see the log.")
    if heartbeat and (heard is None or now - heard > heartbeat.silent_after):
        since = f"since {heard:%Y-%m-%d %H:%M:%S} UTC" if heard else "ever"
        problems.append(f"The heartbeat {heartbeat.alertname} was not heard {since}; look at Prometheus.")
    return Health(bool(worked), waiting, oldest, active, living, heard, tuple(problems))
