"""Read and check what the lab is made of (pure but for reading the files)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab.errors import LabError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CUSTOMERS = "customers"
MANAGEMENT = "management"
PUBLIC = "public"
ANYWHERE = "anywhere"
CLOUD_API = "cloud_api"

# A veth's name has at most 15 characters, and `.lan` is added to the host's.
_LONGEST_NAME = 11
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Segment:
    """Describe one network of a site; `router` is the internet's address in it, none on a LAN."""

    site: str
    network: str
    prefix: IPv4Network
    switch: str

    @property
    def router(self) -> IPv4Address | None:
        """Return the internet's address in a public network."""
        return self.prefix[1] if self.network == PUBLIC else None


@dataclass(frozen=True)
class Host:
    """Describe one podman host; `addresses` maps a network's name (or management) to its address there."""

    name: str
    site: str
    addresses: Mapping[str, IPv4Address]
    functions: tuple[str, ...]

    @property
    def management(self) -> IPv4Address:
        """Return the address that the operator uses."""
        return self.addresses[MANAGEMENT]


@dataclass(frozen=True)
class Flow:
    """Describe traffic between the sites that is allowed."""

    name: str
    protocol: str
    ports: tuple[int, ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """Hold the whole lab; the operator is the hosts' router and resolver on the management network."""

    supernet: IPv4Network
    management: IPv4Network
    operator: IPv4Address
    molecule: IPv4Network
    tunnel: IPv4Network
    cloud_site: str
    cloud_api: IPv4Address
    cloud_management: IPv4Address
    public_hosts: Mapping[str, tuple[IPv4Address, tuple[str, ...]]]
    segments: tuple[Segment, ...]
    hosts: tuple[Host, ...]
    flows: tuple[Flow, ...] = field(default=())

    @property
    def sites(self) -> tuple[str, ...]:
        """Return the sites' names, the customers last."""
        return tuple(dict.fromkeys(segment.site for segment in self.segments))

    def segment(self, site: str, network: str) -> Segment:
        """Return a network of a site."""
        return next(each for each in self.segments if (each.site, each.network) == (site, network))

    def host(self, name: str) -> Host:
        """Return a podman host; raises UnknownNameError that lists the known ones."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise UnknownNameError(
            f"There is no host {name!r} in the lab; it has {', '.join(host.name for host in self.hosts)}."
        )

    def hosts_of(self, site: str) -> tuple[Host, ...]:
        """Return the podman hosts of a site."""
        return tuple(host for host in self.hosts if host.site == site)

    def public_addresses(self, functions: Iterable[str]) -> list[str]:
        """Return the public addresses of all hosts and servers that have one of the functions."""
        wanted = set(functions)
        found = [
            str(host.addresses[PUBLIC])
            for host in self.hosts
            if PUBLIC in host.addresses and wanted & set(host.functions)
        ]
        return found + [str(address) for address, its in self.public_hosts.values() if wanted & set(its)]


def load(project: Path = _PROJECT) -> Topology:
    """Read lab/topology.yml and the lab's inventory; raises LabError with every contradiction found."""
    facts = _read(project / "lab" / "topology.yml")
    sites = _read(project / "inventories" / "lab" / "two_sites.yml")
    fixed = _read(project / "inventories" / "lab" / str(sites.get("fixed_hosts", "fixed_hosts.yml")))
    return build(facts, sites, fixed)


def build(facts: Mapping[str, Any], sites: Mapping[str, Any], fixed: Mapping[str, Any]) -> Topology:
    """Return the topology that three loaded files describe (pure); raises LabError."""
    try:
        topology = _build(facts, sites, fixed)
    except KeyError as error:
        raise LabError(f"The key {error} is missing in lab/topology.yml or the lab's inventory; add it.") from error
    except ValueError as error:
        raise LabError(f"lab/topology.yml or the lab's inventory: {error}; correct that value.") from error
    if sentences := list(_contradictions(topology)):
        raise LabError("\n".join(sentences))
    return topology


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise LabError(f"{path} cannot be read: {error}; restore it.") from error
    if not isinstance(loaded, dict):
        raise LabError(f"{path} holds {type(loaded).__name__} where a mapping is expected; restore it.")
    return loaded


def _build(facts: Mapping[str, Any], sites: Mapping[str, Any], fixed: Mapping[str, Any]) -> Topology:
    networks = {name: site["networks"] for name, site in sites["sites"].items()}
    networks[CUSTOMERS] = facts["customers"]["networks"]
    segments = tuple(
        Segment(site, network, IPv4Network(prefix), site if len(of_site) == 1 else f"{site}-{network}")
        for site, of_site in networks.items()
        for network, prefix in of_site.items()
    )
    cloud = facts["cloud"]
    return Topology(
        supernet=IPv4Network(facts["supernet"]),
        management=IPv4Network(facts["management"]["network"]),
        operator=IPv4Address(facts["management"]["operator"]),
        molecule=IPv4Network(facts["molecule"]["network"]),
        tunnel=IPv4Network(facts["tunnel"]["network"]),
        cloud_site=cloud["site"],
        cloud_api=IPv4Address(cloud["api"]),
        cloud_management=IPv4Address(facts["management"]["cloud"]),
        public_hosts={
            name: (IPv4Address(host["address"]), tuple(host["functions"]))
            for name, host in cloud["public_hosts"].items()
        },
        segments=segments,
        hosts=tuple(
            _host(name, host, segments) for name, host in {**fixed["hosts"], **facts["customers"]["hosts"]}.items()
        ),
        flows=tuple(
            Flow(
                each["name"],
                each["protocol"],
                tuple(each["ports"]),
                tuple(each["sources"]),
                tuple(each["targets"]),
            )
            for each in facts["flows"]
        ),
    )


def _host(name: str, described: Mapping[str, Any], segments: Iterable[Segment]) -> Host:
    addresses = {network: IPv4Address(address) for network, address in described["addresses"].items()}
    places = {
        segment.site
        for segment in segments
        if segment.network in addresses and addresses[segment.network] in segment.prefix
    }
    if len(places) != 1:
        found = ", ".join(f"{network} {address}" for network, address in addresses.items())
        raise ValueError(f"host {name} ({found}) lies in {'no site' if not places else 'several sites'}")
    return Host(name, places.pop(), addresses, tuple(described.get("functions", ())))


def _contradictions(topology: Topology) -> Iterable[str]:
    yield from _networks(topology)
    yield from _addresses(topology)
    known = {function for host in topology.hosts for function in host.functions} | {ANYWHERE, CLOUD_API}
    known |= {function for _, functions in topology.public_hosts.values() for function in functions}
    for flow in topology.flows:
        for end in {*flow.sources, *flow.targets} - known:
            yield f"The flow {flow.name!r} names {end!r}; an end is one of {', '.join(sorted(known))}."


def _networks(topology: Topology) -> Iterable[str]:
    named = {f"{each.site} {each.network}": each.prefix for each in topology.segments}
    named |= {
        "management": topology.management,
        "molecule": topology.molecule,
        "tunnel": topology.tunnel,
    }
    for name, prefix in named.items():
        if not prefix.subnet_of(topology.supernet):
            yield f"The network {name} ({prefix}) is outside the lab's {topology.supernet}; move it inside."
    for (name, prefix), (other, its) in itertools.combinations(named.items(), 2):
        if prefix.overlaps(its):
            yield f"The networks {name} ({prefix}) and {other} ({its}) overlap; give one another range."
    if topology.cloud_site not in topology.sites:
        yield f"The cloud's site is {topology.cloud_site!r}; it must be one of {', '.join(topology.sites)}."


def _addresses(topology: Topology) -> Iterable[str]:
    owners: dict[IPv4Address, str] = {
        topology.cloud_api: "the cloud's API",
        topology.cloud_management: "the cloud's management port",
        topology.operator: "the operator",
    }
    owners |= {segment.router: f"the router of {segment.site}" for segment in topology.segments if segment.router}
    of_site = {(segment.site, segment.network): segment.prefix for segment in topology.segments}
    taken = [(address, name) for name, (address, _) in topology.public_hosts.items()]
    for host in topology.hosts:
        if len(host.name) > _LONGEST_NAME:
            yield f"The host name {host.name!r} is longer than {_LONGEST_NAME} characters; shorten it."
        management = host.addresses.get(MANAGEMENT)
        if management is None or management not in topology.management:
            yield f"The host {host.name} needs a management address in {topology.management}."
        taken += [(address, host.name) for address in host.addresses.values()]
        for network, address in host.addresses.items():
            if network != MANAGEMENT and address not in of_site.get((host.site, network), ()):
                yield f"The host {host.name} has {network} address {address} outside its site {host.site}."
    for address, name in taken:
        if address in owners:
            yield f"{name} and {owners[address]} both have the address {address}; give one of them another."
        owners[address] = name
