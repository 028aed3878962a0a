"""Remove the lab, also half of one or a crashed one, and tell what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import (
    cloud,
    cloud_layout,
    cloud_remains,
    hosts,
    iptables,
    layout,
    links,
    mounts,
    network,
    podman,
    processes,
    resolver,
    slow,
    storage,
    tables,
)
from lab.errors import CommandError

if TYPE_CHECKING:
    from lab.machine import Machine
    from lab.paths import Paths
    from lab.topology import Topology

_FIREWALL_MARK = "understudy"


def find_stale(paths: Paths, topology: Topology) -> list[str]:
    """Return what an earlier lab left and this one does not have."""
    return [f"{kind} {name}" for kind, names in _stale(paths, topology).items() for name in names]


def remove_stale(paths: Paths, topology: Topology) -> None:
    """Remove what an earlier lab left; a lab that runs goes on."""
    found = _stale(paths, topology)
    hosts.remove(paths, found["host"])
    _remove_namespaces(found["namespace"])
    for name in found["link"]:
        links.remove_link(None, name)


def everything(machine: Machine, paths: Paths) -> None:
    """Remove all of the lab but the cache; raises LabError for what cannot be removed."""
    slow.kill_all(paths)
    cloud.stop(cloud_layout.Layout(paths))
    _remove_containers(machine, paths)
    _remove_namespaces(links.namespaces())
    network.remove(paths)
    groups = processes.control_groups(podman.CGROUP_PARENT)
    processes.end(processes.in_control_groups(groups))
    processes.remove_control_groups(groups)
    iptables.forget_podman()
    mounts.release([paths.cache])
    for directory in (paths.runtime, paths.state):
        mounts.remove(directory)


def leftovers(paths: Paths) -> list[str]:
    """Return one sentence for each thing of the lab that is still on this machine, its cache apart."""
    groups = processes.control_groups(podman.CGROUP_PARENT)
    directories = [paths.state, paths.runtime, paths.cache]
    running = processes.in_control_groups(groups) | processes.in_namespaces(links.namespaces())
    sentences = [f"Process {process} is the lab's." for process in sorted(running | set(slow.processes(paths)))]
    if resolver.is_running(paths):
        sentences.append("The DNS forwarder runs.")
    sentences += [f"Container {name} exists." for name in storage.containers(paths)]
    sentences += [f"Namespace {name} exists." for name in links.namespaces()]
    sentences += [f"Link {name} exists." for name in links.links()]
    sentences += [f"Table {name} exists." for name in tables.present(None)]
    sentences += [f"The firewall has the rule {rule}." for rule in iptables.rules_with(_FIREWALL_MARK)]
    sentences += [f"{point} is mounted." for point in mounts.below(directories)]
    sentences += [f"{device} is attached." for device in mounts.loop_devices(directories)]
    sentences += [f"Control group {group} exists." for group in groups]
    sentences += [f"{path} exists." for path in (paths.state, paths.runtime) if path.exists()]
    return sentences + cloud_remains.find(cloud_layout.Layout(paths))


def _stale(paths: Paths, topology: Topology) -> dict[str, list[str]]:
    nodes = [layout.cloud_node(topology), *(layout.host_node(topology, host) for host in topology.hosts)]
    namespaces = {layout.WAN, *(node.namespace for node in nodes)}
    ports = {layout.MANAGEMENT_SWITCH, *(wire.port for node in nodes for wire in node.wires)}
    names = {host.name for host in topology.hosts}
    return {
        "host": [name for name in hosts.states(paths, hosts_only=True) if name not in names],
        "namespace": [name for name in links.namespaces() if name not in namespaces],
        "link": [name for name in links.links() if name not in ports],
    }


def _remove_containers(machine: Machine, paths: Paths) -> None:
    """Remove every container in the lab's storage, or the whole storage where podman cannot."""
    if not paths.graph_root.exists():
        return
    podman.configure(machine, paths)
    try:
        hosts.remove(paths, sorted({*hosts.states(paths), *storage.containers(paths)}))
        for name in podman.networks(paths):
            podman.podman(paths, "network", "rm", "--force", name)
    except CommandError:
        groups = processes.control_groups(podman.CGROUP_PARENT)
        processes.end(processes.in_control_groups(groups))
        storage.remove(paths)


def _remove_namespaces(names: list[str]) -> None:
    processes.end(processes.in_namespaces(names))
    for name in names:
        links.remove_namespace(name)
