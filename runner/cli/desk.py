"""The desk over the store: what the API asks is done by the service, with the rules in force and the time of now."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.service import figures, questions, wishes
from runner.web.desk import Brake, Health, LedgerLine, Plan, PlannedServers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from runner.model import Capacity, Decision, Job, JobEvent, JobState, Verdict
    from runner.service.figures import Figures
    from runner.service.rules import RulesFiles
    from runner.store.brake import Brake as Position
    from runner.store.engine import Store
    from runner.store.ledger import Entry


@dataclasses.dataclass(frozen=True, slots=True)
class StoreDesk:
    """Fulfils `runner.web.desk.Desk`. `random` gives any integers; `wake` tells the worker that there is work."""

    store: Store
    rules: RulesFiles
    clock: Callable[[], datetime]
    random: Callable[[], int]
    wake: Callable[[], None]

    def submit(
        self, action: str, variables: Mapping[str, object], by: str, *, insist: bool
    ) -> tuple[Decision, Job | None]:
        """Judge a person's wish and keep the decision."""
        found = wishes.submit(
            self.store,
            action,
            variables,
            by,
            rules=self.rules.current(),
            now=self.clock(),
            random=self.random,
            insist=insist,
        )
        self.wake()
        return found

    def approve(self, job_id: str, by: str) -> Job:
        """Count an approval."""
        return self._woken(wishes.approve(self.store, job_id, by, self.clock()))

    def reject(self, job_id: str, by: str, reason: str) -> Job:
        """Refuse approval, for good."""
        return self._woken(wishes.reject(self.store, job_id, by, reason, self.clock()))

    def cancel(self, job_id: str, by: str) -> Job:
        """Ask for a job to be stopped."""
        return self._woken(wishes.cancel(self.store, job_id, by, self.clock()))

    def acknowledge(self, job_id: str, by: str) -> Job:
        """Tell that a person knows of it."""
        return self._woken(wishes.acknowledge(self.store, job_id, by, self.clock()))

    def set_brake(self, *, on: bool, by: str, reason: str) -> Brake:
        """Pull the brake or let it go."""
        position = wishes.set_brake(
            self.store, on, reason, by, rules=self.rules.current(), now=self.clock(), random=self.random
        )
        self.wake()
        return _brake(position)

    def job(self, job_id: str) -> Job:
        """Return one job."""
        return questions.job(self.store, job_id)

    def jobs(self, states: Collection[JobState], before: str | None, limit: int) -> Sequence[Job]:
        """Return jobs, newest first. Raises NotFound when there is no job `before`."""
        if before is not None:
            questions.job(self.store, before)
        return questions.jobs(self.store, before, limit, frozenset(states) or None)

    def events(self, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """Return a job's events with greater numbers than one, in order."""
        return questions.events(self.store, job_id, after, limit)

    def ledger(self, before: int | None, limit: int, verdict: Verdict | None, name: str | None) -> Sequence[LedgerLine]:
        """Return the ledger, newest first."""
        return [_line(each) for each in questions.ledger(self.store, before, limit, verdict, name)]

    def capacity(self) -> Capacity | None:
        """Return how many burst servers there are; None: never observed."""
        return questions.capacity(self.store, self.clock())

    def plan(self, hours: int) -> Plan:
        """Return the capacity plan of the next hours."""
        found = questions.plan(self.store, self.rules.current(), self.clock(), hours)
        coming = tuple(PlannedServers(each.starts_at, each.wanted, each.reason) for each in found.hours)
        ready = found.readiness
        text, alarm = (ready.text, ready.alarm) if ready else (None, False)
        return Plan(found.servers, found.reason, text, alarm, coming, found.allowed)

    def brake(self) -> Brake:
        """Return the brake."""
        position = questions.brake(self.store)
        return Brake(on=False) if position is None else _brake(position)

    def health(self) -> Health:
        """Return how the runner is."""
        found = questions.health(self.store, self.rules.current(), self.clock())
        return Health(found.ready, found.problems)

    def figures(self) -> Figures:
        """Return what the metrics show."""
        return figures.figures(self.store, self.rules.current(), self.clock())

    def _woken(self, job: Job) -> Job:
        self.wake()
        return job


def _brake(position: Position) -> Brake:
    return Brake(position.on, position.reason or None, position.by, position.at)


def _line(entry: Entry) -> LedgerLine:
    return LedgerLine(
        id=entry.id,
        at=entry.at,
        name=entry.name,
        verdict=entry.verdict,
        reason=entry.reason,
        source=entry.source,
        policy=entry.policy,
        action=entry.action,
        target=entry.target,
        job=entry.job_id,
        repeats=entry.repeats,
        last_at=entry.last_at,
        until=entry.until,
    )
