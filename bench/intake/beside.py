"""Measure the intake of the whole service, with and without playbooks that run beside it, one after the other.

Everything is real: `understudy serve` with its worker, which judges each alert (no policy waits for it), and jobs that
the preloaded executor runs; their playbooks are small, so that as many begin and end as can.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.integration.runner.installations import Installation
from tests.integration.runner.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIGURES = ("rate", "p50_ms", "p99_ms")
POLICIES = """
policies:
  - {name: image, match: ['alertname="ImageOld"'], action: bake_image}
"""
MOST_JOBS = 100  # more than run in a minute; each wants another number of servers, so none is merged into another
READY_SECONDS = 60


@dataclasses.dataclass
class Service:
    """The service in a folder of its own, serving until it is told to stop."""

    installation: Installation

    def start(self) -> None:
        """Serve, and wait until the executor is preloaded."""
        (self.installation.folder / "policies.yml").write_text(POLICIES)
        self.installation.ready(self.installation.serve())
        until(lambda: "event=preload_ready" in self.installation.log, READY_SECONDS, "Ansible is preloaded")

    def busy(self) -> None:
        """Ask for more jobs than will run, and wait until the first has ended."""
        for number in range(1, MOST_JOBS + 1):
            wish = {"action": "scale_out", "variables": {"wanted_servers": number}}
            self.ask("POST", "/jobs", json=wish)
        until(self.ended, READY_SECONDS, "a job has ended")

    def ended(self) -> int:
        """Count the jobs that have ended; raises RuntimeError when one did not succeed."""
        found = self.ask("GET", f"/jobs?limit={MOST_JOBS}")["jobs"]
        states = [job["state"] for job in found if job["ended_at"]]
        if set(states) - {"succeeded"}:
            raise RuntimeError(f"Jobs of the benchmark became {sorted(set(states))}; see the log of the service.")
        return len(states)

    def ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """Ask the API."""
        head = {"Authorization": f"Bearer {self.installation.token}"}
        answer = httpx.request(method, f"{self.installation.url}{path}", headers=head, timeout=30, **sent)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


def measure(
    load: Callable[[int, str], dict[str, Any]], rounds: int, folder: str | None
) -> dict[str, list[dict[str, Any]]]:
    """Measure in turns without and with playbooks, each time a new service; `load` takes its port and its token."""
    measured: dict[str, list[dict[str, Any]]] = {"without": [], "with": []}
    for _ in range(rounds):
        for name, rows in measured.items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                rows.append(_round(Service(Installation(Path(place).resolve())), load, playbooks=name == "with"))
    return measured


def _round(service: Service, load: Callable[[int, str], dict[str, Any]], *, playbooks: bool) -> dict[str, Any]:
    try:
        service.start()
        if playbooks:
            service.busy()
        before = service.ended()
        figures = load(service.installation.port, service.installation.token)
        rate = round((figures["requests"] - figures["not_2xx"]) / figures["seconds"])
        return {**figures, "rate": rate, "jobs": service.ended() - before}
    finally:
        service.installation.stop_all()


def report(measured: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the medians with and without playbooks, and how many times the first is the second."""
    medians = {
        name: {figure: statistics.median(row[figure] for row in rows) for figure in FIGURES}
        for name, rows in measured.items()
    }
    ratio = {figure: round(medians["with"][figure] / medians["without"][figure], 2) for figure in FIGURES}
    return {"medians": medians, "ratio": ratio, "rounds": measured, "sound": sound(measured)}


def sound(measured: dict[str, list[dict[str, Any]]]) -> bool:
    """Say whether every request was taken, and playbooks ran in each round that was to have some."""
    taken = all(not row["not_2xx"] and not row["broken"] for rows in measured.values() for row in rows)
    return taken and all(row["jobs"] for row in measured["with"])


def table(told: dict[str, Any]) -> str:
    """Return the rounds, the medians and their ratio as a table."""
    lines = [_line("", FIGURES, "jobs")]
    for name, rows in told["rounds"].items():
        lines += [_line(name, [row[figure] for figure in FIGURES], row["jobs"]) for row in rows]
    lines += [_line(f"median {name}", each.values()) for name, each in told["medians"].items()]
    return "\n".join([*lines, _line("with / without", told["ratio"].values())])


def _line(name: str, values: Sequence[object] | Any, jobs: object = "") -> str:
    return f"{name:<16}" + "".join(f"{value!s:>12}" for value in values) + f"{jobs!s:>8}"
