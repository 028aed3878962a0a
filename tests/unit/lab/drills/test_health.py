"""What makes a lab unfit for a drill."""

from __future__ import annotations

from typing import Any

import pytest

from lab.drills import damage, health
from lab.errors import LabError

LEADS = {"colo-db1": {"Role": "Leader", "State": "running"}}
FOLLOWS = LEADS | {"cloud-db1": {"Role": "Replica", "State": "streaming"}}
CONFIRMS = LEADS | {"cloud-db1": {"Role": "Sync Standby", "State": "streaming"}}
SHOWN = "cloud-burst1 drained requests=0 check=-\ncloud-was1 up x\ncolo-was1 up x\ncolo-was2 down x\n"


@pytest.mark.parametrize(("members", "tier"), [(LEADS, "archive"), (FOLLOWS, "standby"), (CONFIRMS, "synchronous")])
def test_the_members_show_the_tier(members: health.Members, tier: str) -> None:
    assert health.tier(members) == tier


@pytest.mark.parametrize(("members", "in_the_cloud"), [(LEADS, False), (FOLLOWS, True), (CONFIRMS, True)])
def test_a_colo_that_leads_and_a_cloud_that_follows_are_well(members: health.Members, *, in_the_cloud: bool) -> None:
    assert health.database_faults(members, in_the_cloud=in_the_cloud) == []


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (FOLLOWS | {"colo-db1": {"Role": "Replica", "State": "streaming"}}, "colo-db1 is Replica (streaming)"),
        ({"cloud-db1": FOLLOWS["cloud-db1"]}, "colo-db1 is no member (unknown)"),
        (LEADS, "cloud-db1 is no member"),
        (FOLLOWS | {"cloud-db1": {"Role": "Replica", "State": "starting"}}, "cloud-db1 is starting"),
    ],
)
def test_each_member_that_is_not_well_is_told(members: dict[str, Any], sentence: str) -> None:
    told = health.database_faults(members, in_the_cloud=True)
    assert len(told) == 1
    assert told[0].startswith(sentence)


@pytest.mark.parametrize(
    ("members", "name"),
    [(LEADS, "colo-db1"), ({"cloud-db1": {"Role": "Leader", "State": "running"}}, "cloud-db1"), ({}, ""),
     ({"colo-db1": {"Role": "Leader", "State": "stopped"}}, "")],
)  # fmt: skip
def test_the_leader_is_who_leads_and_runs(members: health.Members, name: str) -> None:
    assert health.leader(members) == name


def test_a_standing_server_that_gets_no_customers_is_told() -> None:
    assert health.edge_faults("colo-gw1", SHOWN) == ["colo-gw1 sees colo-was2 down."]
    assert health.edge_faults("colo-gw1", SHOWN.replace("down", "up")) == []
    assert len(health.edge_faults("colo-gw1", "")) == len(health.SERVERS)


def test_the_largest_object_of_data_is_damaged() -> None:
    listed: dict[str, dict[str, Any]] = {
        "backup.manifest": {"type": "file", "size": 900},
        "pg_data": {"type": "path"},
        "pg_data/base/1.lz4": {"type": "file", "size": 20},
        "pg_data/base/2.lz4": {"type": "file", "size": 80},
    }
    assert damage.largest(listed) == "pg_data/base/2.lz4"
    assert damage.largest({"bundle/1": {"type": "file", "size": 9}}) == "bundle/1"


def test_a_backup_without_data_cannot_be_damaged() -> None:
    with pytest.raises(LabError, match="take one first"):
        damage.largest({"backup.manifest": {"type": "file", "size": 9}})


def test_tier_archive_leaves_no_database_in_the_cloud() -> None:
    assert health.archive_faults({"cloud-was1": {}}) == []
    assert "cloud-db1 is still there" in health.archive_faults({"cloud-was1": {}, "cloud-db1": {}})[0]
