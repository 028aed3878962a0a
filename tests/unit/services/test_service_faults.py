"""Which plans of the service are refused, and with which sentence."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.services import secret_faults, service_faults

PLAN: dict[str, Any] = {
    "edge": ["colo-gw1"],
    "was": ["colo-was1"],
    "dns": ["witness1", "cloud-gw1"],
    "database": ["colo-db1"],
    "consensus": {"colo-gw1": "colo", "cloud-gw1": "cloud", "witness1": "witness"},
    "database_external": False,
    "database_external_servers": [],
    "data_tier": "archive",
}
SERVERS = [{"name": "db", "address": "10.0.0.5"}]
ELSEWHERE = {"database": [], "database_external": True, "database_external_servers": SERVERS}


def test_a_plan_that_can_work_has_no_fault() -> None:
    assert service_faults(PLAN) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"edge": []}, "nothing lets customers in"),
        ({"was": []}, "nothing runs the application"),
        ({"dns": []}, "could not be moved between edges"),
        ({"database": []}, "No host has the function 'database'"),
        ({"consensus": {"a": "colo", "b": "cloud"}}, "2 hosts have the function 'consensus' (a, b)"),
        ({"consensus": {"a": "colo", "b": "colo", "c": "cloud"}}, "2 of 3 consensus members are at site colo"),
        (ELSEWHERE | {"database_external_servers": []}, "database_external_servers is empty"),
        (ELSEWHERE | {"database": ["colo-db1"]}, "the function 'database' to colo-db1; hosts that others run"),
        (ELSEWHERE | {"data_tier": "standby"}, "data_tier is standby, but database_external is true"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(change: dict[str, Any], says: str) -> None:
    faults = service_faults(PLAN | change)
    assert len(faults) == 1
    assert says in faults[0]


def test_the_service_tier_works_beside_a_database_of_others() -> None:
    assert service_faults(PLAN | ELSEWHERE | {"consensus": {}}) == []


@pytest.mark.parametrize("tier", ["standby", "synchronous"])
def test_a_member_in_the_cloud_is_part_of_a_database_of_this_project(tier: str) -> None:
    assert service_faults(PLAN | {"data_tier": tier}) == []


def test_secrets_are_judged_by_name_and_never_shown() -> None:
    faults = secret_faults({"a": "CHANGE-ME", "b": "", "c": "short-secret", "d": "x" * 32})
    assert [fault.split()[0] for fault in faults] == ["a", "b", "c"]
    assert "short-secret" not in " ".join(faults)
