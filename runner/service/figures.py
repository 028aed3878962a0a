"""What the metrics show, all of one moment."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.service.situations import planned
from runner.store import brake, capacity, counts, heartbeats, inbox, nodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from runner.model import Capacity, JobState, Verdict
    from runner.service.rules import Rules
    from runner.store.engine import Store


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Counts of what is kept, and ages in seconds. None: there is none, or it was never observed.

    `rules_refused`: a newer file of rules was refused, so that older ones are in force.
    """

    jobs: Mapping[JobState, int]
    ledger: Mapping[Verdict, int]
    unjudged: int
    oldest_unjudged_seconds: float | None
    capacity: Capacity | None
    planned_servers: int
    brake_on: bool
    heartbeat: str | None  # the alert's name
    heartbeat_seconds: float | None
    notifications_pending: int
    workers_alive: int
    rules_refused: bool


def figures(store: Store, rules: Rules, now: datetime) -> Figures:
    """Return the figures of now. Raises StoreUnavailable."""
    awaited = rules.policies.heartbeat.alertname if rules.policies.heartbeat else None
    with store.read() as connection:
        waiting, oldest = inbox.waiting(connection)
        heard = heartbeats.last(connection, awaited) if awaited else None
        position, at = brake.get(connection), nodes.clock(connection)
        return Figures(
            jobs=counts.jobs(connection),
            ledger=counts.ledger(connection),
            unjudged=waiting,
            oldest_unjudged_seconds=_age(oldest, now),
            capacity=capacity.get(connection, now),
            planned_servers=planned(connection, rules, now).servers,
            brake_on=position is not None and position.on,
            heartbeat=awaited,
            heartbeat_seconds=_age(heard, now),
            notifications_pending=counts.outbox(connection),
            workers_alive=sum(each.until is not None and each.until >= at for each in nodes.every(connection)),
            rules_refused=rules.problem is not None,
        )


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())
