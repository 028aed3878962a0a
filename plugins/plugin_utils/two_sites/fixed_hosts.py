"""The hosts that are written down: machines of the colo and of the witness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entries import HOST_NAME, RESERVED_NAMES, Entry
from .networks import Address, read_address

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

OURS = "two_sites_"


@dataclass(frozen=True, slots=True)
class FixedHost:
    """A host of the file; `addresses` are by network name, `entry` is its place in the file."""

    name: str
    addresses: Mapping[str, Address]
    functions: tuple[str, ...]
    variables: Mapping[str, object]
    entry: Entry


def read_fixed_hosts(file: str, data: object, functions: Collection[str]) -> tuple[FixedHost, ...]:
    """Read the file's data; its names, addresses and functions are checked one by one, not yet together.

    Raises RefusedValueError for the first thing that is wrong.
    """
    hosts = Entry(file, "", data).fields(("hosts",))["hosts"].mapping()
    return tuple(_read_host(name, entry, functions) for name, entry in hosts.items())


def _read_host(name: str, entry: Entry, functions: Collection[str]) -> FixedHost:
    if not usable_as_host(name):
        Entry(entry.source, entry.key, name).refuse(
            "as key a host name of letters, digits, '.', '_' and '-', other than " + ", ".join(RESERVED_NAMES)
        )
    found = entry.fields(("addresses", "functions"), ("vars",))
    addresses = {network: read_address(each) for network, each in found["addresses"].mapping().items()}
    if not addresses:
        found["addresses"].refuse("at least one address")
    names: list[str] = []
    for each in found["functions"].items():
        each.choice(functions)
        each.distinct(names)
        names.append(each.text())
    variables = found["vars"].mapping() if "vars" in found else {}
    for variable, each in variables.items():
        _check_variable(variable, each)
    return FixedHost(name, addresses, tuple(names), {key: each.value for key, each in variables.items()}, entry)


def usable_as_host(name: str) -> bool:
    """Say whether a name can stand in the inventory and in host patterns."""
    return bool(HOST_NAME.fullmatch(name)) and name not in RESERVED_NAMES


def _check_variable(name: str, entry: Entry) -> None:
    if not name.isidentifier():
        entry.refuse("a variable name of letters, digits and _ as key")
    if name.startswith(OURS) or name == "ansible_host":
        entry.refuse("no such variable: the plugin sets it from the addresses and functions")
