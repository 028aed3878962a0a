"""What tests of the whole chain ask: the runners and their brakes, the Alertmanagers, and the alerts that fire."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import faults, runners, ssh
from lab.commands import attempt
from tests.acceptance.conftest import Lab, eventually
from tests.long.scaling import BURST, states

OWNER, OTHER = "cloud-ops1", "colo-ops1"  # of scaling
COUNT = "count_servers"
TLS = "--cacert /etc/understudy/tls/ca.crt --cert /etc/understudy/tls/host.crt --key /etc/understudy/tls/host.key"
API_PORT = 9093


def brake(site: faults.Lab) -> None:
    """Let no runner act by itself any more."""
    for host in runners.HOSTS:
        runners.ask(site, host, "brake", "on", "--reason", "tests bring crowds of their own")


@contextmanager
def brakes_off(site: faults.Lab) -> Iterator[None]:
    """Let the brakes go, so that the runners act, and pull them again."""
    runners.let_go(site)
    try:
        yield
    finally:
        brake(site)


@pytest.fixture
def released(site: faults.Lab) -> Iterator[None]:
    with brakes_off(site):
        yield


def jobs(site: faults.Lab, host: str, action: str) -> dict[str, dict[str, Any]]:
    """Map the names of a runner's jobs for an action to what it says of them, newest first."""
    told = json.loads(runners.ask(site, host, "jobs", "--json"))["jobs"]
    return {job["id"]: job for job in told if job["action"] == action}


def newest_line(site: faults.Lab, host: str) -> int:
    """Return the number of the newest line of a runner's ledger."""
    lines = json.loads(runners.ask(site, host, "ledger", "--json"))["lines"]
    return int(lines[0]["id"]) if lines else 0


def counted(site: faults.Lab, before: set[str]) -> None:
    """Wait until the runner that owns scaling has counted the servers once more."""

    def ended() -> bool:
        new = [job for name, job in jobs(site, OWNER, COUNT).items() if name not in before]
        return bool(new) and all(job["state"] == "succeeded" for job in new)

    eventually(ended, 60, "a job that counts has succeeded")


def burst_servers(lab: Lab, edge: str) -> set[str]:
    return {name for name, state in states(lab, edge).items() if BURST.fullmatch(name) and state == "up"}


def on(site: faults.Lab, host: str, command: str, given: str = "") -> str:
    address = faults.management_address(site, host)
    words = shlex.join(["sudo", "sh", "-c", command])
    done = attempt(ssh.command(site.paths, address, words), input_bytes=given.encode(), timeout_seconds=60)
    assert done.returncode == 0, f"{host}: {command}: {done.stderr.decode()}"
    return done.stdout.decode()


def alertmanager(site: faults.Lab, host: str, words: str, given: str = "") -> str:
    """Ask a host's own Alertmanager, by the name that its certificate has."""
    way = f"--resolve {host}:{API_PORT}:127.0.0.1 https://{host}:{API_PORT}/api/v2/{words}"
    return on(site, host, f"curl --silent --show-error --fail --max-time 20 {TLS} {way}", given)


def alarm(site: faults.Lab, name: str, **labels: str) -> bool:
    """Ask whether both Alertmanagers hold an alert of that name and labels that fires and is told."""

    def told(host: str) -> bool:
        return any(
            each["status"]["state"] == "active" and each["labels"].items() >= {"alertname": name, **labels}.items()
            for each in json.loads(alertmanager(site, host, "alerts"))
        )

    return all(told(host) for host in runners.HOSTS)
