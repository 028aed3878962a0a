"""Bring namespaces, switches and wires into being through netlink, each step only where it is missing."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyroute2 import IPRoute, NetlinkError, netns

from lab.commands import run
from lab.layout import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Interface, IPv4Network

    from lab.layout import Node, Route, Switch, Wire

NAMESPACES = Path("/run/netns")


@dataclass(frozen=True)
class Detour:
    """Describe which packets of a router go through a device, by a routing table of their own."""

    switch: str
    target: IPv4Network
    table: int
    device: str


def inside(namespace: str | None, *arguments: str) -> list[str]:
    """Return a command line that runs in a namespace's network, but with the mounts of its caller."""
    return [*(["nsenter", f"--net={NAMESPACES / namespace}"] if namespace else []), *arguments]


def namespaces() -> list[str]:
    """Return the lab's namespaces that exist."""
    return sorted(name for name in netns.listnetns() if name.startswith(PREFIX))


def links() -> list[str]:
    """Return the lab's links in the operator's own namespace."""
    with IPRoute() as here:
        return sorted(name for link in here.get_links() if (name := str(link.get("ifname"))).startswith(PREFIX))


def ensure_namespace(name: str, settings: Sequence[str]) -> bool:
    """Make a namespace with its settings unless it exists; return whether it was made.

    A file without a namespace behind it, as an interruption or a reboot leaves it, is replaced.
    """
    path = NAMESPACES / name
    if path.exists() and os.path.ismount(path):
        return False
    path.unlink(missing_ok=True)
    netns.create(name)
    run(inside(name, "sysctl", "--quiet", "--write", *settings))
    with IPRoute(netns=name) as here:
        here.link("set", index=here.link_lookup(ifname="lo")[0], state="up")
    return True


def remove_namespace(name: str) -> None:
    """Remove a namespace; its wires go with it as soon as no process holds it."""
    path = NAMESPACES / name
    if path.exists() and os.path.ismount(path):
        netns.remove(name)
    path.unlink(missing_ok=True)


def ensure_switch(switch: Switch) -> bool:
    """Make a bridge with its address; return whether anything changed."""
    with _at(switch.namespace) as here:
        changed = _find(here, switch.name) is None
        if changed:
            # Without spanning tree and forward delay a new port forwards at once.
            here.link("add", ifname=switch.name, kind="bridge", br_forward_delay=0, br_stp_state=0)
        return _ensure_up(here, switch.name, switch.address) or changed


def ensure_node(node: Node) -> bool:
    """Make a namespace with its wires and routes; return whether anything changed."""
    changed = ensure_namespace(node.namespace, node.settings)
    for wire in node.wires:
        changed = _ensure_wire(node.namespace, wire) or changed
    return ensure_routes(node.namespace, node.routes) or changed


def ensure_routes(namespace: str | None, routes: Sequence[Route]) -> bool:
    """Add the routes that are missing; return whether anything changed."""
    with _at(namespace) as here:
        existing = {
            (route.get("dst", "0.0.0.0"), route["dst_len"], route.get("gateway"))  # noqa: S104 - the default route
            for route in here.get_routes(family=socket.AF_INET, table=254)
        }
        missing = [
            route
            for route in routes
            if (str(route.target.network_address), route.target.prefixlen, str(route.via)) not in existing
        ]
        for route in missing:
            here.route("replace", dst=str(route.target), gateway=str(route.via))
    return bool(missing)


def remove_link(namespace: str | None, name: str) -> None:
    """Remove a link if it exists."""
    with _at(namespace) as here:
        _remove(here, name)


def set_ports(switch_ports: Sequence[tuple[str | None, str]], *, up: bool) -> None:
    """Plug or unplug the ports `(namespace, name)` that exist."""
    for namespace in {namespace for namespace, _ in switch_ports}:
        with _at(namespace) as here:
            for port in (port for where, port in switch_ports if where == namespace):
                if (link := _find(here, port)) is not None:
                    here.link("set", index=link["index"], state="up" if up else "down")


def exist(namespace: str, names: Sequence[str]) -> bool:
    """Tell whether every one of the links exists."""
    with _at(namespace) as here:
        return all(_find(here, name) is not None for name in names)


def detour(namespace: str, detours: Sequence[Detour]) -> None:
    """Send what comes from a switch for a network through a device."""
    with _at(namespace) as here:
        for each in detours:
            index = _find(here, each.device)["index"]
            here.link("set", index=index, state="up")
            here.route("replace", dst="0.0.0.0/0", oif=index, table=each.table)
        for each in detours:
            here.rule("add", iifname=each.switch, dst=str(each.target), table=each.table)


def end_detour(namespace: str, detours: Sequence[Detour]) -> None:
    """Send it the straight way again; does nothing where it goes so already."""
    tables = {each.table for each in detours}
    with _at(namespace) as here:
        for rule in here.get_rules(family=socket.AF_INET):
            if rule.get("table") in tables:
                here.rule("del", priority=rule.get("priority"), table=rule.get("table"))


def foreign_routes() -> list[tuple[str, str]]:
    """Return `(network, link)` of the routes of the operator's namespace that are not the lab's."""
    with IPRoute() as here:
        names = {link["index"]: str(link.get("ifname")) for link in here.get_links()}
        routes = [
            (f"{route.get('dst')}/{route['dst_len']}", names.get(route.get("oif"), "unknown"))
            for route in here.get_routes(family=socket.AF_INET, table=254)
            if route.get("dst") is not None
        ]
    return [(network, link) for network, link in routes if not link.startswith(PREFIX)]


def _at(namespace: str | None) -> IPRoute:
    return IPRoute(netns=namespace) if namespace else IPRoute()


def _find(here: IPRoute, name: str) -> Any:  # pyroute2 has no types
    try:
        found = list(here.get_links(ifname=name))
    except NetlinkError as error:
        if error.code == errno.ENODEV:
            return None
        raise
    return found[0] if found else None


def _remove(here: IPRoute, name: str) -> None:
    if (link := _find(here, name)) is not None:
        try:
            here.link("del", index=link["index"])
        except NetlinkError as error:
            # Its other end's namespace was removed a moment ago and took it along.
            if error.code != errno.ENODEV:
                raise


def _ensure_up(here: IPRoute, name: str, address: IPv4Interface | None) -> bool:
    link = _find(here, name)
    index, changed = link["index"], False
    if address is not None and not any(
        (found.get("address"), found["prefixlen"]) == (str(address.ip), address.network.prefixlen)
        for found in here.get_addr(index=index, family=socket.AF_INET)
    ):
        here.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
        changed = True
    if link["state"] != "up":
        here.link("set", index=index, state="up")
        changed = True
    return changed


def _ensure_wire(namespace: str, wire: Wire) -> bool:
    with _at(namespace) as here, _at(wire.switch.namespace) as there:
        changed = _find(here, wire.interface) is None or _find(there, wire.port) is None
        if changed:
            _remove(here, wire.interface)
            _remove(there, wire.port)
            peer = {"ifname": wire.interface, "net_ns_fd": namespace, "address": wire.hardware_address}
            there.link("add", ifname=wire.port, kind="veth", peer=peer)
        port, switch = _find(there, wire.port), _find(there, wire.switch.name)
        if port.get("master") != switch["index"]:
            there.link("set", index=port["index"], master=switch["index"])
            there.brport("set", index=port["index"], isolated=int(wire.isolated))
            changed = True
        changed = _ensure_up(there, wire.port, None) or changed
        return _ensure_up(here, wire.interface, wire.address) or changed
