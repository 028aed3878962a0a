"""Customers change from one edge to another: when theirs dies, and when the operator wants it so.

Needs the booking service in the lab: `ansible-playbook playbooks/site.yml`.
"""

from __future__ import annotations

import time
from typing import Any

from lab import crowd, faults
from tests.acceptance.conftest import Done, Lab, dead, eventually
from tests.acceptance.crowds import Crowd, at, clean, nobody_was_let_down
from tests.acceptance.edges import CLOUD_EDGE, COLO_EDGE
from tests.acceptance.test_show import playbook, settled

__all__ = ["settled"]  # a fixture

TTL_SECONDS, GRACE_SECONDS = 15, 5
THROUGH_COLO = ["--resolve", f"{crowd.NAME}={COLO_EDGE}"]
IMPATIENT = ["--timeout", "2"]  # seconds: a call to a dead edge is over well within the grace


def switch(edges: str, *arguments: str) -> Done:
    """Let the names lead customers to these edges."""
    return playbook("switch_customers", "-e", f"customers_to={edges}", *arguments, seconds=120)


def followed(lines: list[dict[str, Any]], asked: float) -> None:
    """Demand that later than the TTL after a switch to the colo's edge customers bought there, and there only."""
    late = [line for line in lines if at(line) > asked + TTL_SECONDS + GRACE_SECONDS]
    assert late, "the crowd ended before the TTL"
    assert {line["edge"] for line in late} == {COLO_EDGE}


def calls(lab: Lab, edge: str, times: int = 1) -> str:
    """List the connections of customers that wait for an edge to answer at all, looking so often, twice a second."""
    look = f"for i in $(seq {times}); do ss -Htn state syn-sent dst {edge}; sleep 0.5; done"
    done = lab.on("crowd1", look, seconds=20 + times)
    assert done.ok, done.err
    return done.out.strip()


def test_an_edge_that_dies_is_not_noticed_at_the_other(lab: Lab, site: faults.Lab) -> None:
    here = Crowd(site, "here", options=THROUGH_COLO, arrivals=3)
    everywhere = Crowd(site, "everywhere", options=IMPATIENT, arrivals=3)
    with here, everywhere:
        time.sleep(8)
        with dead(lab, "cloud-gw1"):
            eventually(lambda: calls(lab, CLOUD_EDGE), 30, "customers call the dead edge")
            moved = switch("colo-gw1", "-e", "balancer_dns_skip_silent_secondaries=true")
            asked = time.time()
            time.sleep(TTL_SECONDS + GRACE_SECONDS)
            late_calls = calls(lab, CLOUD_EDGE, times=10)
            here.leave()
            everywhere.leave()
            quiet, _, _ = here.end()
            report, lines, audit = everywhere.end()
    back = switch("colo-gw1,cloud-gw1")

    assert moved.ok, moved.out[-2000:]
    assert back.ok, back.out[-2000:]
    nobody_was_let_down(quiet)
    assert quiet["requests"]["retried"] == 0, quiet["failures"]
    nobody_was_let_down(report)
    clean(audit)
    assert report["edges"][CLOUD_EDGE] > 0, "nobody was there when it died"
    assert report["names"]["changes"][-1] == [COLO_EDGE]
    assert late_calls == "", "customers still called the dead edge after the TTL"
    followed(lines, asked)


def test_customers_follow_a_switch_within_the_ttl(site: faults.Lab) -> None:
    with Crowd(site, "switch") as customers:
        time.sleep(5)
        moved = switch("colo-gw1")
        asked = time.time()
        time.sleep(TTL_SECONDS + GRACE_SECONDS)
        customers.leave()
        report, lines, audit = customers.end()
    back = switch("colo-gw1,cloud-gw1")

    assert moved.ok, moved.out[-2000:]
    assert back.ok, back.out[-2000:]
    assert {line["edge"] for line in lines} == {COLO_EDGE, CLOUD_EDGE}
    followed(lines, asked)
    nobody_was_let_down(report)
    clean(audit)
