"""Place addresses in networks, and refuse networks in which a place would be ambiguous."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import netaddr  # type: ignore[import-untyped]  # netaddr ships no types

from .entries import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

MANAGEMENT = "management"
PREFIXED = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Network:
    """A named network of a site; a management network has no site.

    `first` and `last` are the addresses as numbers, `version` is 4 or 6.
    """

    site: str | None
    name: str
    cidr: str
    version: int
    first: int
    last: int
    key: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its usual spelling, and as a number."""

    text: str
    version: int
    number: int


def read_network(entry: Entry, site: str | None, name: str) -> Network:
    """Read a network in prefix notation; host bits must be zero."""
    text = entry.text()
    expected = "a network such as 10.210.1.0/24 or fd00:210:1::/64"
    if not PREFIXED.fullmatch(text):
        entry.refuse(expected)
    try:
        network = netaddr.IPNetwork(text)
    except (netaddr.AddrFormatError, ValueError):
        entry.refuse(expected)
    if network.ip != network.network:
        entry.refuse(f"no host bits set; did you mean {network.cidr}?")
    return Network(
        site, name, str(network.cidr), int(network.version), int(network.first), int(network.last), entry.key
    )


def read_address(entry: Entry) -> Address:
    """Read a single IPv4 or IPv6 address."""
    address = parse_address(entry.text())
    if address is None:
        entry.refuse("an address such as 10.210.1.11 or fd00:210:1::11, without a prefix length")
    return address


def parse_address(text: str) -> Address | None:
    """Give the address that a text spells, or None."""
    try:
        address = netaddr.IPAddress(text)
    except (netaddr.AddrFormatError, ValueError):
        return None
    return Address(str(address), int(address.version), int(address))


class Placement:
    """Know the network of every address; refuse networks that overlap.

    Guards that the networks are disjoint: after construction an address has one place or none.
    """

    def __init__(self, file: str, networks: Iterable[Network]) -> None:
        self._networks: dict[int, list[Network]] = {4: [], 6: []}
        for network in sorted(networks, key=lambda each: (each.version, each.first, each.last)):
            before = self._networks[network.version]
            if before and before[-1].last >= network.first:
                other = before[-1]
                Entry(file, network.key, network.cidr).refuse(
                    f"a network that overlaps no other; {other.key} is {other.cidr}"
                )
            before.append(network)
        self._firsts = {version: [each.first for each in found] for version, found in self._networks.items()}

    def network_of(self, address: Address) -> Network | None:
        """Give the network an address is in, or None."""
        index = bisect_right(self._firsts[address.version], address.number) - 1
        if index < 0:
            return None
        network = self._networks[address.version][index]
        return network if address.number <= network.last else None
