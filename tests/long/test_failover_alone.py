"""In tier archive the cloud's runner prepares a failover with what lies sealed in the cloud, and takes it back."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from lab import faults, runners
from tests.acceptance.conftest import Lab, eventually
from tests.long.failover import OWNER, jobs, roles
from tests.long.test_tiers import HOST, MEMBER

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
