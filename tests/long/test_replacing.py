"""A burst server that dies is replaced by itself: an edge finds it dead, monitoring tells, the runner acts."""

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
from tests.long.chain import OWNER, burst_servers, jobs, released
from tests.long.scaling import EDGES, servers

__all__ = ["released"]  # a fixture
pytestmark = pytest.mark.usefixtures("image", "as_it_was", "released")
ADD = "scale_out"
FEW = 3  # customers per second


@pytest.fixture
def customers(site: faults.Lab) -> Iterator[Crowd]:
    """Enough customers that no server is called idle, and fewer than call for another one."""
    buying = Crowd(site, "replacing", 420, arrivals=FEW)
    yield buying
    _, _, audit = buying.end()
    clean(audit)


def known(site: faults.Lab) -> tuple[int, int]:
    told = json.loads(runners.ask(site, OWNER, "capacity", "--json"))
    return told["wanted"], told["ready"]


def ended(site: faults.Lab, before: set[str]) -> list[dict[str, Any]]:
    """Return the new additions, once there is one and all have ended."""
    new = [job for name, job in jobs(site, OWNER, ADD).items() if name not in before]
    return new if all(job["state"] in {"succeeded", "failed"} for job in new) else []


@pytest.mark.usefixtures("customers")
def test_a_burst_server_that_loses_its_power_is_replaced_and_nobody_did_anything(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    before = set(jobs(site, OWNER, ADD))
    runners.ask(site, OWNER, "submit", ADD, "wanted_servers=1", "--yes")
    eventually(lambda: ended(site, before), 240, "the runner has made one")
    assert known(site) == (1, 1)
    [first] = servers(cloud).values()
    eventually(lambda: all(burst_servers(lab, edge) for edge in EDGES), 60, "both edges give it customers")

    before, began = set(jobs(site, OWNER, ADD)), time.monotonic()
    faults.power_off(site, first.name)
    eventually(lambda: set(jobs(site, OWNER, ADD)) - before, 180, "a job that replaces it")
    eventually(lambda: ended(site, before), 300, "it is replaced")
    [job] = ended(site, before)
    sys.stdout.write(f"power off to replaced {time.monotonic() - began:.1f} s: {job['reason']}\n")
    assert (job["state"], job["requested_by"]) == ("succeeded", "policy:burst-server-lost"), job
    assert job["variables"] == {"wanted_servers": 1}
    assert known(site) == (1, 1)
    [second] = servers(cloud).values()
    assert second.id != first.id
    eventually(lambda: all(burst_servers(lab, edge) == {second.name} for edge in EDGES), 60, "it has its customers")

    def silent() -> bool:
        lines = json.loads(runners.ask(site, OWNER, "ledger", "--json", "--name", "BurstServerDown"))["lines"]
        return any(line["verdict"] == "resolved" for line in lines)

    eventually(silent, 120, "the edges expect nobody at the old place, and the alert is over")
