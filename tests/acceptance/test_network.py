"""Between the sites only what production allows passes; everything else needs the tunnel."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Lab, eventually, run

DATABASE = 5432
FENCE = ["ansible-playbook", "--limit", "colo-gw1"]
COLO_DB_LAN, COLO_GW_PUBLIC, CLOUD_GW_PUBLIC, CLOUD_WAS_LAN = (
    "10.210.1.21",
    "10.210.101.2",
    "10.210.102.2",
    "10.210.2.11",
)


def test_hosts_of_both_sites_reach_each_other_through_the_tunnel(lab: Lab) -> None:
    assert lab.pings("colo-was1", CLOUD_WAS_LAN)
    assert lab.pings("cloud-was1", COLO_DB_LAN)
    assert lab.pings("colo-ops1", "10.210.2.31")


def test_database_traffic_dies_with_the_tunnel(lab: Lab) -> None:
    lab.listen("colo-db1", DATABASE)
    assert lab.reaches("cloud-was1", COLO_DB_LAN, DATABASE)
    assert lab.reaches("colo-was1", COLO_DB_LAN, DATABASE)

    assert run([*FENCE, "playbooks/fence_vpn.yml", "-e", "vpn_fence_reason=acceptance"], 120).ok
    try:
        assert not lab.reaches("cloud-was1", COLO_DB_LAN, DATABASE), "database traffic found a way beside the tunnel"
        assert lab.reaches("colo-was1", COLO_DB_LAN, DATABASE), "the site itself must not notice"
    finally:
        assert run([*FENCE, "playbooks/unfence_vpn.yml"], 120).ok
    eventually(lambda: lab.reaches("cloud-was1", COLO_DB_LAN, DATABASE), 15, "database traffic back with the tunnel")


def test_the_internet_drops_database_traffic_between_public_addresses(lab: Lab) -> None:
    lab.listen("colo-gw1", DATABASE)
    assert lab.reaches("colo-gw1", COLO_GW_PUBLIC, DATABASE), "the listener itself works"
    for outsider in ("cloud-gw1", "witness1", "crowd1"):
        assert not lab.reaches(outsider, COLO_GW_PUBLIC, DATABASE), outsider


@pytest.mark.parametrize("outsider", ["crowd1", "witness1", "cloud-gw1"])
def test_customers_ports_pass(lab: Lab, outsider: str) -> None:
    lab.listen("colo-gw1", 443)
    assert lab.reaches(outsider, COLO_GW_PUBLIC, 443)


def test_lan_addresses_are_unknown_to_the_internet(lab: Lab) -> None:
    for address in (COLO_DB_LAN, CLOUD_WAS_LAN):
        assert not lab.pings("crowd1", address)
        assert not lab.pings("witness1", address)


def test_the_clouds_api_and_object_storage_are_public(lab: Lab) -> None:
    for host in ("colo-gw1", "witness1", "colo-ops1", "cloud-ops1"):
        for port in (5000, 8080):
            done = lab.on(host, f"timeout 5 bash -c '</dev/tcp/10.210.102.10/{port}'")
            assert done.ok, f"{host} does not reach the cloud's port {port}"
    assert not lab.on("witness1", "timeout 3 bash -c '</dev/tcp/10.210.102.10/3306'").ok


def test_a_site_without_its_tunnel_does_not_speak_to_the_other_in_clear(lab: Lab) -> None:
    route = lab.on("colo-gw1", f"ip route get {CLOUD_WAS_LAN}").out
    assert "wg" in route, route
