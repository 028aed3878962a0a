"""The whole chain: a crowd is seen, told, decided on and answered with servers; when it has left, they go.

Real Prometheus, Alertmanager pair, runners, OpenStack, edges and customers; nothing is stood in for. It fills this
machine's two cores for minutes and belongs to `make long`.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from lab import faults, runners, surge
from lab.report import latencies
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd, clean, nobody_was_let_down
from tests.long.chain import OTHER, OWNER, burst_servers, jobs, newest_line, released
from tests.long.scaling import BURST, EDGES, servers

__all__ = ["released"]  # a fixture
pytestmark = pytest.mark.usefixtures("image", "as_it_was", "released")
MANY = 12  # customers per second: clearly more than the standing servers are meant to serve, on a quick machine too


def test_a_crowd_is_answered_with_servers_and_its_leaving_with_their_removal(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    earlier = {host: set(jobs(site, host, "scale_out")) for host in runners.HOSTS}
    before = newest_line(site, OTHER)
    came, began = datetime.now(UTC), time.monotonic()
    buying = Crowd(site, "surge", arrivals=MANY)
    eventually(lambda: set(jobs(site, OWNER, "scale_out")) - earlier[OWNER], 120, "a job of the runner that owns it")
    asked = time.monotonic() - began
    eventually(lambda: all(burst_servers(lab, edge) for edge in EDGES), 240, "burst servers at both edges")
    served = time.monotonic() - began
    time.sleep(40)
    buying.leave()
    report, _, audit = buying.end()

    clean(audit)
    nobody_was_let_down(report)
    assert any(BURST.fullmatch(name) for name in report["servers"]), report["servers"]

    def made() -> list[dict[str, Any]]:
        return [job for name, job in jobs(site, OWNER, "scale_out").items() if name not in earlier[OWNER]]

    eventually(lambda: all(job["state"] not in {"queued", "running"} for job in made()), 240, "none is under way")
    assert made()[0]["requested_by"] == "policy:crowd"
    assert {job["state"] for job in made()} == {"succeeded"}, made()
    assert set(jobs(site, OTHER, "scale_out")) == earlier[OTHER]
    assert newest_line(site, OTHER) > before  # it heard of it, and says why it did nothing
    seen = latencies(report["per_second"], surge.serving(site, came, datetime.now(UTC)))
    assert seen, "the crowd has gone before the new servers came, or was not seen before"
    overload, relieved = seen
    assert relieved < overload, f"p99 {overload:.0f} ms before the new servers, {relieved:.0f} ms with them at the end"

    eventually(lambda: not servers(cloud), 420, "the servers go when the crowd has gone")
    sys.stdout.write(
        f"crowd to job {asked:.1f} s, crowd to servers at both edges {served:.1f} s, "
        f"p99 {overload:.0f} ms before them, {relieved:.0f} ms with them\n"
    )
