"""Spell firewall entries as nftables rules."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# nftables keeps comments of up to 128 bytes.
LONGEST_COMMENT = 120
# By number: a minimal host has no /etc/protocols to find names in.
NUMBERS = {"tcp": 6, "udp": 17}
KEYWORDS = {"sources": "saddr", "destinations": "daddr", "except_destinations": "daddr !="}


def nftables_rules(entries: Iterable[Mapping[str, Any]], verdict: str) -> list[str]:
    """Return one nftables rule per entry and IP version that the entry speaks of (pure).

    An entry has `name` and any of `in_interface`, `out_interface`, `sources`, `destinations`,
    `except_destinations`, `protocol` and `ports`; what is left out matches everything. An entry without
    addresses gives one rule for both IP versions. Raises ValueError for an address that is none.
    """
    return [rule for entry in entries for rule in _rules(entry, verdict)]


def _rules(entry: Mapping[str, Any], verdict: str) -> Iterator[str]:
    """Yield the rules of one entry."""
    networks = {key: _merged(entry.get(key) or []) for key in KEYWORDS}
    comment = str(entry["name"]).replace('"', "'")[:LONGEST_COMMENT]
    tail = [*_service(entry), verdict, f'comment "{comment}"']
    names = (("iifname", "in_interface"), ("oifname", "out_interface"))
    interfaces = [f'{keyword} "{entry[key]}"' for keyword, key in names if entry.get(key)]
    if not any(networks.values()):
        yield " ".join([*interfaces, *tail])
        return
    for family, kind in (("ip", IPv4Network), ("ip6", IPv6Network)):
        mine = {key: [one for one in found if isinstance(one, kind)] for key, found in networks.items()}
        impossible = any(networks[key] and not mine[key] for key in ("sources", "destinations"))
        if impossible or not any(mine.values()):
            continue
        matches = [
            f"{family} {keyword} {{ {', '.join(map(str, mine[key]))} }}"
            for key, keyword in KEYWORDS.items()
            if mine[key]
        ]
        yield " ".join([*interfaces, *matches, *tail])


def _service(entry: Mapping[str, Any]) -> list[str]:
    """Return the match on protocol and ports."""
    protocol, ports = entry.get("protocol"), entry.get("ports") or []
    if ports:
        return [f"{protocol} dport {{ {', '.join(map(str, ports))} }}"]
    return [f"meta l4proto {NUMBERS[protocol]}"] if protocol else []


def _merged(values: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Return networks without overlaps: nftables refuses a set in which one contains another."""
    read = [ip_network(value) for value in values]
    four = collapse_addresses(network for network in read if isinstance(network, IPv4Network))
    six = collapse_addresses(network for network in read if isinstance(network, IPv6Network))
    return [*four, *six]


class FilterModule:
    """Offer the spelling to templates."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions, as Ansible asks for them."""
        return {"nftables_rules": nftables_rules}
