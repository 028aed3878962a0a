"""Firewall entries become the nftables rules that they mean."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.firewall import FilterModule, nftables_rules

CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("an entry without conditions matches everything", {"name": "all"}, ['accept comment "all"']),
    (
        "a service is its protocol and ports",
        {"name": "web", "protocol": "tcp", "ports": [80, 443]},
        ['tcp dport { 80, 443 } accept comment "web"'],
    ),
    (
        "a protocol without ports is all of it",
        {"name": "udp", "protocol": "udp"},
        ['meta l4proto 17 accept comment "udp"'],
    ),
    (
        "sources of both IP versions become two rules",
        {"name": "dns", "protocol": "udp", "ports": [53], "sources": ["10.0.0.0/8", "2001:db8::/32"]},
        [
            'ip saddr { 10.0.0.0/8 } udp dport { 53 } accept comment "dns"',
            'ip6 saddr { 2001:db8::/32 } udp dport { 53 } accept comment "dns"',
        ],
    ),
    (
        "a source and a destination of different IP versions never meet",
        {"name": "x", "sources": ["10.0.0.0/8"], "destinations": ["2001:db8::/32"]},
        [],
    ),
    (
        "interfaces narrow an entry",
        {"name": "site to site", "in_interface": "wg0", "out_interface": "lan0"},
        ['iifname "wg0" oifname "lan0" accept comment "site to site"'],
    ),
    (
        "exceptions are left out of the destinations",
        {"name": "out", "sources": ["10.1.0.0/16"], "except_destinations": ["10.2.0.0/16", "10.3.0.0/16"]},
        ['ip saddr { 10.1.0.0/16 } ip daddr != { 10.2.0.0/15 } accept comment "out"'],
    ),
    (
        "networks that contain one another are merged",
        {"name": "x", "sources": ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"]},
        ['ip saddr { 10.0.0.0/8 } accept comment "x"'],
    ),
    ("a quote in a name does not end the comment", {"name": 'the "big" one'}, ["accept comment \"the 'big' one\""]),
]


@pytest.mark.parametrize(("entry", "rules"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_entry_becomes_its_rules(entry: dict[str, Any], rules: list[str]) -> None:
    assert nftables_rules([entry], "accept") == rules


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="10\\.0\\.0\\.300"):
        nftables_rules([{"name": "x", "sources": ["10.0.0.300"]}], "accept")


def test_rules_keep_the_order_of_the_entries() -> None:
    assert nftables_rules([{"name": "b"}, {"name": "a"}], "drop") == ['drop comment "b"', 'drop comment "a"']


def test_the_filter_is_offered_under_its_name() -> None:
    assert FilterModule().filters()["nftables_rules"] is nftables_rules
