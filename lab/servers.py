"""Tell the addresses of the cloud's servers without asking its API, which may be broken on purpose."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from lab.cloud_layout import Layout
from lab.topology import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.paths import Paths
    from lab.topology import Topology

_NOVA = "{http://openstack.org/xmlns/libvirt/nova/1.1}"


def addresses(topology: Topology, paths: Paths) -> dict[str, dict[str, str]]:
    """Return each server's addresses by network, as Nova wrote them into its definition."""
    directory = Layout(paths).domains
    return parse(topology, (path.read_text() for path in sorted(directory.glob("instance-*.xml"))))


def parse(topology: Topology, definitions: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return each server's addresses by network from libvirt's XML definitions (pure)."""
    found = {}
    for text in definitions:
        instance = ET.fromstring(text).find(f".//{_NOVA}instance")  # noqa: S314 - written by the lab's own libvirt
        if instance is not None:
            name = instance.findtext(f"{_NOVA}name", "")
            texts = [each.get("address", "") for each in instance.iter(f"{_NOVA}ip") if each.get("ipVersion") == "4"]
            found[name] = {_network(topology, IPv4Address(each)): each for each in texts}
    return found


def _network(topology: Topology, address: IPv4Address) -> str:
    if address in topology.management:
        return MANAGEMENT
    return next((each.network for each in topology.segments if address in each.prefix), "elsewhere")
