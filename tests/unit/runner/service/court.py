"""Post alerts and judge them at a moment that the test names."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from runner.model import Job, JobState
from runner.service.judge import judge
from runner.service.rules import Rules
from runner.store import inbox, jobs, ledger
from runner.store.engine import Store
from tests.unit.runner.policy.examples import NOW

NUMBERS: Iterator[int] = itertools.count(1)


def random() -> int:
    return next(NUMBERS)


def body(name: str = "BookingSlow", status: str = "firing", fingerprint: str = "f1", **labels: str) -> bytes:
    alert = {
        "status": status,
        "labels": {"alertname": name, "severity": "page", **labels},
        "annotations": {},
        "startsAt": (NOW - timedelta(minutes=1)).isoformat(),
        "endsAt": NOW.isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    }
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def hear(store: Store, rules: Rules, *bodies: bytes, at: datetime = NOW) -> int:
    """Let deliveries arrive at a moment and be judged then."""
    with store.write() as connection:
        inbox.append(connection, [inbox.Arrival(at, "test", "application/json", each) for each in bodies])
    return judge(store, rules, lambda: at, random)


def entries(store: Store) -> list[ledger.Entry]:
    """Return the ledger, oldest first."""
    with store.read() as connection:
        return list(reversed(ledger.page(connection, limit=1000)))


def all_jobs(store: Store) -> list[Job]:
    """Return the jobs, oldest first."""
    with store.read() as connection:
        return list(reversed(jobs.page(connection, limit=1000)))


def run_to_end(store: Store, job: Job, at: datetime, to: JobState = JobState.SUCCEEDED) -> None:
    """Let a queued job start and end at a moment."""
    with store.write() as connection:
        jobs.move(connection, job.id, {JobState.QUEUED}, JobState.RUNNING, started_at=at, node="n")
        jobs.move(connection, job.id, {JobState.RUNNING}, to, ended_at=at, outcome="done")
