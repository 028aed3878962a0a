"""Merge fixed hosts and the servers of clouds into one inventory. Pure: no files, no network, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .entries import Entry
from .fixed_hosts import FixedHost, usable_as_host
from .networks import MANAGEMENT, Address
from .servers import FUNCTION_KEY, Server, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .configuration import Cloud, Configuration

FIXED = "fixed"
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a cloud: a list of its servers, and whether it is an old one because of silence."""

    cloud: Cloud
    snapshot: Snapshot
    stale: bool


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the inventory; `written_variables` are those that its file gives it."""

    name: str
    groups: tuple[str, ...]
    variables: dict[str, object]
    written_variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All hosts, fixed ones first, and sentences for the operator."""

    hosts: tuple[Host, ...]
    warnings: tuple[str, ...]


def merge(
    configuration: Configuration,
    fixed_hosts: Sequence[FixedHost],
    answers: Sequence[Answer],
    now_epoch_seconds: float,
) -> Inventory:
    """Make the inventory of both sites.

    Raises RefusedValueError for an address in no site or in two, and for a name or an address used twice.
    """
    merging = _Merging(configuration)
    hosts = [merging.fixed(each) for each in fixed_hosts]
    for answer in sorted(answers, key=lambda each: each.cloud.name):
        age = answer.snapshot.age_seconds(now_epoch_seconds)
        for server in sorted(answer.snapshot.servers, key=lambda each: (each.name, each.id)):
            if server.is_ours or not configuration.only_ours:
                hosts.append(merging.server(answer, server, age))  # noqa: PERF401 - order and state matter
    return Inventory(tuple(hosts), tuple(_sentences(merging.doubts)))


class _Merging:
    """Guard that every name and every address is used once."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._groups = configuration.group_names
        self._names: dict[str, str] = {}
        self._addresses: dict[Address, str] = {}
        self.doubts: dict[tuple[str, str], list[str]] = {}

    def fixed(self, host: FixedHost) -> Host:
        configuration = self._configuration
        self._claim_name(Entry(host.entry.source, host.entry.key, host.name), host.entry.key)
        site: str | None = None
        for name, address in host.addresses.items():
            entry = Entry(host.entry.source, f"{host.entry.key}.addresses.{name}", address.text)
            network = configuration.placement.network_of(address)
            if network is None:
                entry.refuse("an address in a network of a site or in management_networks")
            if network.name != name:
                entry.refuse(f"an address in a network called {name}; this one is in {network.key}")
            if network.site and site and network.site != site:
                entry.refuse(f"an address at {site}, as the host's other addresses are; this is {network.site}")
            site = site or network.site
            self._claim_address(entry, address, host.entry.key)
        addresses = {name: address.text for name, address in host.addresses.items()}
        entry = Entry(host.entry.source, f"{host.entry.key}.addresses", addresses)
        if site is None:
            entry.refuse("at least one address in a network of a site: management places no host")
        reach = self._reach(site, addresses)
        if reach is None:
            entry.refuse(f"an address called {MANAGEMENT}, for reach_over is {configuration.reach_over}")
        variables = _variables(site, addresses, host.functions, FIXED, "FIXED")
        variables["ansible_host"] = reach
        return Host(host.name, (site, *host.functions), variables, host.variables)

    def server(self, answer: Answer, server: Server, age_seconds: int) -> Host:
        cloud, configuration = answer.cloud, self._configuration
        where = f"servers[{server.id}]"
        self._claim_server_name(cloud, server, where)
        addresses: dict[str, str] = {}
        for address in server.addresses:
            name = self._place(cloud, server, address, where)
            addresses.setdefault(name, address.text)
        functions = tuple(each for each in configuration.functions if each in server.function_names)
        reach = self._reach(cloud.site, addresses)
        groups = (cloud.site, *functions) if server.status in configuration.running_states else ()
        if groups and reach is None:
            over = configuration.reach_over
            self._doubt(f"running without an address to reach it over ({over}), so in no group", cloud, server)
            groups = ()
        self._doubt_functions(cloud, server)
        variables = _variables(cloud.site, addresses, functions, cloud.name, server.status)
        variables |= {
            "two_sites_burst": server.is_burst,
            "two_sites_stale": answer.stale,
            "two_sites_snapshot_age_seconds": age_seconds,
            "two_sites_server": _server_variable(server),
        }
        if reach is not None:
            variables["ansible_host"] = reach
        return Host(server.name, groups, variables)

    def _claim_server_name(self, cloud: Cloud, server: Server, where: str) -> None:
        entry = Entry(f"cloud {cloud.name!r}", f"{where}.name", server.name)
        if not usable_as_host(server.name):
            entry.refuse("a name of letters, digits, '.', '_' and '-' that is not reserved; rename the server")
        self._claim_name(entry, f"{where} of cloud {cloud.name!r}")

    def _place(self, cloud: Cloud, server: Server, address: Address, where: str) -> str:
        entry = Entry(f"cloud {cloud.name!r}", f"{where}.addresses of {server.name}", address.text)
        network = self._configuration.placement.network_of(address)
        if network is None:
            entry.refuse(f"an address in a network of site {cloud.site} or in management_networks")
        if network.site and network.site != cloud.site:
            entry.refuse(f"an address at {cloud.site}, the cloud's site; {network.key} has this one")
        self._claim_address(entry, address, f"{where}.addresses of {server.name} in cloud {cloud.name!r}")
        return network.name

    def _claim_name(self, entry: Entry, claimant: str) -> None:
        name = str(entry.value)
        if name in self._groups:
            entry.refuse("a host name that is not also the name of a site or function")
        if name in self._names:
            entry.refuse(f"a name that no other host has; {self._names[name]} has it")
        self._names[name] = claimant

    def _claim_address(self, entry: Entry, address: Address, claimant: str) -> None:
        if address in self._addresses:
            entry.refuse(f"an address that stands once; {self._addresses[address]} has it")
        self._addresses[address] = claimant

    def _reach(self, site: str, addresses: Mapping[str, str]) -> str | None:
        if self._configuration.reach_over == MANAGEMENT:
            return addresses.get(MANAGEMENT)
        named = self._configuration.site_networks[site]
        return next((addresses[name] for name in named if name in addresses), None)

    def _doubt_functions(self, cloud: Cloud, server: Server) -> None:
        for name in server.function_names:
            if name not in self._configuration.functions:
                known = ", ".join(self._configuration.functions)
                self._doubt(f"{FUNCTION_KEY} names {name!r}; known are {known}", cloud, server)
        if server.is_ours and not server.function_names:
            self._doubt(
                f"{FUNCTION_KEY} is empty; known are {', '.join(self._configuration.functions)}",
                cloud,
                server,
            )

    def _doubt(self, what: str, cloud: Cloud, server: Server) -> None:
        self.doubts.setdefault((what, cloud.name), []).append(server.name)


def _sentences(doubts: Mapping[tuple[str, str], list[str]]) -> Iterable[str]:
    for (what, cloud), names in doubts.items():
        shown = ", ".join(names[:NAMES_SHOWN])
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        yield f"Cloud {cloud!r}, server {shown}{more}: {what}."


def _variables(
    site: str, addresses: Mapping[str, str], functions: tuple[str, ...], source: str, status: str
) -> dict[str, object]:
    return {
        "two_sites_site": site,
        "two_sites_addresses": dict(addresses),
        "two_sites_functions": list(functions),
        "two_sites_source": source,
        "two_sites_status": status,
        "two_sites_burst": False,
        "two_sites_stale": False,
        "two_sites_snapshot_age_seconds": 0,
        "two_sites_server": {},
    }


def _server_variable(server: Server) -> dict[str, object]:
    return {
        "id": server.id,
        "name": server.name,
        "flavor": server.flavor,
        "image": server.image,
        "created": server.created,
        "metadata": dict(server.metadata),
        "availability_zone": server.availability_zone,
    }
