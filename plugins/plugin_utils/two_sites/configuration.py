"""The plugin's own configuration, read from the data of its YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entries import RESERVED_NAMES, Entry
from .networks import MANAGEMENT, Network, Placement, read_network

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

REACH = ("site", MANAGEMENT)
ON_UNREACHABLE = ("serve_last_good", "fail")
TIMEOUT_SECONDS = 5.0
# Source: the server concepts of the Compute API guide.
SERVER_STATES = (
    "ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "PAUSED", "REBOOT",
    "REBUILD", "RESCUE", "RESIZE", "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF",
    "SOFT_DELETED", "SUSPENDED", "UNKNOWN", "VERIFY_RESIZE",
)  # fmt: skip
RUNNING_STATES = ("ACTIVE", "HARD_REBOOT", "MIGRATING", "PASSWORD", "REBOOT", "VERIFY_RESIZE")
REQUIRED = ("plugin", "sites", "functions")
OPTIONAL = (
    "management_networks", "reach_over", "fixed_hosts", "clouds_yaml", "clouds", "last_good_directory",
    "running_states", "only_ours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud to ask: its name in clouds.yaml, the site of its servers, and what its silence means."""

    name: str
    site: str
    on_unreachable: str
    timeout_seconds: float
    key: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file says; `site_networks` gives the names of a site's networks in the order of the file."""

    file: str
    placement: Placement
    site_networks: Mapping[str, tuple[str, ...]]
    functions: tuple[str, ...]
    reach_over: str
    clouds: tuple[Cloud, ...]
    running_states: frozenset[str]
    only_ours: bool

    @property
    def group_names(self) -> frozenset[str]:
        """Name every group that the inventory has."""
        return frozenset((*self.site_networks, *self.functions))


def read_configuration(
    file: str, data: object, standard_keys: Collection[str] = (), reach_override: Entry | None = None
) -> Configuration:
    """Read and check the configuration; `standard_keys` are those every such plugin of Ansible has.

    Raises RefusedValueError for the first thing that is wrong.
    """
    found = Entry(file, "", data).fields(REQUIRED, (*OPTIONAL, *standard_keys))
    networks, site_networks = _read_sites(found["sites"])
    if "management_networks" in found:
        networks += [read_network(each, None, MANAGEMENT) for each in found["management_networks"].items()]
    states = tuple(each.choice(SERVER_STATES) for each in _list(found, "running_states"))
    return Configuration(
        file=file,
        placement=Placement(file, networks),
        site_networks=site_networks,
        functions=_read_functions(found["functions"], site_networks),
        reach_over=_read_reach(found, reach_override),
        clouds=_read_clouds(_list(found, "clouds"), site_networks),
        running_states=frozenset(states if "running_states" in found else RUNNING_STATES),
        only_ours=found["only_ours"].boolean() if "only_ours" in found else True,
    )


def _list(found: Mapping[str, Entry], name: str) -> list[Entry]:
    return found[name].items() if name in found else []


def _read_reach(found: Mapping[str, Entry], override: Entry | None) -> str:
    reach = found["reach_over"].choice(REACH) if "reach_over" in found else REACH[0]
    return override.choice(REACH) if override else reach


def _read_sites(entry: Entry) -> tuple[list[Network], dict[str, tuple[str, ...]]]:
    networks: list[Network] = []
    names: dict[str, tuple[str, ...]] = {}
    sites = entry.mapping()
    if not sites:
        entry.refuse("at least one site")
    for site, description in sites.items():
        Entry(entry.source, description.key, site).group_name()
        named = description.fields(("networks",))["networks"]
        found = named.mapping()
        if not found:
            named.refuse("at least one network, or hosts could not be placed in the site")
        for name, value in found.items():
            Entry(entry.source, value.key, name).group_name()
            networks.append(read_network(value, site, name))
        names[site] = tuple(found)
    return networks, names


def _read_functions(entry: Entry, sites: Collection[str]) -> tuple[str, ...]:
    functions: list[str] = []
    for each in entry.items():
        name = each.group_name()
        each.distinct(functions)
        if name in sites:
            each.refuse("a name that no site has, for both become groups")
        functions.append(name)
    if not functions:
        entry.refuse("at least one function")
    return tuple(functions)


def _read_clouds(entries: list[Entry], sites: Collection[str]) -> tuple[Cloud, ...]:
    clouds: dict[str, Cloud] = {}
    for entry in entries:
        found = entry.fields(("name", "site"), ("on_unreachable", "timeout_seconds"))
        name = found["name"].text()
        found["name"].distinct(clouds)
        if name in RESERVED_NAMES:
            found["name"].refuse("the name of a cloud in clouds.yaml and none of " + ", ".join(RESERVED_NAMES))
        unreachable, timeout = found.get("on_unreachable"), found.get("timeout_seconds")
        clouds[name] = Cloud(
            name=name,
            site=found["site"].choice(sites),
            on_unreachable=unreachable.choice(ON_UNREACHABLE) if unreachable else ON_UNREACHABLE[0],
            timeout_seconds=timeout.seconds() if timeout else TIMEOUT_SECONDS,
            key=entry.key,
        )
    return tuple(clouds.values())
