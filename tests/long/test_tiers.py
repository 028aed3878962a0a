"""The tiers of the data: under a crowd the cloud gets a replica, which then confirms commits and at last goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults
from lab.drills.health import members
from tests.acceptance.conftest import Done, Lab, eventually, run
from tests.acceptance.crowds import Crowd, clean

MEMBER, HOST = "colo-db1", "cloud-db1"
pytestmark = pytest.mark.usefixtures("brakes")


def bring(tier: str) -> Done:
    return run(["ansible-playbook", "playbooks/change_data_tier.yml", "-e", f"data_tier={tier}"], 900)


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
    roles = {name: (each["Role"], each["State"]) for name, each in members(site).items()}
    assert roles == {MEMBER: ("Leader", "running"), HOST: ("Replica", "streaming")}
    assert "nofailover" in str(members(site)[HOST].get("Tags", ""))  # a person lets it lead

    synchronous = bring("synchronous")
    assert synchronous.ok, synchronous.out[-3000:] + synchronous.err
    eventually(lambda: members(site)[HOST]["Role"] == "Sync Standby", 60, "the replica confirms commits")

    archive = bring("archive")
    assert archive.ok, archive.out[-3000:] + archive.err
    eventually(lambda: set(members(site)) == {MEMBER}, 60, "the cluster forgets the member")  # after a lease
    assert HOST not in {each.name for each in cloud.compute.servers()}
    report, _, audit = buying.end()
    clean(audit)
    assert report["requests"]["failed"] == report["purchases"]["gave_up"] == 0, report["failures"]


def test_what_is_no_tier_changes_nothing(site: faults.Lab) -> None:
    before = members(site)
    refused = bring("mirrored")
    assert not refused.ok
    assert "data_tier is 'mirrored'" in " ".join(refused.out.split())
    assert members(site).keys() == before.keys()
