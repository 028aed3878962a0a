"""Tell how the lab is: every host, the cloud's services, and what is broken on purpose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab import cloud, faults, guests, hosts, servers, ssh
from lab.commands import attempt
from lab.errors import CommandError
from lab.topology import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.paths import Paths

Power = Literal["on", "off", "paused", "not made"]

_AT_ONCE = 4
_SERVICES_SECONDS = 10
_POWER: Mapping[str, Power] = {"running": "on", "paused": "paused"}


@dataclass(frozen=True)
class HostStatus:
    """Hold how one host is; `services` is None where nobody could ask."""

    name: str
    site: str
    addresses: Mapping[str, str]
    power: Power
    answers: bool
    services: str | None


@dataclass(frozen=True)
class LabStatus:
    """Hold how the whole lab is."""

    hosts: tuple[HostStatus, ...]
    cloud_services: Mapping[str, str]
    faults: tuple[str, ...]


def read(lab: faults.Lab) -> LabStatus:
    """Ask every host and service how it is."""
    states = hosts.states(lab.paths)
    known = [
        HostStatus(
            host.name,
            host.site,
            {network: str(address) for network, address in host.addresses.items()},
            _POWER.get(states[host.name], "off") if host.name in states else "not made",
            answers=False,
            services=None,
        )
        for host in lab.topology.hosts
    ]
    known += _servers(lab)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = tuple(pool.map(lambda each: _asked(lab.paths, each), known))
    return LabStatus(asked, cloud.services(), tuple(faults.active(lab)))


def summary(state: str, failed: str) -> str:
    """Return one line from `systemctl is-system-running` and the list of failed units (pure)."""
    units = [line.split()[0] for line in failed.splitlines() if line.strip()]
    return f"{state}: {', '.join(units)}" if units else state


def _servers(lab: faults.Lab) -> list[HostStatus]:
    addresses = servers.addresses(lab.topology, lab.paths)
    running = cloud.is_running()
    return [
        HostStatus(
            name, lab.topology.cloud_site, its, _server_power(name, running=running), answers=False, services=None
        )
        for name, its in addresses.items()
    ]


def _server_power(name: str, *, running: bool) -> Power:
    return _POWER.get(guests.state(name), "off") if running else "off"


def _asked(paths: Paths, host: HostStatus) -> HostStatus:
    address = host.addresses.get(MANAGEMENT)
    if host.power in {"off", "not made"} or address is None or not hosts.answers(address):
        return host
    services = _services(paths, address)
    return HostStatus(host.name, host.site, host.addresses, host.power, answers=True, services=services)


def _services(paths: Paths, address: str) -> str | None:
    asks = (("systemctl", "is-system-running"), ("systemctl", "--failed", "--plain", "--no-legend"))
    script = "; echo --; ".join(" ".join(words) for words in asks)
    try:
        result = attempt(ssh.command(paths, address, script), timeout_seconds=_SERVICES_SECONDS)
    except CommandError:
        return None
    state, separator, failed = result.stdout.decode(errors="replace").partition("--\n")
    return summary(state.strip(), failed) if separator else None
