"""What the API asks of the service: one protocol, so that tests bring their own and nothing here knows the store."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from runner.model import Capacity, Decision, Job, JobEvent, JobState, Verdict
    from runner.service.figures import Figures


@dataclasses.dataclass(frozen=True, slots=True)
class LedgerLine:
    """One alert, wish or firing of a schedule, and what became of it.

    `repeats`: how often it came again, lastly at `last_at`, which is when it came if it came once.
    """

    id: int
    at: datetime
    name: str
    verdict: Verdict
    reason: str
    source: str
    policy: str | None = None
    action: str | None = None
    target: str | None = None
    job: str | None = None
    repeats: int = 0
    last_at: datetime | None = None
    until: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Brake:
    """The one switch that stops all automatic action."""

    on: bool
    reason: str | None = None
    by: str | None = None
    since: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedServers:
    """How many burst servers the calendar wants from a moment on, and why."""

    at: datetime
    servers: int
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the calendar wants now, early start included, and in the next hours.

    `readiness`: a sentence about the next busy hour; `alarm`: it will not be ready by itself. `allowed`: by the quota.
    """

    servers: int
    reason: str
    readiness: str | None = None
    alarm: bool = False
    hours: tuple[PlannedServers, ...] = ()
    allowed: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """How the runner is. `problems`: a sentence each; some leave it ready, such as a heartbeat that is not heard."""

    ready: bool
    problems: tuple[str, ...] = ()


class Desk(Protocol):
    """The service as the API sees it. Every function may raise StoreUnavailable; those with an id raise NotFound.

    Wishes raise InvalidRequest for what is not understood and Refused, with the reason, for what must not be done now.
    """

    def submit(
        self, action: str, variables: Mapping[str, object], by: str, *, insist: bool
    ) -> tuple[Decision, Job | None]:
        """Judge a person's wish and keep the decision.

        The job is the one that was made or that covers the wish; none: the decision's reason tells why not. `insist`:
        also while the brake is on.
        """

    def approve(self, job_id: str, by: str) -> Job:
        """Count an approval."""

    def reject(self, job_id: str, by: str, reason: str) -> Job:
        """Refuse approval, for good."""

    def cancel(self, job_id: str, by: str) -> Job:
        """Ask for a job to be stopped."""

    def acknowledge(self, job_id: str, by: str) -> Job:
        """Tell that a person knows of it: releases the block period."""

    def set_brake(self, *, on: bool, by: str, reason: str) -> Brake:
        """Pull the brake or let it go."""

    def job(self, job_id: str) -> Job:
        """Return one job."""

    def jobs(self, states: Collection[JobState], before: str | None, limit: int) -> Sequence[Job]:
        """Return jobs, newest first, older than the one named; no states: all."""

    def events(self, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """Return a job's events with greater numbers than one, in order."""

    def ledger(self, before: int | None, limit: int, verdict: Verdict | None, name: str | None) -> Sequence[LedgerLine]:
        """Return the ledger, newest first, older than the line named."""

    def capacity(self) -> Capacity | None:
        """Return how many burst servers there are; None: never observed."""

    def plan(self, hours: int) -> Plan:
        """Return the capacity plan of the next hours."""

    def brake(self) -> Brake:
        """Return the brake."""

    def health(self) -> Health:
        """Return how the runner is."""

    def figures(self) -> Figures:
        """Return what the metrics show."""
