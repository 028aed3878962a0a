"""A desk that answers from memory, and the API in front of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from runner.errors import NotFound, RunnerError
from runner.model import Capacity, Decision, Job, JobEvent, JobState, Verdict
from runner.service.figures import Figures
from runner.tokens import SCOPES, Token
from runner.web.app import Front, create_app
from runner.web.callers import Identify
from runner.web.desk import Brake, Health, LedgerLine, Plan, PlannedServers
from runner.web.intake import Answered, create_intake
from runner.web.metrics import Source, make_registry, rendered
from runner.web.stories import Pace, Stories
from runner.web.traffic import Traffic

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOLDERS = {scope.encode(): Token(f"{scope}-holder", frozenset({scope}), b"") for scope in SCOPES}
QUICK = Pace(shortest_seconds=0.001, longest_seconds=0.002, heartbeat_seconds=0.005)


def job(name: str = "j1", state: JobState = JobState.RUNNING, **changes: Any) -> Job:
    made = Job(name, "scale_out", "capacity", {"wanted_servers": 4}, state, "because", "policy:crowd", NOON)
    return dataclasses.replace(made, **changes)


def event(number: int, text: str = "Create the server") -> JobEvent:
    return JobEvent("j1", number, NOON + timedelta(seconds=number), "task", text, "localhost", "Create")


@dataclasses.dataclass
class MemoryDesk:
    """Answers with what a test put here, and remembers what it was asked; `error` is raised by everything."""

    held: dict[str, Job] = dataclasses.field(default_factory=lambda: {"j1": job()})
    story: list[JobEvent] = dataclasses.field(default_factory=list)
    lines: list[LedgerLine] = dataclasses.field(default_factory=list)
    known: Capacity | None = None
    position: Brake = dataclasses.field(default_factory=lambda: Brake(on=False))
    decision: Decision = dataclasses.field(default_factory=lambda: Decision(Verdict.RUN, "ann asks for it."))
    made: Job | None = None
    well: Health = dataclasses.field(default_factory=lambda: Health(ready=True))
    error: Exception | None = None
    asked: list[tuple[Any, ...]] = dataclasses.field(default_factory=list)

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    def submit(
        self, action: str, variables: Mapping[str, object], by: str, *, insist: bool
    ) -> tuple[Decision, Job | None]:
        self._note("submit", action, dict(variables), by, insist)
        return self.decision, self.made

    def approve(self, job_id: str, by: str) -> Job:
        self._note("approve", job_id, by)
        return self.job(job_id)

    def reject(self, job_id: str, by: str, reason: str) -> Job:
        self._note("reject", job_id, by, reason)
        return self.job(job_id)

    def cancel(self, job_id: str, by: str) -> Job:
        self._note("cancel", job_id, by)
        return self.job(job_id)

    def acknowledge(self, job_id: str, by: str) -> Job:
        self._note("acknowledge", job_id, by)
        return self.job(job_id)

    def set_brake(self, *, on: bool, by: str, reason: str) -> Brake:
        self._note("set_brake", on, by, reason)
        return Brake(on, reason, by, NOON)

    def job(self, job_id: str) -> Job:
        self._note("job", job_id)
        if job_id not in self.held:
            raise NotFound(f"There is no job {job_id!r}; `understudy jobs` lists them.")
        return self.held[job_id]

    def jobs(self, states: Collection[JobState], before: str | None, limit: int) -> Sequence[Job]:
        self._note("jobs", tuple(states), before, limit)
        return list(self.held.values())[:limit]

    def events(self, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        self._note("events", job_id, after, limit)
        return [each for each in self.story if each.number > after][:limit]

    def ledger(self, before: int | None, limit: int, verdict: Verdict | None, name: str | None) -> Sequence[LedgerLine]:
        self._note("ledger", before, limit, verdict, name)
        return self.lines[:limit]

    def capacity(self) -> Capacity | None:
        self._note("capacity")
        return self.known

    def plan(self, hours: int) -> Plan:
        self._note("plan", hours)
        return Plan(3, "friday", "ready 3 of 6", alarm=True, hours=(PlannedServers(NOON, 6, "opening"),), allowed=5)

    def brake(self) -> Brake:
        self._note("brake")
        return self.position

    def health(self) -> Health:
        self._note("health")
        return self.well

    def figures(self) -> Figures:
        self._note("figures")
        return Figures(
            jobs=dict.fromkeys(JobState, 0) | {JobState.RUNNING: 2},
            ledger=dict.fromkeys(Verdict, 0) | {Verdict.REPEAT: 7},
            unjudged=5,
            oldest_unjudged_seconds=1.5,
            capacity=self.known,
            planned_servers=3,
            brake_on=True,
            heartbeat="Watchdog",
            heartbeat_seconds=None,
            notifications_pending=1,
            workers_alive=1,
            rules_refused=False,
        )


def house(desk: MemoryDesk, pace: Pace = QUICK, identify: Identify = HOLDERS.get) -> Front:
    """Return the API over a desk; the tokens are named after their scopes. Every alert is kept at once."""
    stories, traffic = Stories(desk, pace), Traffic()
    registry = make_registry(Source(desk, traffic, stories, "0.1"))

    def keep(_token: str, _kind: str, _body: bytes, ticket: Answered) -> bool:
        ticket.set_result(None)
        return True

    return create_app(
        desk,
        identify,
        intake=create_intake(identify, keep, traffic.taken),
        metrics=lambda: rendered(registry),
        stories=stories,
        traffic=traffic,
        version="0.1",
    )


def ask(desk: MemoryDesk | Front, method: str, path: str, scope: str | None = "admin", **sent: Any) -> httpx.Response:
    """Send one request with the token of a scope; None: without a token."""
    front = desk if isinstance(desk, Front) else house(desk)
    headers = sent.pop("headers", {}) | ({"Authorization": f"Bearer {scope}"} if scope else {})

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://runner") as client:
            return await client.request(method, path, headers=headers, **sent)

    return asyncio.run(send())


def failing(error: RunnerError | Exception) -> MemoryDesk:
    return MemoryDesk(error=error)
