"""The tiers of the data: under a crowd the cloud gets a replica, which then confirms commits and at last goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults
from tests.acceptance.conftest import Done, Lab, eventually, run
from tests.acceptance.crowds import Crowd, clean

MEMBER, HOST = "colo-db1", "cloud-db1"
pytestmark = pytest.mark.usefixtures("brakes")


def bring(tier: str) -> Done:
    return run(["ansible-playbook", "playbooks/change_data_tier.yml", "-e", f"data_tier={tier}"], 900)


def members(lab: Lab) -> dict[str, dict[str, Any]]:
    told = lab.on(MEMBER, "sudo patronictl -c /etc/patroni/config.yml list --format json")
    return {each["Member"]: each for each in json.loads(told.out)}


@pytest.fixture(scope="module")
def archive_again() -> Iterator[None]:
    yield
    done = bring("archive")
    assert done.ok, done.out[-3000:] + done.err


@pytest.mark.usefixtures("archive_again")
def test_a_replica_comes_and_goes_while_customers_buy(lab: Lab, cloud: Any, site: faults.Lab) -> None:
    buying = Crowd(site, "tiers", 240, arrivals=3)
    standby = bring("standby")
    assert standby.ok, standby.out[-3000:] + standby.err
    roles = {name: (each["Role"], each["State"]) for name, each in members(lab).items()}
    assert roles == {MEMBER: ("Leader", "running"), HOST: ("Replica", "streaming")}
    assert "nofailover" in str(members(lab)[HOST].get("Tags", ""))  # a person lets it lead

    synchronous = bring("synchronous")
    assert synchronous.ok, synchronous.out[-3000:] + synchronous.err
    eventually(lambda: members(lab)[HOST]["Role"] == "Sync Standby", 60, "the replica confirms commits")

    archive = bring("archive")
    assert archive.ok, archive.out[-3000:] + archive.err
    assert set(members(lab)) == {MEMBER}
    assert HOST not in {each.name for each in cloud.compute.servers()}
    report, _, audit = buying.end()
    clean(audit)
    assert report["requests"]["failed"] == report["purchases"]["gave_up"] == 0, report["failures"]


def test_what_is_no_tier_changes_nothing(lab: Lab) -> None:
    before = members(lab)
    refused = bring("mirrored")
    assert not refused.ok
    assert "data_tier is 'mirrored'" in " ".join(refused.out.split())
    assert members(lab).keys() == before.keys()
