"""Declared servers become what Nova and Neutron take."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils import cloud_servers

GATEWAY: dict[str, Any] = {
    "name": "cloud-gw1",
    "functions": ["gateway", "edge"],
    "security_groups": ["inside"],
    "interfaces": [
        {"network": "lan", "address": "10.0.0.2", "forwards_for": ["10.1.0.0/24"]},
        {"network": "management", "forwards_for": []},
        {"network": "public", "address": "192.0.2.2"},
    ],
}


def test_a_forwarding_interface_gets_a_port_of_its_own() -> None:
    assert cloud_servers.gateway_ports([GATEWAY]) == [
        {
            "name": "cloud-gw1-lan",
            "network": "lan",
            "address": "10.0.0.2",
            "security_groups": ["inside"],
            "allowed_address_pairs": [{"ip_address": "10.1.0.0/24"}],
        }
    ]


def test_a_forwarding_interface_without_address_is_refused_with_its_name() -> None:
    server = GATEWAY | {"interfaces": [{"network": "lan", "forwards_for": ["10.1.0.0/24"]}]}
    with pytest.raises(
        ValueError, match=r"cloud-gw1: the interface in lan forwards for 10\.1\.0\.0/24 but has no address"
    ):
        cloud_servers.gateway_ports([server])


def test_only_missing_or_different_ports_are_changed() -> None:
    same = {
        "name": "cloud-gw1-lan",
        "allowed_address_pairs": [{"ip_address": "10.1.0.0/24", "mac_address": "fa:16:3e:00:00:01"}],
    }
    other = {"name": "cloud-gw1-lan", "allowed_address_pairs": [{"ip_address": "10.9.0.0/24"}]}
    assert cloud_servers.ports_to_change([GATEWAY], [same]) == []
    assert len(cloud_servers.ports_to_change([GATEWAY], [other])) == 1
    assert len(cloud_servers.ports_to_change([GATEWAY], [])) == 1


def test_nics_keep_the_declared_order() -> None:
    assert cloud_servers.server_nics(GATEWAY) == [
        {"port-name": "cloud-gw1-lan"},
        {"net-name": "management"},
        {"net-name": "public", "v4-fixed-ip": "192.0.2.2"},
    ]


def test_metadata_carries_functions_and_burst() -> None:
    assert cloud_servers.server_metadata(GATEWAY) == {"understudy_function": "gateway,edge"}
    assert cloud_servers.server_metadata(GATEWAY | {"burst": True})["burst"] == "true"


def test_functions_that_do_not_fit_into_metadata_are_refused() -> None:
    server = GATEWAY | {"functions": ["f" * 100, "g" * 100, "h" * 100]}
    with pytest.raises(ValueError, match="take 302 characters; metadata holds 255"):
        cloud_servers.server_metadata(server)


def test_rules_open_egress_and_one_ingress_rule_per_source() -> None:
    rules = cloud_servers.security_group_rules(
        [
            {"protocol": "tcp", "port": 22, "sources": ["10.0.0.0/24", "2001:db8::/64"]},
            {"protocol": "any", "sources": ["10.1.0.0/24"]},
        ]
    )
    assert [rule["direction"] for rule in rules] == ["egress", "egress", "ingress", "ingress", "ingress"]
    assert rules[2]["port_range_min"] == rules[2]["port_range_max"] == 22
    assert rules[3]["ether_type"] == "IPv6"
    assert "protocol" not in rules[4]


def test_a_certificate_made_beforehand_names_the_server_its_declared_addresses_and_what_all_share() -> None:
    assert cloud_servers.certificate_names([GATEWAY], ["localhost"]) == [
        {"name": "cloud-gw1", "names": ["cloud-gw1", "10.0.0.2", "192.0.2.2", "localhost"]}
    ]
