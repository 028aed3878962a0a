"""Tier archive: there is no database in the cloud until the colo is lost; it is made from the encrypted backups."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from lab import crowd, faults
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd
from tests.acceptance.test_show import playbook
from tests.long.failover import colo_again, longest_pause, roles, sold
from tests.long.test_tiers import HOST, MEMBER, bring, members

__all__ = ["colo_again"]  # a fixture
pytestmark = pytest.mark.usefixtures("brakes")


@pytest.fixture(scope="module", autouse=True)
def archive(session_lab: Lab) -> None:
    if HOST in members(session_lab):
        done = bring("archive")
        assert done.ok, done.out[-3000:] + done.err
    taken = playbook("take_backup", "-e", "backup_type=full")
    assert taken.ok, taken.out[-3000:] + taken.err


@pytest.mark.usefixtures("colo_again")
def test_the_cloud_restores_the_archive_takes_over_and_gives_the_host_back(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    buying = Crowd(site, "archive", 300, arrivals=2)
    time.sleep(30)
    dark = datetime.now().astimezone()
    faults.power_off(site, "colo")
    switched = playbook("fail_over_to_cloud", seconds=900)
    assert switched.ok, switched.out[-5000:] + switched.err
    shopping = crowd.finish(site, buying.run, buying.process)
    _, ended = longest_pause(sold(shopping), dark)
    at_the_cloud = crowd.audit(site, shopping.journal, settle_seconds=5, auditor="cloud-was1")
    rto = (ended - dark).total_seconds()
    print(f"\nplaybook {switched.seconds:.1f} s; purchases again after {rto:.1f} s; missing {at_the_cloud['missing']}")
    assert at_the_cloud["sold_twice"] == 0

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo", seconds=900)
    assert back.ok, back.out[-5000:] + back.err
    print(f"return {back.seconds:.1f} s")
    eventually(lambda: roles(lab) == {MEMBER: ("Leader", "running")}, 60, "the colo's member is alone in the cluster")
    assert HOST not in {each.name for each in cloud.compute.servers()}
