"""A worker as a process of its own, with an executor that only writes down what it was asked to do."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import secrets
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runner.actions import Action
from runner.execute.lease import Lease
from runner.execute.request import PlaybookEvent, RunRequest
from runner.execute.run import Executor
from runner.model import Ending, RunOutcome
from runner.service.rules import RulesFiles
from runner.worker.attempts import Project
from runner.worker.loop import Options
from runner.worker.process import serve
from tests.integration.runner.execute.project import environment, now

LEASE_SECONDS = 3.0
ACTIONS = {
    name: Action(name, name, "A test's.", "cloud", lock, 60, repeatable=repeatable)
    for name, lock, repeatable in (
        ("mend_a", "a", True),
        ("mend_b", "b", True),
        ("mend_c", "c", True),
        ("once_only", "d", False),
    )
}
POLICIES = """
policies:
  - {name: a, match: ['alertname="DeadA"'], action: mend_a, target: '{instance}'}
  - {name: b, match: ['alertname="DeadB"'], action: mend_b, target: '{instance}'}
  - {name: c, match: ['alertname="DeadC"'], action: mend_c, target: '{instance}'}
  - {name: d, match: ['alertname="DeadD"'], action: once_only, target: '{instance}'}
"""


@dataclasses.dataclass
class Journal:
    """Appends one line to a file that several processes share; it is on disk when `write` returns."""

    file: Path

    def write(self, **fields: object) -> None:
        line = json.dumps({"at": datetime.now(UTC).isoformat(), "pid": os.getpid(), **fields}) + "\n"
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class FakeExecutor:
    """Runs nothing: a run takes a while, ends early when its lease lapses or someone cancels it, and is journalled."""

    def __init__(self, journal: Journal, seconds: float, node: str) -> None:
        self._journal, self._seconds, self._node = journal, seconds, node
        self._cancelled: dict[str, threading.Event] = {}

    def run(self, request: RunRequest, on_event: Callable[[PlaybookEvent], None], lease: Lease) -> RunOutcome:
        started = datetime.now(UTC)
        cancelled = self._cancelled.setdefault(request.job_id, threading.Event())
        if not lease.valid():
            return RunOutcome(Ending.FENCED, "The lease had lapsed.", started, started)
        told = {"job": request.job_id, "attempt": request.attempt, "node": self._node}
        self._journal.write(what="begin", **told)
        on_event(PlaybookEvent(started, "task", "Pretend"))
        end = lease.clock() + self._seconds
        ending = Ending.SUCCEEDED
        while lease.clock() < end:
            if not lease.valid():
                ending = Ending.FENCED
                break
            if cancelled.wait(0.01):
                ending = Ending.CANCELLED
                break
        if ending is Ending.SUCCEEDED and not lease.valid():
            ending = Ending.FENCED
        self._journal.write(what=str(ending), **told)
        return RunOutcome(ending, f"It {ending}.", started, datetime.now(UTC))

    def cancel(self, job_id: str) -> bool:
        self._cancelled.setdefault(job_id, threading.Event()).set()
        return True

    def end_leftovers(self, job_id: str) -> list[int]:
        return []

    def sweep(self) -> None:
        pass

    def close(self) -> None:
        pass


def _real(state: Path, project: Path) -> Executor:
    state.mkdir(exist_ok=True)
    return Executor(state, now, environment(project), warm_project=project, grace_seconds=0.5)


def main(state_dir: str, store_url: str, node: str, seconds: str, project: str = "") -> None:
    """Be a worker: `program.py STATE_DIR STORE_URL NODE SECONDS_OF_A_RUN [PROJECT]`, really running with a project."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s")
    state = Path(state_dir)
    rules = RulesFiles("cloud", state.parent / "policies.yml", None, ACTIONS)
    journal = Journal(state.parent / "journal")
    journal.write(what="process", node=node)
    options = Options(
        state_dir=state,
        store_url=store_url,
        node=node,
        rules=rules,
        executor=_real(state, Path(project)) if project else FakeExecutor(journal, float(seconds), node),
        project=Project(Path(project), Path(project) / "inventory/hosts.yml"),
        clock=lambda: datetime.now(UTC),
        random=lambda: secrets.randbits(32),
        drain_seconds=5.0,
        lease_seconds=LEASE_SECONDS,
    )
    serve(options)


if __name__ == "__main__":
    main(*sys.argv[1:])
