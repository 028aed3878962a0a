"""What tests of a failover share; the rows of the failure matrix themselves are drills (lab/drills, test_drills.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults, runners
from lab.drills import health
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.test_show import playbook

OWNER = "cloud-ops1"  # whose runner takes over


@pytest.fixture
def colo_again(lab: Lab, site: faults.Lab) -> Iterator[None]:
    assert playbook("acknowledge_recovery").ok
    yield
    faults.power_on(site, "colo")
    eventually(lambda: lab.on("colo-ops1", "sudo understudy brake").ok, 60, "the colo's runner answers")


def roles(site: faults.Lab) -> dict[str, tuple[str, str]]:
    return {name: (each["Role"], each["State"]) for name, each in health.members(site).items()}


def jobs(site: faults.Lab, *states: str, action: str = "fail_over_to_cloud") -> list[dict[str, Any]]:
    """List the jobs of an action that the cloud's runner knows, in any of these states."""
    words = [word for state in states for word in ("--state", state)]
    told = json.loads(runners.ask(site, OWNER, "jobs", "--json", "--limit", "500", *words))["jobs"]
    return [job for job in told if job["action"] == action]


def acknowledge(site: faults.Lab) -> None:
    """Acknowledge earlier failovers, or the block period would hold the next one, as it must."""
    for before in jobs(site, "failed", "succeeded"):
        runners.ask(site, OWNER, "acknowledge", before["id"])
