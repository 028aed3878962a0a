"""Break the lab's network, hosts and sites on purpose, and mend them.

What is broken is read from the thing itself (nftables sets, processes, podman), never from a file beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import cloud, guests, hosts, links, network, servers, slow, tables
from lab.errors import LabError, UnknownNameError
from lab.layout import WAN, host_node, namespace_name
from lab.rules import PORTS_TABLE, WAN_TABLE
from lab.topology import MANAGEMENT, PUBLIC, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.paths import Paths
    from lab.topology import Host


@dataclass(frozen=True)
class Lab:
    """Hold what every fault needs to know."""

    topology: Topology
    paths: Paths


def cut(lab: Lab, first: str, second: str, *, one_way: bool = False) -> None:
    """Lose every packet between two sites, or only those from the first to the second."""
    pair = _pair(lab, first, second)
    ways = [pair] if one_way else [pair, pair[::-1]]
    _add(WAN_TABLE, "cut", [" . ".join(_public(lab, site) for site in way) for way in ways])


def heal(lab: Lab) -> None:
    """End every fault of the network: cuts, isolations, slow lines. Power and pauses stay as they are."""
    _require_network()
    tables.change(WAN, f"flush set {WAN_TABLE} cut\nflush set {WAN_TABLE} dark\nflush set {PORTS_TABLE} isolated\n")
    for line in slow.active(lab.topology, lab.paths):
        slow.stop(lab.topology, lab.paths, line)
    if cloud.is_running():
        for name in guests.names():
            guests.rejoin(name)


def isolate(lab: Lab, name: str) -> None:
    """Cut a site off from all others, or a host from everything but the management network."""
    if name in lab.topology.sites:
        _add(WAN_TABLE, "dark", [_public(lab, name)])
    elif (host := _host(lab, name)) is None:
        guests.isolate(name)
    else:
        _add(
            PORTS_TABLE,
            "isolated",
            [f'"{port}"' for namespace, port in _ports(lab, host) if namespace == WAN],
        )


def power_off(lab: Lab, name: str) -> None:
    """Take the power from a site or a host: first nobody hears it any more, then its processes die."""
    if name not in lab.topology.sites:
        _power_off_host(lab, name)
        return
    _add(WAN_TABLE, "powered_off", [_public(lab, name)])
    _hosts_off(lab, lab.topology.hosts_of(name))
    if name == lab.topology.cloud_site:
        cloud.power_off()


def power_on(lab: Lab, name: str) -> None:
    """Give the power back; hosts boot with the files they had, and this returns once they answer on SSH."""
    if name not in lab.topology.sites:
        _power_on_host(lab, name)
        return
    _require_network()
    tables.delete_elements(WAN, WAN_TABLE, "powered_off", [_public(lab, name)])
    _hosts_on(lab, lab.topology.hosts_of(name))
    if name == lab.topology.cloud_site:
        network.ensure_cloud(lab.topology)
        cloud.power_on()


def slow_down(lab: Lab, first: str, second: str, slowness: slow.Slowness) -> None:
    """Delay and limit what passes between two sites, per direction; no delay and no limit ends it."""
    pair = _pair(lab, first, second)
    _require_network()
    line = next(each for each in slow.lines(lab.topology) if set(each.sites) == set(pair))
    if slowness == slow.Slowness(0, 0):
        slow.stop(lab.topology, lab.paths, line)
    else:
        slow.start(lab.topology, lab.paths, line, slowness)


def pause(lab: Lab, name: str) -> None:
    """Freeze all processes of a host, as a hypervisor does; its kernel still answers pings."""
    if _host(lab, name) is None:
        guests.pause(name)
    else:
        hosts.pause(lab.paths, name)


def resume(lab: Lab, name: str) -> None:
    """Let a frozen host go on."""
    if _host(lab, name) is None:
        guests.resume(name)
    else:
        hosts.resume(lab.paths, name)


def cloud_api(mode: cloud.Fault) -> None:
    """Let the cloud's public API hang, refuse, or work again."""
    cloud.api_fault(mode)


def management_address(lab: Lab, name: str) -> str:
    """Return where the operator reaches a host; raises UnknownNameError."""
    if (host := _host(lab, name)) is not None:
        return str(host.management)
    address = servers.addresses(lab.topology, lab.paths).get(name, {}).get(MANAGEMENT)
    if address is None:
        raise LabError(f"{name} has no address on the management network; reach it over its site.")
    return address


def active(lab: Lab) -> list[str]:
    """Return one sentence for each fault of the network, and for each site without power."""
    if WAN not in links.namespaces():
        return []
    sites = {_public(lab, site): site for site in lab.topology.sites}
    sentences = []
    for element in tables.elements(WAN, WAN_TABLE, "cut"):
        source, target = (sites.get(network_, network_) for network_ in element.split(" . "))
        sentences.append(f"Packets from {source} to {target} are lost.")
    for name, words in (("dark", "is isolated"), ("powered_off", "has no power")):
        sentences += [f"{sites.get(each, each)} {words}." for each in tables.elements(WAN, WAN_TABLE, name)]
    isolated = {port.rpartition(".")[0] for port in tables.elements(WAN, PORTS_TABLE, "isolated")}
    sentences += [f"{name} is isolated." for name in sorted(isolated)]
    for line, slowness in slow.active(lab.topology, lab.paths).items():
        limit = f" and {slowness.mbit:g} Mbit/s" if slowness.mbit else ""
        sentences.append(f"{' - '.join(line.sites)}: {slowness.milliseconds:g} ms each way{limit}.")
    return sentences


def _power_off_host(lab: Lab, name: str) -> None:
    if (host := _host(lab, name)) is None:
        guests.power_off(name)
    else:
        _hosts_off(lab, [host])


def _power_on_host(lab: Lab, name: str) -> None:
    if (host := _host(lab, name)) is None:
        guests.power_on(name)
    else:
        _hosts_on(lab, [host])


def _hosts_off(lab: Lab, these: Iterable[Host]) -> None:
    these = list(these)
    links.set_ports([port for host in these for port in _ports(lab, host)], up=False)
    hosts.kill(lab.paths, [host.name for host in these])
    for host in these:
        # Tunnels, firewall rules and routes of a machine without power are gone as well.
        network.remove_host(host.name)


def _hosts_on(lab: Lab, these: Iterable[Host]) -> None:
    these = list(these)
    known = hosts.states(lab.paths)
    if never_made := [host.name for host in these if host.name not in known]:
        raise LabError(f"{', '.join(never_made)} cannot be switched on: never made; run `make lab`.")
    for host in these:
        network.ensure_host(lab.topology, host.name)
    hosts.start(lab.paths, [host.name for host in these if known[host.name] == "exited"])
    for host in these:
        hosts.wait(str(host.management), host.name)


def _ports(lab: Lab, host: Host) -> list[tuple[str | None, str]]:
    return [(wire.switch.namespace, wire.port) for wire in host_node(lab.topology, host).wires]


def _pair(lab: Lab, first: str, second: str) -> tuple[str, str]:
    for site in (first, second):
        if site not in lab.topology.sites:
            raise UnknownNameError(f"There is no site {site!r} in the lab; it has {', '.join(lab.topology.sites)}.")
    if first == second:
        raise UnknownNameError(f"The way from {first} to itself cannot be broken; name two different sites.")
    return first, second


def _host(lab: Lab, name: str) -> Host | None:
    """Return a podman host, or None for a server of the cloud; raises UnknownNameError for neither."""
    found = next((host for host in lab.topology.hosts if host.name == name), None)
    if found is None:
        servers = guests.names() if cloud.is_running() else []
        if name not in servers:
            known = [*(host.name for host in lab.topology.hosts), *servers]
            raise UnknownNameError(
                f"There is no host or site {name!r} in the lab; it has the sites "
                f"{', '.join(lab.topology.sites)} and the hosts {', '.join(known)}."
            )
    return found


def _public(lab: Lab, site: str) -> str:
    return str(lab.topology.segment(site, PUBLIC).prefix)


def _add(table: str, name: str, elements: list[str]) -> None:
    _require_network()
    tables.change(WAN, f"add element {table} {name} {{ {', '.join(elements)} }}\n")


def _require_network() -> None:
    if WAN not in links.namespaces():
        raise LabError(f"The lab's network is not there (no namespace {namespace_name('wan')}); run `make lab`.")
