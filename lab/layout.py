"""Decide which namespaces, switches, wires and routes make up a topology (pure)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from typing import TYPE_CHECKING

from lab.topology import MANAGEMENT, PUBLIC

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from lab.topology import Host, Topology

# Every namespace, link, table and control group of the lab starts with this, and nothing else does.
PREFIX = "us-"
WAN = f"{PREFIX}wan"
CLOUD = f"{PREFIX}cloud"
MANAGEMENT_SWITCH = f"{PREFIX}mgmt"

_DEFAULT = IPv4Network("0.0.0.0/0")
_INTERFACES = {"lan": "lan0", PUBLIC: "wan0", MANAGEMENT: "mgmt0"}


@dataclass(frozen=True)
class Switch:
    """Describe a bridge; `namespace` None is the operator's own, an address makes it a router's leg."""

    namespace: str | None
    name: str
    address: IPv4Interface | None


@dataclass(frozen=True)
class Wire:
    """Describe a cable from an interface in a namespace to a port of a switch."""

    interface: str
    address: IPv4Interface | None
    switch: Switch
    port: str
    isolated: bool

    @property
    def hardware_address(self) -> str:
        """Return the interface's own address on the switch: the same after every loss of power."""
        digest = hashlib.sha256(f"{self.port} {self.interface}".encode()).digest()
        return ":".join(["02", *(f"{octet:02x}" for octet in digest[:5])])


@dataclass(frozen=True)
class Route:
    """Describe one route of a namespace (None: the operator's own)."""

    target: IPv4Network
    via: IPv4Address


@dataclass(frozen=True)
class Node:
    """Describe a namespace with its wires, routes and the settings it starts with."""

    namespace: str
    wires: tuple[Wire, ...]
    routes: tuple[Route, ...]
    settings: tuple[str, ...] = ("net.ipv4.ip_forward=0",)


def management_switch(topology: Topology) -> Switch:
    """Return the switch between the operator and the hosts."""
    address = IPv4Interface(f"{topology.operator}/{topology.management.prefixlen}")
    return Switch(None, MANAGEMENT_SWITCH, address)


def wan_switches(topology: Topology) -> tuple[Switch, ...]:
    """Return the switches of the internet's namespace; the LAN behind the cloud is OpenStack's own."""
    return tuple(
        Switch(WAN, each.switch, IPv4Interface(f"{each.router}/{each.prefix.prefixlen}") if each.router else None)
        for each in topology.segments
        if each.router is not None or each.site != topology.cloud_site
    )


def host_node(topology: Topology, host: Host) -> Node:
    """Return the namespace of a podman host."""
    routes = (
        Route(topology.supernet, _uplink(topology, host)),
        Route(_DEFAULT, topology.operator),
    )
    wires = [_management_wire(topology, "mgmt0", host.management, namespace_name(host.name))]
    switches = {switch.name: switch for switch in wan_switches(topology)}
    for segment in topology.segments:
        if segment.site == host.site and segment.network in host.addresses:
            interface = _INTERFACES.get(segment.network, segment.network)
            address = IPv4Interface(f"{host.addresses[segment.network]}/{segment.prefix.prefixlen}")
            port = f"{host.name}.{interface[:3]}"
            wires.append(Wire(interface, address, switches[segment.switch], port, isolated=False))
    return Node(namespace_name(host.name), tuple(wires), routes)


def cloud_node(topology: Topology) -> Node:
    """Return the namespace that OpenStack is put into: two public ports, two management ports."""
    segment = topology.segment(topology.cloud_site, PUBLIC)
    switch = next(each for each in wan_switches(topology) if each.name == segment.switch)
    api = IPv4Interface(f"{topology.cloud_api}/{segment.prefix.prefixlen}")
    assert segment.router is not None  # noqa: S101 - every public network has one
    return Node(
        CLOUD,
        (
            Wire("public", None, switch, "cloud.public", isolated=False),
            Wire("api0", api, switch, "cloud.api", isolated=False),
            _management_wire(topology, "management", None, f"{PREFIX}cloud"),
            _management_wire(topology, "mgmt0", topology.cloud_management, f"{PREFIX}cloud-api"),
        ),
        (Route(_DEFAULT, segment.router),),
        ("net.ipv4.ip_forward=0", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"),
    )


def operator_routes(topology: Topology) -> tuple[Route, ...]:
    """Return the operator's own routes: the cloud's API over the management network."""
    return (Route(IPv4Network(topology.cloud_api), topology.cloud_management),)


def namespace_name(host: str) -> str:
    """Return the namespace of a host, which is also the name of its port on the operator's switch."""
    return f"{PREFIX}{host}"


def _management_wire(topology: Topology, interface: str, address: IPv4Address | None, port: str) -> Wire:
    full = IPv4Interface(f"{address}/{topology.management.prefixlen}") if address else None
    return Wire(interface, full, management_switch(topology), port, isolated=True)


def _uplink(topology: Topology, host: Host) -> IPv4Address:
    if PUBLIC in host.addresses:
        router = topology.segment(host.site, PUBLIC).router
        assert router is not None  # noqa: S101 - every public network has one
        return router
    gateway = next(each for each in topology.hosts_of(host.site) if "gateway" in each.functions)
    return gateway.addresses["lan"]
