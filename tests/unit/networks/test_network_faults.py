"""A wrong network is refused with a sentence; a right one passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from plugins.filter.networks import FilterModule, network_faults

KEYS = ["YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="]

RIGHT: dict[str, Any] = {
    "sites": {
        "colo": {"lan": "10.20.1.0/24", "public": "192.0.2.0/26"},
        "cloud": {"lan": "10.20.2.0/24", "public": "192.0.2.64/26"},
        "witness": {"public": "192.0.2.128/26"},
    },
    "management_networks": ["10.20.255.0/24"],
    "ssh_networks": ["10.20.255.0/24", "10.20.1.0/24"],
    "tunnel_network": "10.20.250.0/24",
    "tunnel_port": 51820,
    "tunnel_mtu": 1420,
    "gateways": [
        {
            "name": "colo-gw1",
            "site": "colo",
            "tunnel_address": "10.20.250.1",
            "endpoint": "192.0.2.2:51820",
            "public_key": KEYS[0],
        },
        {
            "name": "cloud-gw1",
            "site": "cloud",
            "tunnel_address": "10.20.250.2",
            "endpoint": "[2001:db8::2]:51820",
            "public_key": "",
        },
    ],
    "branches": [
        {"name": "theatre-17", "gateway": "colo-gw1", "public_key": KEYS[1], "allowed_networks": ["10.30.17.0/24"]},
    ],
}


def put(*path: Any) -> Change:
    """Return a change that puts the last argument at the place that the others spell."""
    *way, last, value = path

    def change(plan: dict[str, Any]) -> None:
        node: Any = plan
        for step in way:
            node = node[step]
        node[last] = value

    return change


def test_a_plan_that_can_work_has_no_faults() -> None:
    assert network_faults(RIGHT) == []


def test_the_filter_is_offered_under_its_name() -> None:
    assert FilterModule().filters()["network_faults"] is network_faults


Change = Callable[[dict[str, Any]], None]

WRONG: list[tuple[str, Change, str]] = [
    (
        "sites overlap",
        put("sites", "cloud", "lan", "10.20.1.128/25"),
        "site colo, network lan (10.20.1.0/24) overlaps site cloud, network lan (10.20.1.128/25); "
        "renumber one of them.",
    ),
    (
        "the tunnel overlaps a site",
        put("tunnel_network", "10.20.0.0/16"),
        "site colo, network lan (10.20.1.0/24) overlaps the tunnel network (10.20.0.0/16); renumber one of them.",
    ),
    (
        "a branch overlaps a site",
        put("branches", 0, "allowed_networks", ["10.20.2.0/25"]),
        "site cloud, network lan (10.20.2.0/24) overlaps branch theatre-17 (10.20.2.0/25); renumber one of them.",
    ),
    (
        "a branch takes the whole internet",
        put("branches", 0, "allowed_networks", ["0.0.0.0/0"]),
        "overlaps branch theatre-17 (0.0.0.0/0); renumber one of them.",
    ),
    (
        "host bits are set",
        put("sites", "colo", "lan", "10.20.1.7/24"),
        "site colo, network lan is '10.20.1.7/24', with host bits set; write 10.20.1.0/24.",
    ),
    (
        "a prefix is missing",
        put("sites", "colo", "lan", "10.20.1.0"),
        "site colo, network lan is '10.20.1.0', without a prefix length; write one such as 10.20.0.0/24.",
    ),
    (
        "a network is none",
        put("tunnel_network", "10.20.300.0/24"),
        "the tunnel network is '10.20.300.0/24', which is no network; write one such as 10.20.0.0/24.",
    ),
    (
        "a LAN is IPv6 and the tunnel IPv4",
        put("sites", "cloud", "lan", "2001:db8:2::/64"),
        "site cloud, network lan is 2001:db8:2::/64, IPv6, but the tunnel 10.20.250.0/24 carries IPv4; "
        "write both in the same version.",
    ),
    (
        "a branch is IPv6 and the tunnel IPv4",
        put("branches", 0, "allowed_networks", ["2001:db8:17::/64"]),
        "branch theatre-17 is 2001:db8:17::/64, IPv6, but the tunnel 10.20.250.0/24 carries IPv4; "
        "write both in the same version.",
    ),
    (
        "a tunnel address is IPv6 and the tunnel IPv4",
        put("gateways", 0, "tunnel_address", "2001:db8::1"),
        "gateway colo-gw1: its tunnel address 2001:db8::1 is IPv6 but the tunnel network 10.20.250.0/24 "
        "is IPv4; "
        "write both in the same version.",
    ),
    (
        "a tunnel address is outside the tunnel",
        put("gateways", 0, "tunnel_address", "10.20.251.1"),
        "gateway colo-gw1: its tunnel address 10.20.251.1 is outside 10.20.250.0/24; choose one inside.",
    ),
    (
        "a tunnel address is the network's",
        put("gateways", 0, "tunnel_address", "10.20.250.0"),
        "gateway colo-gw1: its tunnel address 10.20.250.0 is no host address of 10.20.250.0/24; choose another.",
    ),
    (
        "a tunnel address is none",
        put("gateways", 0, "tunnel_address", "first"),
        "gateway colo-gw1, tunnel address is 'first', which is no address; write one such as 10.20.0.1.",
    ),
    (
        "a tunnel address is given twice",
        put("gateways", 1, "tunnel_address", "10.20.250.1"),
        "the tunnel address 10.20.250.1 is given to 2 gateways; give each its own.",
    ),
    (
        "a gateway has no endpoint",
        put("gateways", 0, "endpoint", ""),
        "gateway colo-gw1 has no endpoint, so nobody can find it; set its public address:port.",
    ),
    (
        "an endpoint has no port",
        put("gateways", 0, "endpoint", "192.0.2.2"),
        "gateway colo-gw1: its endpoint is '192.0.2.2'; write address:port, IPv6 in brackets.",
    ),
    (
        "an endpoint is bare IPv6",
        put("gateways", 0, "endpoint", "2001:db8::2:51820"),
        "gateway colo-gw1: its endpoint is '2001:db8::2:51820'; write address:port, IPv6 in brackets.",
    ),
    (
        "an endpoint's port is out of range",
        put("gateways", 0, "endpoint", "192.0.2.2:70000"),
        "gateway colo-gw1: its endpoint '192.0.2.2:70000' has port '70000'; choose one from 1 to 65535.",
    ),
    (
        "the tunnel's port is out of range",
        put("tunnel_port", 0),
        "the tunnel's port is '0'; choose one from 1 to 65535 (51820 is usual).",
    ),
    (
        "the packet size is out of range",
        put("tunnel_mtu", 500),
        "the tunnel's MTU is '500'; choose the path's MTU less 80, from 1280 to 8920.",
    ),
    (
        "a gateway's site has no LAN",
        put("gateways", 1, "site", "witness"),
        "gateway cloud-gw1: its site 'witness' has no network 'lan'; add it to the site's networks.",
    ),
    (
        "two ends share a name",
        put("branches", 0, "name", "colo-gw1"),
        "the name 'colo-gw1' is used 2 times among gateways and branches; give each its own.",
    ),
    (
        "two ends share a public key",
        put("branches", 0, "public_key", KEYS[0]),
        f"the public key {KEYS[0]} belongs to colo-gw1 and theatre-17; make a key on each device.",
    ),
    (
        "a branch's key is truncated",
        put("branches", 0, "public_key", KEYS[1][:-4]),
        f"branch theatre-17: its public key is '{KEYS[1][:-4]}'; paste the 44 characters of 'wg pubkey' there.",
    ),
    (
        "a branch names a gateway that is none",
        put("branches", 0, "gateway", "colo-gw9"),
        "branch theatre-17 connects to 'colo-gw9', which is no gateway; name one of cloud-gw1, colo-gw1.",
    ),
    (
        "a branch announces nothing",
        put("branches", 0, "allowed_networks", []),
        "branch theatre-17 announces no network, so nothing is routed to it; list its networks.",
    ),
    (
        "nobody may use SSH",
        put("ssh_networks", []),
        "no network may use SSH, so the firewall would lock Ansible out; "
        "set base_ssh_networks to the networks that operators and runners come from.",
    ),
    (
        "management may not use SSH",
        put("ssh_networks", ["10.20.1.0/24"]),
        "the management network 10.20.255.0/24 is not among those that may use SSH, so the firewall "
        "would lock Ansible out; "
        "add it to base_ssh_networks.",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_plan_is_refused_with_a_sentence(change: Change, sentence: str) -> None:
    plan = copy.deepcopy(RIGHT)
    change(plan)

    faults = network_faults(plan)

    assert any(fault.endswith(sentence) for fault in faults), faults


def test_all_faults_are_told_at_once() -> None:
    plan = copy.deepcopy(RIGHT)
    put("sites", "colo", "lan", "10.20.1.7/24")(plan)
    put("tunnel_port", 99999)(plan)
    put("ssh_networks", [])(plan)

    assert len(network_faults(plan)) == 3


def test_an_empty_plan_is_refused_and_does_not_raise() -> None:
    assert network_faults({})
