"""Loaded files of a small lab, as the topology reads them; each test changes a copy."""

from __future__ import annotations

import copy
from typing import Any

FACTS: dict[str, Any] = {
    "supernet": "10.210.0.0/16",
    "management": {"network": "10.210.255.0/24", "operator": "10.210.255.1", "cloud": "10.210.255.2"},
    "molecule": {"network": "10.210.254.0/24"},
    "tunnel": {"network": "10.210.250.0/24"},
    "cloud": {
        "site": "cloud",
        "api": "10.210.102.10",
        "public_hosts": {"cloud-gw1": {"address": "10.210.102.2", "functions": ["gateway", "edge"]}},
    },
    "customers": {
        "networks": {"public": "10.210.104.0/24"},
        "hosts": {"crowd1": {"addresses": {"public": "10.210.104.2", "management": "10.210.255.17"}}},
    },
    "flows": [
        {
            "name": "tunnel",
            "protocol": "udp",
            "ports": [51820],
            "sources": ["gateway"],
            "targets": ["gateway"],
        },
        {
            "name": "api",
            "protocol": "tcp",
            "ports": [5000],
            "sources": ["anywhere"],
            "targets": ["cloud_api"],
        },
    ],
}
SITES: dict[str, Any] = {
    "sites": {
        "colo": {"networks": {"lan": "10.210.1.0/24", "public": "10.210.101.0/24"}},
        "cloud": {"networks": {"lan": "10.210.2.0/24", "public": "10.210.102.0/24"}},
    }
}
FIXED: dict[str, Any] = {
    "hosts": {
        "colo-gw1": {
            "addresses": {"lan": "10.210.1.2", "public": "10.210.101.2", "management": "10.210.255.11"},
            "functions": ["gateway", "edge"],
        },
        "colo-was1": {
            "addresses": {"lan": "10.210.1.11", "management": "10.210.255.12"},
            "functions": ["was"],
        },
    }
}


def files() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return fresh copies of the three files."""
    return copy.deepcopy(FACTS), copy.deepcopy(SITES), copy.deepcopy(FIXED)
