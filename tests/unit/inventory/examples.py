"""The inventory that the tests change, one thing at a time."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.two_sites.configuration import Configuration, read_configuration
from plugins.plugin_utils.two_sites.entries import Entry
from plugins.plugin_utils.two_sites.fixed_hosts import read_fixed_hosts
from plugins.plugin_utils.two_sites.merge import Answer, Host, Inventory, merge
from plugins.plugin_utils.two_sites.networks import read_address
from plugins.plugin_utils.two_sites.servers import Server, Snapshot

NOW = 1_764_000_000.0


def configuration_data(**changes: Any) -> dict[str, Any]:
    """Give the data of a good two_sites.yml, with changes; None takes a key out."""
    data = {
        "plugin": "two_sites",
        "sites": {
            "colo": {"networks": {"lan": "10.210.1.0/24", "public": "10.210.101.0/24"}},
            "cloud": {"networks": {"lan": "10.210.2.0/24", "public": "10.210.102.0/24", "lan6": "fd00:2::/64"}},
            "witness": {"networks": {"public": "10.210.103.0/24"}},
        },
        "management_networks": ["10.210.255.0/24"],
        "functions": ["gateway", "edge", "was", "database"],
        "clouds": [{"name": "lab", "site": "cloud"}, {"name": "other", "site": "cloud"}],
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def configuration(**changes: Any) -> Configuration:
    return read_configuration("two_sites.yml", configuration_data(**changes))


def fixed(addresses: dict[str, str], functions: tuple[str, ...] = ("was",), **more: Any) -> dict[str, Any]:
    return {"addresses": addresses, "functions": list(functions), **more}


def server(name: str = "cloud-was1", *addresses: str, function: str | None = "was", **changes: Any) -> Server:
    facts: dict[str, Any] = {
        "id": f"id-of-{name}",
        "name": name,
        "status": "ACTIVE",
        "addresses": tuple(read_address(Entry("test", "address", each)) for each in addresses),
        "metadata": {"understudy_function": function} if function is not None else {},
        "flavor": "was.small",
        "image": "image-1",
        "created": "2025-11-24T10:11:12Z",
        "availability_zone": "nova",
        **changes,
    }
    return Server(**facts)


def answer(*servers: Server, cloud: str = "lab", stale: bool = False, age: int = 0) -> Answer:
    asked = next(each for each in configuration().clouds if each.name == cloud)
    return Answer(asked, Snapshot(cloud, "identity", int(NOW) - age, servers), stale)


def merged(hosts: dict[str, Any] | None = None, *answers: Answer, **changes: Any) -> Inventory:
    settings = configuration(**changes)
    written = read_fixed_hosts("fixed_hosts.yml", {"hosts": hosts or {}}, settings.functions)
    return merge(settings, written, answers, NOW)


def by_name(inventory: Inventory) -> dict[str, Host]:
    return {host.name: host for host in inventory.hosts}
