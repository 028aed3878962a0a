"""What the cloud is set up with: addresses from the lab's topology, the rest from the role's variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.topology import MANAGEMENT, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ipaddress import IPv4Address, IPv4Network

    from lab.topology import Topology

# As Ansible's modules take it.
ARGUMENT_SPEC: dict[str, Any] = {
    "region": {"type": "str", "required": True},
    "project": {"type": "str", "required": True},
    "server_quota": {"type": "int", "required": True},
    "flavours": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            **{size: {"type": "int", "required": True} for size in ("ram", "vcpus", "disk")},
        },
    },
    "api_names": {"type": "list", "elements": "str", "required": True},
}


@dataclass(frozen=True)
class Flavour:
    """Hold the size of a server; memory in MiB, disk in GiB."""

    name: str
    ram: int
    vcpus: int
    disk: int


@dataclass(frozen=True)
class ProviderNetwork:
    """Hold a network of the site that servers can be plugged into; its interface in the namespace has its name."""

    name: str
    prefix: IPv4Network
    gateway: IPv4Address | None
    pool: tuple[IPv4Address, IPv4Address]
    name_servers: tuple[IPv4Address, ...] = ()
    host_routes: tuple[tuple[IPv4Network, IPv4Address], ...] = ()


@dataclass(frozen=True)
class Settings:
    """Hold all that the services' configuration and the cloud's content are made of, secrets apart."""

    region: str
    project: str
    server_quota: int
    flavours: tuple[Flavour, ...]
    api_names: tuple[str, ...]
    public_address: IPv4Address
    management_address: IPv4Address
    operator_address: IPv4Address
    management_prefix: IPv4Network
    provider_networks: tuple[ProviderNetwork, ...]


def of(
    topology: Topology,
    *,
    region: str,
    project: str,
    server_quota: int,
    flavours: Iterable[Mapping[str, Any]],
    api_names: Iterable[str],
) -> Settings:
    """Return the settings of the lab's cloud (pure).

    Servers have one default route, over management, for packages and names alone; all of the lab is behind the public
    network's router.
    """
    public = topology.segment(topology.cloud_site, PUBLIC)
    routes = ((topology.supernet, public.router),) if public.router else ()
    return Settings(
        region=region,
        project=project,
        server_quota=server_quota,
        flavours=tuple(Flavour(**each) for each in flavours),
        api_names=tuple(api_names),
        public_address=topology.cloud_api,
        management_address=topology.cloud_management,
        operator_address=topology.operator,
        management_prefix=topology.management,
        provider_networks=(
            ProviderNetwork(PUBLIC, public.prefix, None, (public.prefix[50], public.prefix[99]), (), routes),
            ProviderNetwork(
                MANAGEMENT,
                topology.management,
                topology.operator,
                (topology.management[100], topology.management[199]),
                (topology.operator,),
            ),
        ),
    )
