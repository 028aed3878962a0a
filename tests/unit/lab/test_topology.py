from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from lab import topology
from lab.errors import LabError, UnknownNameError
from tests.unit.lab.examples import files

if TYPE_CHECKING:
    from pathlib import Path


def test_the_labs_own_files_describe_three_sites_and_the_customers() -> None:
    found = topology.load()

    assert found.sites == ("colo", "cloud", "witness", "customers")
    assert [host.name for host in found.hosts_of("witness")] == ["witness1"]
    assert {host.name for host in found.hosts} == {
        "colo-gw1", "colo-was1", "colo-was2", "colo-db1", "colo-ops1", "witness1", "crowd1",
    }  # fmt: skip


def test_a_host_belongs_to_the_site_whose_network_holds_its_address() -> None:
    found = topology.build(*files())

    assert {host.name: host.site for host in found.hosts} == {
        "colo-gw1": "colo", "colo-was1": "colo", "crowd1": "customers",
    }  # fmt: skip


def test_only_public_networks_have_a_router_of_the_internet() -> None:
    found = topology.build(*files())

    assert found.segment("colo", "public").router == IPv4Address("10.210.101.1")
    assert found.segment("colo", "lan").router is None


def test_an_unknown_host_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="no host 'mars1' in the lab; it has colo-gw1, colo-was1, crowd1"):
        topology.build(*files()).host("mars1")


def refusal(facts: object, sites: object, fixed: object) -> str:
    with pytest.raises(LabError) as caught:
        topology.build(facts, sites, fixed)  # type: ignore[arg-type]  # what yaml.safe_load returns
    return str(caught.value)


def test_overlapping_networks_are_refused_with_both_names() -> None:
    facts, sites, fixed = files()
    facts["tunnel"]["network"] = "10.210.1.128/25"

    assert refusal(facts, sites, fixed) == (
        "The networks colo lan (10.210.1.0/24) and tunnel (10.210.1.128/25) overlap; give one another range."
    )


def test_a_network_outside_the_supernet_is_refused() -> None:
    facts, sites, fixed = files()
    sites["sites"]["cloud"]["networks"]["lan"] = "10.9.2.0/24"

    assert "The network cloud lan (10.9.2.0/24) is outside the lab's 10.210.0.0/16" in refusal(facts, sites, fixed)


def test_a_network_with_host_bits_is_refused_with_its_value() -> None:
    facts, sites, fixed = files()
    sites["sites"]["colo"]["networks"]["lan"] = "10.210.1.7/24"

    assert "10.210.1.7/24 has host bits set" in refusal(facts, sites, fixed)


def test_an_address_used_twice_is_refused_with_both_owners() -> None:
    facts, sites, fixed = files()
    fixed["hosts"]["colo-was1"]["addresses"]["management"] = "10.210.255.11"

    assert refusal(facts, sites, fixed) == (
        "colo-was1 and colo-gw1 both have the address 10.210.255.11; give one of them another."
    )


def test_a_host_on_a_routers_address_is_refused() -> None:
    facts, sites, fixed = files()
    fixed["hosts"]["colo-gw1"]["addresses"]["public"] = "10.210.101.1"

    assert "colo-gw1 and the router of colo both have the address 10.210.101.1" in refusal(facts, sites, fixed)


def test_a_host_in_no_site_is_refused() -> None:
    facts, sites, fixed = files()
    fixed["hosts"]["colo-was1"]["addresses"]["lan"] = "10.210.77.11"

    assert "host colo-was1 (lan 10.210.77.11, management 10.210.255.12) lies in no site" in refusal(facts, sites, fixed)


def test_a_host_with_a_leg_in_another_site_is_refused() -> None:
    facts, sites, fixed = files()
    fixed["hosts"]["colo-gw1"]["addresses"]["public"] = "10.210.102.7"

    assert "host colo-gw1" in refusal(facts, sites, fixed)
    assert "lies in several sites" in refusal(facts, sites, fixed)


def test_a_host_without_a_management_address_is_refused() -> None:
    facts, sites, fixed = files()
    del fixed["hosts"]["colo-was1"]["addresses"]["management"]

    assert "colo-was1 needs a management address in 10.210.255.0/24" in refusal(facts, sites, fixed)


def test_a_name_too_long_for_a_link_is_refused() -> None:
    facts, sites, fixed = files()
    fixed["hosts"]["colo-database1"] = fixed["hosts"].pop("colo-was1")

    assert "'colo-database1' is longer than 11 characters" in refusal(facts, sites, fixed)


def test_a_flow_to_an_unknown_end_is_refused_with_the_known_ends() -> None:
    facts, sites, fixed = files()
    facts["flows"][0]["targets"] = ["gatevay"]

    assert refusal(facts, sites, fixed) == (
        "The flow 'tunnel' names 'gatevay'; an end is one of anywhere, cloud_api, edge, gateway, was."
    )


def test_a_missing_key_is_named() -> None:
    facts, sites, fixed = files()
    del facts["cloud"]["api"]

    assert "The key 'api' is missing" in refusal(facts, sites, fixed)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"topology\.yml cannot be read"):
        topology.load(tmp_path)
