"""Build the lab's network, repair it, and take it away again."""

from __future__ import annotations

import shutil
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from lab import layout, links, resolver, rules, tables
from lab.commands import attempt, run
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.paths import Paths
    from lab.topology import Topology

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# Packets of the internet may come back on another way than they went when a line is slow.
_WAN_SETTINGS = (
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
)
_IPTABLES_RULES = (("-i", layout.MANAGEMENT_SWITCH), ("-o", layout.MANAGEMENT_SWITCH))
_IPTABLES_VERDICT = ("-m", "comment", "--comment", "understudy_lab", "-j", "ACCEPT")
_IPTABLES_CHAIN = "ip filter FORWARD"


def ensure(topology: Topology, paths: Paths) -> bool:
    """Build what is missing of the network and mend what is broken; return whether anything changed.

    Faults of the network are healed when the rules between the sites had to be loaded. Raises LabError when
    the machine's own network or firewall stands in the way.
    """
    changed = [ensure_outside(topology, paths)]
    changed.append(links.ensure_namespace(layout.WAN, _WAN_SETTINGS))
    changed += [links.ensure_switch(switch) for switch in layout.wan_switches(topology)]
    changed.append(tables.ensure(layout.WAN, rules.wan(topology)))
    changed.append(ensure_cloud(topology))
    changed += [links.ensure_node(layout.host_node(topology, host)) for host in topology.hosts]
    changed.append(links.ensure_routes(None, layout.operator_routes(topology)))
    return any(changed)


def missing(topology: Topology, paths: Paths) -> list[str]:
    """Return what `ensure` would certainly have to build, without building it."""
    wanted = [layout.WAN, layout.CLOUD, *(layout.namespace_name(host.name) for host in topology.hosts)]
    there = links.namespaces()
    found = [f"namespace {name}" for name in wanted if name not in there]
    if not tables.is_loaded(None, rules.operator(topology)):
        found.append("the rules around the hosts")
    if layout.WAN in there and not tables.is_loaded(layout.WAN, rules.wan(topology)):
        found.append("the rules between the sites")
    if layout.MANAGEMENT_SWITCH not in links.links():
        found.append(f"switch {layout.MANAGEMENT_SWITCH}")
    return found if resolver.is_running(paths) else [*found, "the DNS forwarder"]


def ensure_outside(topology: Topology, paths: Paths) -> bool:
    """Build only what lies between the operator and the hosts; return whether anything changed."""
    if sentences := conflicts(topology, links.foreign_routes()):
        raise LabError("\n".join(sentences))
    # The rules come first: no packet may leave the machine while its way inside is not there yet.
    changed = [tables.ensure(None, rules.operator(topology)), _open_forwarding(paths)]
    changed.append(links.ensure_switch(layout.management_switch(topology)))
    changed.append(resolver.ensure(paths, topology.operator))
    return any(changed)


def ensure_host(topology: Topology, name: str) -> bool:
    """Build the namespace and wires of one podman host; return whether anything changed."""
    return links.ensure_node(layout.host_node(topology, topology.host(name)))


def ensure_cloud(topology: Topology) -> bool:
    """Mend the cloud's wires and routes, which a machine loses with its power; return whether anything changed."""
    return links.ensure_node(layout.cloud_node(topology))


def remove_host(name: str) -> None:
    """Remove the namespace of a host and with it its wires."""
    links.remove_namespace(layout.namespace_name(name))


def remove(paths: Paths) -> None:
    """Remove every namespace, link, table, rule, process and setting of the network, also of half a lab."""
    resolver.stop(paths)
    for namespace in links.namespaces():
        links.remove_namespace(namespace)
    for link in links.links():
        links.remove_link(None, link)
    if present := tables.present(None):
        tables.remove(None, *present)
    _close_forwarding(paths)


def conflicts(topology: Topology, routes: list[tuple[str, str]]) -> list[str]:
    """Return a sentence for each route `(network, link)` of the machine that overlaps the lab (pure)."""
    return [
        f"This machine already reaches {network} over {link}, and the lab needs {topology.supernet} for "
        "itself; take the lab to a machine without that network."
        for network, link in routes
        if IPv4Network(network).overlaps(topology.supernet) and IPv4Network(network) != topology.molecule
    ]


def _open_forwarding(paths: Paths) -> bool:
    """Let the machine forward for the hosts and remember what it did before."""
    changed = _open_iptables()
    remembered = _remembered(paths)
    if _FORWARDING.read_text().strip() == "1":
        return changed
    paths.state.mkdir(parents=True, exist_ok=True)
    if not remembered.exists():
        remembered.write_text("0\n")
    _FORWARDING.write_text("1\n")
    return True


def _close_forwarding(paths: Paths) -> None:
    """Put back what _open_forwarding changed."""
    for rule in _IPTABLES_RULES:
        while _iptables("-D", rule):
            pass
    remembered = _remembered(paths)
    if remembered.exists():
        _FORWARDING.write_text(remembered.read_text())
        remembered.unlink()


def _remembered(paths: Paths) -> Path:
    return paths.state / "ip_forward.before"


def _open_iptables() -> bool:
    """Add the lab to a forwarding chain of iptables that forbids what it does not know, as Docker's does."""
    forbidding = tables.forbidding_chains()
    if others := [chain for chain in forbidding if chain != _IPTABLES_CHAIN]:
        raise LabError(
            f"The firewall of this machine forbids forwarding (nftables chain {', '.join(others)}), so the "
            "hosts would have no way to a package mirror; let it forward from and to "
            f"{layout.MANAGEMENT_SWITCH}."
        )
    missing = [rule for rule in _IPTABLES_RULES if forbidding and not _iptables("-C", rule)]
    for rule in missing:
        run(["iptables", "-I", "FORWARD", *rule, *_IPTABLES_VERDICT])
    return bool(missing)


def _iptables(action: str, rule: tuple[str, str]) -> bool:
    """Check for (-C) or delete (-D) one rule of the lab; return whether it was there."""
    if shutil.which("iptables") is None or _IPTABLES_CHAIN not in tables.chains():
        return False
    return attempt(["iptables", action, "FORWARD", *rule, *_IPTABLES_VERDICT]).returncode == 0
