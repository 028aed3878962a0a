"""Let a crowd grow six times as large, and follow what monitoring and the runners make of it."""

from __future__ import annotations

import json
import math
import shlex
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import yaml

from lab import building, crowd, faults, report, runners, ssh
from lab.commands import attempt
from lab.errors import LabError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping

FACTOR = 6
OWNER = "cloud-ops1"  # of scaling
_WATCHER, _EDGE = "colo-ops1", "colo-gw1"
_BURST = "cloud-burst"  # how the names of burst servers begin
_BEFORE_SECONDS, _SERVED_SECONDS = 10, 25  # before the crowd grows; with the new servers, before it leaves
_LONGEST_SECONDS = 420  # that it stays large when no server comes
_REMOVAL_SECONDS = 300
_STEP_SECONDS = 2
_PRICES = Path(__file__).parent / "prices.yml"
_FLAVOR = "was.small"
_BAKE = building.Step("an image of burst servers", "playbooks/bake_image.yml", building.PROJECT)


def bake(log: Path) -> bool:
    """Make the image that burst servers boot, with the release that serves; return whether it was published."""
    with log.open("w", encoding="utf-8") as stream:
        return building.play(_BAKE, output=stream) == 0


def run(lab: faults.Lab, tell: Callable[[str], float], *, arrivals: float) -> tuple[report.Surge, str]:
    """Let the crowd come and grow, and follow the runner until its servers are gone again.

    `tell` records an event and returns when it was. Returns what was seen, and the customers' journal.
    """
    runners.let_go(lab)
    known = set(jobs(lab))
    name, seconds = time.strftime("surge-%H%M%S"), _BEFORE_SECONDS + _LONGEST_SECONDS
    began = datetime.now(UTC)
    began_s = tell(f"a crowd comes: {arrivals:g} customers per second, soon {FACTOR} times as many")
    words = ["--arrivals", f"{arrivals:g}", "--duration", str(seconds)]
    buying = crowd.start(lab, name, [*words, "--surge", f"{FACTOR}@{_BEFORE_SECONDS}+{_LONGEST_SECONDS}"])
    alert = _follow(lab, tell, buying, name, known)
    shopping = crowd.finish(lab, name, buying)
    tell("the crowd has gone")
    _until_gone(lab, tell, known)
    ended = datetime.now(UTC)
    servers = serving(lab, began, ended)
    first = _first_booking(shopping.journal)
    ours = [job for job in jobs(lab).values() if job["id"] not in known]
    added = next((job["id"] for job in ours if job["action"] == "scale_out"), None)
    task = first_task(story(lab, added)) if added else None
    scale = scaled(servers, alert, task, first, shopping.report["purchases"])
    return report.Surge(began_s, shopping.report, servers, scale, cost(servers, _prices())), shopping.journal


def scaled(
    servers: list[tuple[float, int]],
    alert: datetime | None,
    first_task: datetime | None,
    first_booking: datetime | None,
    purchases: dict[str, int],
) -> dict[str, Any]:
    """Sum up; what was not seen is null."""
    counts = [count for _, count in servers] or [0]
    return {
        "alert_to_first_task_ms": between(alert, first_task, 1000),
        "alert_to_first_booking_s": between(alert, first_booking, 1),
        "servers_before": counts[0],
        "servers_peak": max(counts),
        "servers_after": counts[-1],
        "failed_purchases": purchases["gave_up"],
    }


def cost(servers: list[tuple[float, int]], prices: dict[str, Any]) -> dict[str, Any]:
    """Compare what ran with as many servers as at the peak for the whole time, by the prices of the file."""
    price = prices["per_hour"][_FLAVOR]
    hours = sum((then - at) / 3600 * count for (at, count), (then, _) in pairwise(servers))
    length = (servers[-1][0] - servers[0][0]) / 3600 if servers else 0.0
    peak = max((count for _, count in servers), default=0)
    return {
        "currency": prices["currency"],
        "flavor": _FLAVOR,
        "per_hour": price,
        "as_it_ran": round(hours * price, 2),
        "always_for_the_peak": round(length * peak * price, 2),
    }


def between(begin: datetime | None, end: datetime | None, per_second: float) -> float | None:
    """Return how long it was from one moment to another, in that part of a second; null where one was not seen."""
    return round((end - begin).total_seconds() * per_second, 1) if begin and end else None


def _prices() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(_PRICES.read_text(encoding="utf-8"))
    return told


def jobs(lab: faults.Lab) -> dict[str, dict[str, Any]]:
    """Map the names of the jobs of the runner that owns scaling to what it says of them, oldest first."""
    told = json.loads(runners.ask(lab, OWNER, "jobs", "--json"))["jobs"]
    return {job["id"]: job for job in reversed(told)}


def _follow(
    lab: faults.Lab, tell: Callable[[str], float], buying: subprocess.Popen[bytes], name: str, known: set[str]
) -> datetime | None:
    """Tell what the runner does while the crowd buys, and send it home when new servers have sold for a while.

    Returns when the first alert arrived that led to a job.
    """
    states: dict[str, str] = {}
    arrived: datetime | None = None
    home = math.inf
    while buying.poll() is None:
        if time.monotonic() > home:
            crowd.send_home(lab, name)
            home = math.inf
        for job in jobs(lab).values():
            if job["id"] in known or states.get(job["id"]) == job["state"]:
                continue
            if job["id"] not in states:
                arrived = arrived or arrival(lab, job["id"])
                tell(f"{OWNER}: {job['action']}: {job['reason']}")
            if job["outcome"]:
                tell(f"{OWNER}: {job['outcome']}")
            if job["action"] == "scale_out" and job["state"] == "succeeded":
                home = min(home, time.monotonic() + _SERVED_SECONDS)
            states[job["id"]] = job["state"]
        time.sleep(1)
    return arrived


def _until_gone(lab: faults.Lab, tell: Callable[[str], float], known: set[str]) -> None:
    """Wait until a removal has succeeded since the last addition; say so when none did in time."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while time.monotonic() < deadline:
        ours = [job for job in jobs(lab).values() if job["id"] not in known]
        if not any(job["action"] == "scale_out" for job in ours):
            tell("no server was added, so there is none to remove")
            return
        last = ours[-1]
        if last["action"] == "scale_in" and last["state"] == "succeeded":
            tell(f"{OWNER}: {last['action']}: {last['reason']} {last['outcome']}")
            return
        time.sleep(2)
    tell(f"the servers are still there after {_REMOVAL_SECONDS} s")


def arrival(lab: faults.Lab, job: str) -> datetime | None:
    """Return when the alert arrived that led to a job."""
    for line in json.loads(runners.ask(lab, OWNER, "ledger", "--json"))["lines"]:
        if line["job"] == job and line["verdict"] in {"run", "ask"}:
            return datetime.fromisoformat(line["at"] if line["repeats"] else line["last_at"])
    return None


def story(lab: faults.Lab, job: str) -> list[dict[str, Any]]:
    """Return the events of a job, in order, once it has ended."""
    told = runners.ask(lab, OWNER, "follow", job, "--json", well=(0, 1))  # 1: it failed
    return [json.loads(line) for line in told.splitlines()]


def first_task(events: list[dict[str, Any]]) -> datetime | None:
    """Return when a job's first playbook task began."""
    return next((datetime.fromisoformat(event["at"]) for event in events if event["kind"] == "task"), None)


def _first_booking(journal: str) -> datetime | None:
    """Return when the first booking was confirmed by a burst server."""
    entries = [json.loads(line) for line in journal.splitlines()]
    times = [datetime.fromisoformat(entry["at"]) for entry in entries if entry["server"].startswith(_BURST)]
    return min(times, default=None)


def serving(lab: faults.Lab, began: datetime, ended: datetime) -> list[tuple[float, int]]:
    """Return how many servers an edge sent customers to, with the seconds since it began."""
    asked: dict[str, str | float] = {
        "query": f'sum(haproxy_server_status{{proxy="was",state="UP",instance="{_EDGE}"}})',
        "start": began.timestamp(),
        "end": ended.timestamp(),
        "step": _STEP_SECONDS,
    }
    series = prometheus(lab, "query_range", asked)
    return [(at - began.timestamp(), int(count)) for at, count in series[0]["values"]] if series else []


def prometheus(lab: faults.Lab, what: str, asked: Mapping[str, str | float]) -> list[dict[str, Any]]:
    """Ask the colo's Prometheus (`query` or `query_range`); raises LabError when it does not answer."""
    url = f"http://127.0.0.1:9090/api/v1/{what}?{urlencode(asked)}"
    address = faults.management_address(lab, _WATCHER)
    done = attempt(ssh.command(lab.paths, address, shlex.join(["curl", "-sf", url])), timeout_seconds=30)
    if done.returncode != 0:
        raise LabError(f"{_WATCHER}: Prometheus does not answer: {done.stderr.decode(errors='replace').strip()}")
    result: list[dict[str, Any]] = json.loads(done.stdout)["data"]["result"]
    return result
