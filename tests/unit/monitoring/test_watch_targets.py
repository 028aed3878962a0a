"""What is watched from where, from what hosts say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.monitoring import watch_targets

PORTS = {"node": 9100, "edge": 8404, "was": 8080, "postgres": 9187, "patroni": 8008, "etcd": 2379, "runner": 8700}
GATEWAY = {
    "name": "cloud-gw1",
    "site": "cloud",
    "functions": ["gateway", "edge", "consensus", "dns"],
    "addresses": {"lan": "10.20.2.2", "public": "198.51.100.2", "management": "10.99.0.2"},
}
WITNESS = {
    "name": "witness1",
    "site": "witness",
    "functions": ["observer", "consensus", "dns"],
    "addresses": {"public": "203.0.113.2", "management": "10.99.0.3"},
}
DATABASE = {"name": "colo-db1", "site": "colo", "functions": ["database"], "addresses": {"lan": "10.20.1.21"}}
OPS = {"name": "colo-ops1", "site": "colo", "functions": ["ops"], "addresses": {"lan": "10.20.1.31"}}


def seen(card: dict[str, Any], site: str = "colo", **ports: int) -> dict[str, tuple[str, str]]:
    found = watch_targets([card], site, ports or PORTS)
    return {target["job"]: (target["address"], target["way"]) for target in found}


def test_the_members_of_the_lease_are_asked_past_the_tunnel_at_other_sites_and_over_the_lan_at_the_own() -> None:
    assert seen(GATEWAY, "colo")["etcd"] == ("198.51.100.2:2379", "public")
    assert seen(GATEWAY, "cloud")["etcd"] == ("10.20.2.2:2379", "lan")


def test_an_edge_is_asked_for_its_figures_inside_and_met_as_a_customer_outside() -> None:
    found = seen(GATEWAY)
    assert found["edge"] == ("10.20.2.2:8404", "lan")
    assert found["probe_edge"] == ("https://198.51.100.2/healthz", "public")
    assert found["probe_name_server"] == ("198.51.100.2:53", "public")


def test_a_host_without_a_lan_is_asked_over_tls_at_its_public_address() -> None:
    node = next(target for target in watch_targets([WITNESS], "colo", PORTS) if target["job"] == "node")
    assert (node["address"], node["way"], node["tls"]) == ("203.0.113.2:9100", "public", True)


def test_what_has_no_port_is_not_watched() -> None:
    assert set(seen(DATABASE, node=9100)) == {"node"}
    assert set(seen(DATABASE)) == {"node", "postgres", "patroni"}
    assert set(seen(OPS, node=9100)) == {"node"}
    assert seen(OPS)["probe_runner"] == ("https://10.20.1.31:8700/readyz", "lan")


def test_management_addresses_are_never_used() -> None:
    found = watch_targets([GATEWAY, WITNESS, DATABASE, OPS], "colo", PORTS)
    assert not [target for target in found if "10.99." in target["address"]]


def test_hosts_come_in_the_order_of_their_names() -> None:
    names = [target["name"] for target in watch_targets([WITNESS, OPS, DATABASE], "colo", PORTS)]
    assert names == sorted(names)


def test_places_of_burst_servers_are_watched_whether_there_is_one_or_not() -> None:
    place = {"name": "cloud-burst1", "address": "10.20.2.51", "site": "cloud"}
    there = {"name": "cloud-burst1", "site": "cloud", "functions": ["was"], "addresses": {"lan": "10.20.2.51"}}
    empty, taken = watch_targets([], "colo", PORTS, [place]), watch_targets([there], "colo", PORTS, [place])
    expected = {"job": "was", "name": "cloud-burst1", "address": "10.20.2.51:8080", "site": "cloud", "way": "lan"}
    assert empty == taken == [expected | {"optional": True}]


def test_an_address_of_ip_version_6_gets_brackets() -> None:
    assert seen({**OPS, "addresses": {"lan": "fd00::31"}})["node"] == ("[fd00::31]:9100", "lan")


def test_a_host_that_nothing_can_reach_is_named() -> None:
    with pytest.raises(ValueError, match="colo-ops1 has no address"):
        watch_targets([{**OPS, "addresses": {"management": "10.99.0.4"}}], "colo", PORTS)
