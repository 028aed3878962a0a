"""Start and kill workers, post alerts into their store, and read what their executors were asked to do."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import StoreUnavailable
from runner.model import Job, JobState
from runner.service.wake import wake
from runner.store import inbox, jobs
from runner.store.engine import Store
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.program import POLICIES

ROOT = Path(__file__).resolve().parents[4]
BEGAN = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


@dataclasses.dataclass
class Bench:
    """A folder with the policies and the journal that all its workers share."""

    folder: Path
    store_url: str
    run_seconds: float = 0.05
    project: Path | None = None  # really run playbooks
    processes: list[subprocess.Popen[bytes]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "policies.yml").write_text(POLICIES)

    def state(self, node: str) -> Path:
        return self.folder / f"state-{node}"

    def start(self, node: str = "one") -> subprocess.Popen[bytes]:
        """Start a worker and return at once."""
        program = "tests.integration.runner.worker.program"
        state = str(self.state(node))
        command = [sys.executable, "-m", program, state, self.store_url, node, str(self.run_seconds)]
        command += [str(self.project)] if self.project else []
        with (self.folder / f"log-{node}").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def stop_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()

    def journal(self, *what: str) -> list[dict[str, object]]:
        """Return the lines of some kinds, or all, in order."""
        file = self.folder / "journal"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [line for line in lines if not what or line["what"] in what]

    def log(self, node: str = "one") -> str:
        return (self.folder / f"log-{node}").read_text()

    def ready(self, node: str, times: int = 1) -> None:
        """Wait until a worker said that it is ready so many times."""
        until(lambda: self.log(node).count("event=worker_ready") >= times, 30, f"{node} is ready")


def body(number: int) -> bytes:
    """Return a delivery of one alert; the same number is the same alert."""
    names = ("DeadA", "DeadB", "DeadC", "DeadD")
    labels = {"alertname": names[number % 4], "instance": f"was{number}"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {},
        "startsAt": BEGAN.isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": f"f{number}",
    }
    return json.dumps({"version": "4", "alerts": [alert]}).encode()


def post(store: Store, numbers: Sequence[int], *state_dirs: Path) -> None:
    """Put deliveries into the store, as the intake does, and wake the workers.

    A store that says it kept nothing is asked again: that is what Alertmanager does with the intake's 503.
    """
    arrivals = [inbox.Arrival(datetime.now(UTC), "test", "application/json", body(each)) for each in numbers]
    until(lambda: _kept(store, arrivals), 30, "the store keeps the deliveries")
    for each in state_dirs:
        wake(each)


def _kept(store: Store, arrivals: Sequence[inbox.Arrival]) -> bool:
    try:
        with store.write() as connection:
            inbox.append(connection, arrivals)
    except StoreUnavailable:
        return False
    return True


def all_jobs(store: Store) -> tuple[Job, ...]:
    with store.read() as connection:
        return jobs.page(connection, limit=10_000)


def unjudged(store: Store) -> int:
    with store.read() as connection:
        return inbox.waiting(connection)[0]


def states(store: Store) -> set[JobState]:
    return {job.state for job in all_jobs(store)}


def idle(store: Store) -> bool:
    """Tell whether everything is judged and every job has ended."""
    return unjudged(store) == 0 and states(store) <= {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
