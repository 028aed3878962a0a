"""Alerts that come twice, or five hundred at once, through the real pair of Alertmanagers: one action."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab import faults, runners
from tests.acceptance.conftest import eventually
from tests.long.chain import OTHER, OWNER, alertmanager, jobs, newest_line, on, released
from tests.long.scaling import servers

__all__ = ["released"]  # a fixture
pytestmark = pytest.mark.usefixtures("image", "as_it_was", "released")
ALERT = "BookingSlow"
STORM = 500
ANSWERS = ("run", "merged", "held", "repeat")  # what firing alerts may become; each is told again when it has ended
COOL_DOWN_SECONDS = 60
GOSSIP = "9094"
PART = f"""
add table inet parted
add chain inet parted input {{ type filter hook input priority filter; policy accept; }}
add rule inet parted input tcp dport {GOSSIP} drop
add rule inet parted input udp dport {GOSSIP} drop
add chain inet parted output {{ type filter hook output priority filter; policy accept; }}
add rule inet parted output tcp dport {GOSSIP} drop
add rule inet parted output udp dport {GOSSIP} drop
"""


def wait_for_peers(site: faults.Lab, count: int) -> None:
    for host in runners.HOSTS:

        def there(host: str = host) -> bool:
            return len(json.loads(alertmanager(site, host, "status"))["cluster"]["peers"]) == count

        eventually(there, 90, f"{host} knows {count} Alertmanagers")


@pytest.fixture
def parted(site: faults.Lab) -> Iterator[None]:
    """Cut what the two Alertmanagers tell each other; both still reach every runner."""
    try:
        for host in runners.HOSTS:
            on(site, host, "nft -f -", PART)
        wait_for_peers(site, 1)
        yield
    finally:
        for host in runners.HOSTS:
            on(site, host, "nft delete table inet parted")
    wait_for_peers(site, 2)


def alerts(count: int, seconds: float) -> str:
    """Return so many distinct alerts that a crowd is too much; they fire for so long, or have ended."""
    now = datetime.now(UTC)
    ends = now + timedelta(seconds=seconds)
    return json.dumps(
        [
            {
                "labels": {"alertname": ALERT, "site": "cloud", "severity": "critical", "seen_by": f"probe-{number}"},
                "annotations": {"summary": "customers wait"},
                "startsAt": now.isoformat(),
                "endsAt": ends.isoformat(),
            }
            for number in range(count)
        ]
    )


def fire(site: faults.Lab, host: str, given: str) -> None:
    alertmanager(site, host, "alerts --header 'Content-Type: application/json' --data-binary @-", given)


def lines(site: faults.Lab, after: int, *only: str) -> list[dict[str, Any]]:
    """Return the ledger's newest 500 lines of the alert at the runner that owns scaling, after that number."""
    words = ("ledger", "--json", "--name", ALERT, "--limit", "500", *only)
    return [line for line in json.loads(runners.ask(site, OWNER, *words))["lines"] if line["id"] > after]


def deliveries(told: list[dict[str, Any]]) -> int:
    """Count how often firing alerts came: that they ended is told by either Alertmanager, too, and proves nothing."""
    return sum(1 + line["repeats"] for line in told if line["verdict"] != "resolved")


@pytest.fixture
def earlier(site: faults.Lab) -> dict[str, set[str]]:
    return {host: set(jobs(site, host, "scale_out")) for host in runners.HOSTS}


def news(site: faults.Lab, earlier: dict[str, set[str]]) -> list[dict[str, Any]]:
    """Return the jobs that there were not before; the runner that does not own scaling must have none."""
    assert set(jobs(site, OTHER, "scale_out")) == earlier[OTHER]
    return [job for name, job in jobs(site, OWNER, "scale_out").items() if name not in earlier[OWNER]]


def test_what_both_alertmanagers_deliver_is_done_once(
    cloud: Any, site: faults.Lab, earlier: dict[str, set[str]], parted: None
) -> None:
    before = newest_line(site, OWNER)
    given = alerts(1, seconds=30)
    for host in runners.HOSTS:
        fire(site, host, given)

    eventually(lambda: deliveries(lines(site, before)) >= 2, 60, "both delivered")
    eventually(lambda: news(site, earlier), 30, "a job")
    eventually(lambda: news(site, earlier)[0]["state"] in {"succeeded", "failed"}, 240, "its end")
    made = news(site, earlier)
    assert [(job["state"], job["requested_by"]) for job in made] == [("succeeded", "policy:crowd")], made
    assert len(servers(cloud)) == made[0]["variables"]["wanted_servers"]  # the policy's step, once


def test_a_storm_of_500_alerts_is_one_scale_out(cloud: Any, site: faults.Lab, earlier: dict[str, set[str]]) -> None:
    time.sleep(COOL_DOWN_SECONDS)  # of the test before
    before = newest_line(site, OWNER)
    fire(site, OWNER, alerts(STORM, seconds=25))
    eventually(lambda: len(lines(site, before)) >= STORM, 120, "every alert is in the ledger")
    eventually(lambda: news(site, earlier)[0]["state"] in {"succeeded", "failed"}, 240, "the end of a job")

    became = Counter({each: len(lines(site, before, "--verdict", each)) for each in ANSWERS})
    print(f"\n{STORM} alerts became {dict(became)}")
    made = news(site, earlier)
    assert [job["state"] for job in made] == ["succeeded"], made
    assert became["run"] == 1
    assert became.total() == STORM, became
    assert became["merged"] > became["held"] + became["repeat"], became  # most come while that one job is on its way
    assert len(servers(cloud)) == made[0]["variables"]["wanted_servers"]
