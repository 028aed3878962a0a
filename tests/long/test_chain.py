"""The whole chain: a crowd is seen, told, decided on and answered with servers; when it has left, they go.

Real Prometheus, Alertmanager pair, runners, OpenStack, edges and customers; nothing is stood in for. It fills this
machine's two cores for minutes and belongs to `make long`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults, runners
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd, clean
from tests.long.scaling import BURST, EDGES, servers, states

pytestmark = pytest.mark.usefixtures("image", "as_it_was", "released")
OWNER, OTHER = "cloud-ops1", "colo-ops1"  # of scaling
MANY = 9  # customers per second: more than the standing servers are meant to serve


@pytest.fixture
def released(site: faults.Lab) -> Iterator[None]:
    """Let the brakes go, so that the runners act, and pull them again."""
    for host in runners.HOSTS:
        runners.ask(site, host, "brake", "off")
    yield
    for host in runners.HOSTS:
        runners.ask(site, host, "brake", "on", "--reason", "tests bring crowds of their own")


def jobs(site: faults.Lab, host: str, action: str) -> dict[str, dict[str, Any]]:
    """Map the names of a runner's jobs for an action to what it says of them."""
    told = json.loads(runners.ask(site, host, "jobs", "--json"))["jobs"]
    return {job["id"]: job for job in told if job["action"] == action}


def newest_line(site: faults.Lab, host: str) -> int:
    """Return the number of the newest line of a runner's ledger."""
    lines = json.loads(runners.ask(site, host, "ledger", "--json"))["lines"]
    return int(lines[0]["id"]) if lines else 0


def burst_servers(lab: Lab, edge: str) -> set[str]:
    return {name for name, state in states(lab, edge).items() if BURST.fullmatch(name) and state == "up"}


def test_a_crowd_is_answered_with_servers_and_its_leaving_with_their_removal(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    earlier = {host: set(jobs(site, host, "scale_out")) for host in runners.HOSTS}
    before = newest_line(site, OTHER)
    began = time.monotonic()
    buying = Crowd(site, "surge", 150, arrivals=MANY)
    eventually(lambda: set(jobs(site, OWNER, "scale_out")) - earlier[OWNER], 120, "a job of the runner that owns it")
    asked = time.monotonic() - began
    eventually(lambda: all(burst_servers(lab, edge) for edge in EDGES), 240, "burst servers at both edges")
    served = time.monotonic() - began
    report, _, audit = buying.end()

    clean(audit)
    assert report["purchases"]["confirmed"] > 0
    assert any(BURST.fullmatch(name) for name in report["servers"]), report["servers"]
    made = [job for name, job in jobs(site, OWNER, "scale_out").items() if name not in earlier[OWNER]]
    assert made[0]["requested_by"] == "policy:crowd"
    assert {job["state"] for job in made} == {"succeeded"}, made
    assert set(jobs(site, OTHER, "scale_out")) == earlier[OTHER]
    assert newest_line(site, OTHER) > before  # it heard of it, and says why it did nothing

    eventually(lambda: not servers(cloud), 420, "the servers go when the crowd has gone")
    failed, all_of_them = report["requests"]["failed"], report["requests"]["total"]
    sys.stdout.write(
        f"crowd to job {asked:.1f} s, crowd to servers at both edges {served:.1f} s, {failed} of {all_of_them} failed\n"
    )
