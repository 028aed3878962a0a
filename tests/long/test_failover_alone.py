"""The colo goes dark in tier archive, and the cloud's runner takes over with what lies sealed in the cloud."""

from __future__ import annotations

import json
import shlex
import time
from datetime import datetime
from typing import Any

import pytest

from lab import crowd, faults, runners
from lab.drills import measure
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd
from tests.acceptance.test_show import playbook
from tests.long.failover import OWNER, acknowledge, colo_again, jobs, roles
from tests.long.test_tiers import HOST, MEMBER

__all__ = ["colo_again"]  # a fixture
SEAL = "age --decrypt --identity /etc/understudy/backup/identity /etc/understudy/backup/repositories.age"
KEPT = "/var/lib/understudy /var/log /run/understudy /etc/understudy /tmp"
pytestmark = pytest.mark.usefixtures("brakes")


def carried_out(site: faults.Lab, action: str, seconds: float) -> None:
    """Ask the cloud's runner for an action, and wait until its job has succeeded."""
    asked = json.loads(runners.ask(site, OWNER, "submit", action, "--yes", "--insist", "--json"))["job"]["id"]

    def ended() -> list[dict[str, Any]]:
        return [each for each in jobs(site, "succeeded", "failed", action=action) if each["id"] == asked]

    state = eventually(ended, seconds, f"{action} ends")[0]["state"]
    assert state == "succeeded", runners.ask(site, OWNER, "show", asked)


def kept_in_clear(lab: Lab) -> list[str]:
    """Name what was opened for a job and is still on the runner's host in clear."""
    opened = lab.on(OWNER, f"sudo {SEAL}")
    assert opened.ok, opened.err
    (repository,) = json.loads(opened.out)
    names = ("cipher_pass", "key_secret")
    return [name for name in names if lab.on(OWNER, f"sudo grep -rqsF {shlex.quote(repository[name])} {KEPT}").ok]


def test_a_preparation_comes_and_goes_while_the_colo_sells(lab: Lab, site: faults.Lab) -> None:
    carried_out(site, "prepare_failover", 240)
    assert roles(site)[MEMBER] == ("Leader", "running")
    assert roles(site)[HOST][0] == "Replica"
    assert kept_in_clear(lab) == []
    carried_out(site, "remove_cloud_database", 120)
    eventually(lambda: set(roles(site)) == {MEMBER}, 60, "the cluster forgets the member")  # after a lease


@pytest.mark.usefixtures("colo_again")
def test_the_clouds_runner_takes_over_alone(lab: Lab, site: faults.Lab) -> None:
    acknowledge(site)
    taken = playbook("take_backup")
    assert taken.ok, taken.out[-3000:] + taken.err
    buying = Crowd(site, "alone", 150, arrivals=2, options=["--patience", "240"])
    time.sleep(15)
    dark = datetime.now().astimezone()
    faults.power_off(site, "colo")
    carried_out(site, "fail_over_to_cloud", 240)
    shopping = crowd.finish(site, buying.run, buying.process)
    sold = measure.bookings(shopping.journal)
    print(f"\nno tickets for {measure.outage(sold, dark, sold[-1].at).rto_s:.1f} s")
    assert crowd.audit(site, shopping.journal, settle_seconds=5, auditor="cloud-was1")["sold_twice"] == 0
    assert kept_in_clear(lab) == []

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo")
    assert back.ok, back.out[-5000:] + back.err
    eventually(lambda: roles(site) == {MEMBER: ("Leader", "running")}, 60, "the colo leads, alone")
