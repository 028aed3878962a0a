"""The inventory follows the cloud, and does not believe its silence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import OPERATOR, Done, Lab, run

LIMIT_SECONDS = 5.0


def openstack(*words: str, seconds: float = 90) -> Done:
    """Run the plain client as the operator."""
    env = os.environ | {"OS_CLIENT_CONFIG_FILE": str(OPERATOR / "clouds.yaml"), "OS_CLOUD": "lab"}
    return run(["openstack", *words], seconds, env)


@pytest.fixture
def server() -> Iterator[str]:
    name = "acceptance-was"
    openstack("server", "delete", "--wait", name)
    made = openstack(
        "server", "create", "--wait", "--image", "debian-13", "--flavor", "was.small",
        "--network", "understudy-lan", "--network", "management",
        "--property", "understudy_function=was", "--property", "burst=true", name,
    )  # fmt: skip
    assert made.ok, made.err
    yield name
    openstack("server", "delete", "--wait", name)


def test_a_server_made_with_the_plain_client_joins_its_groups_and_leaves_them(lab: Lab, server: str) -> None:
    with_it = lab.inventory()
    assert server in with_it["was"]["hosts"]
    assert server in with_it["cloud"]["hosts"]
    facts = with_it["_meta"]["hostvars"][server]
    assert facts["two_sites_burst"] is True
    assert facts["two_sites_stale"] is False

    assert openstack("server", "delete", "--wait", server).ok

    without = lab.inventory()
    assert server not in without["_meta"]["hostvars"]
    assert server not in without["was"]["hosts"]


def test_a_hanging_api_costs_the_time_limit_and_no_host(lab: Lab) -> None:
    before = run(["ansible-inventory", "--list"])
    hosts = json.loads(before.out)["_meta"]["hostvars"]

    lab("cloud-api", "hang")
    during = run(["ansible-inventory", "--list"])
    stale = json.loads(during.out)["_meta"]["hostvars"]

    assert during.ok, during.err
    assert during.seconds - before.seconds <= LIMIT_SECONDS + 1
    assert set(stale) == set(hosts)
    cloud = {name: facts for name, facts in stale.items() if facts["two_sites_site"] == "cloud"}
    assert cloud
    assert all(facts["two_sites_stale"] for facts in cloud.values())
    assert all(facts["two_sites_snapshot_age_seconds"] >= 1 for facts in cloud.values())
    assert not any(facts["two_sites_stale"] for name, facts in stale.items() if name not in cloud)
    assert "lab" in during.err


def test_a_refusing_api_is_served_from_the_last_good_list_at_once(lab: Lab) -> None:
    hosts = lab.inventory()["_meta"]["hostvars"]
    lab("cloud-api", "down")
    during = run(["ansible-inventory", "--list"])
    assert during.ok, during.err
    assert set(json.loads(during.out)["_meta"]["hostvars"]) == set(hosts)
    assert "refused" in during.err.lower()


def test_the_api_is_back_when_it_is_said_to_be(lab: Lab) -> None:
    lab("cloud-api", "hang")
    lab("cloud-api", "up")
    hosts = lab.inventory()["_meta"]["hostvars"]
    assert not any(facts["two_sites_stale"] for facts in hosts.values())


def test_an_operator_without_the_clouds_password_is_told_so(tmp_path: Path) -> None:
    env = os.environ | {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "missing.yaml")}
    source = Path("inventories/lab/two_sites.yml").read_text(encoding="utf-8")
    copy = tmp_path / "two_sites.yml"
    (tmp_path / "fixed_hosts.yml").write_text(
        Path("inventories/lab/fixed_hosts.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    copy.write_text(source.replace(str(OPERATOR / "clouds.yaml"), str(tmp_path / "missing.yaml")), encoding="utf-8")
    done = run(["ansible-inventory", "-i", str(copy), "--list"], env=env)
    assert not done.ok
    assert "missing.yaml" in done.err
