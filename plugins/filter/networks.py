"""Judge a plan of sites, gateways and branch offices before a host is touched."""

from __future__ import annotations

import base64
import binascii
import itertools
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
MANAGEMENT = "the management network"


@dataclass
class Plan:
    """Hold what was understood of the plan, and the faults met on the way.

    `named` are the networks that must not overlap, with where they were read; `carried` says which of them go
    through the tunnel.
    """

    raw: Mapping[str, Any]
    faults: list[str] = field(default_factory=list)
    named: list[tuple[str, Network]] = field(default_factory=list)
    carried: list[tuple[str, Network]] = field(default_factory=list)
    tunnel: Network | None = None

    def entries(self, key: str) -> Sequence[Mapping[str, Any]]:
        """Return one of the plan's lists of mappings; a missing one is empty."""
        found: Sequence[Mapping[str, Any]] = self.raw.get(key) or []
        return found

    def sites(self) -> Mapping[str, Mapping[str, Any]]:
        """Return site name to its networks by name."""
        found: Mapping[str, Mapping[str, Any]] = self.raw.get("sites") or {}
        return found

    def fault(self, found: str, next_step: str) -> None:
        """Record a fault: what was found, and what to do about it."""
        self.faults.append(f"{found}; {next_step}.")

    def network(self, where: str, value: object) -> Network | None:
        """Return the network that `value` spells, or record why it is none."""
        text = str(value)
        if "/" not in text:
            self.fault(f"{where} is '{text}', without a prefix length", "write one such as 10.20.0.0/24")
            return None
        try:
            loose = ip_network(text, strict=False)
        except ValueError:
            self.fault(f"{where} is '{text}', which is no network", "write one such as 10.20.0.0/24")
            return None
        if ip_address(text.partition("/")[0]) != loose.network_address:
            self.fault(f"{where} is '{text}', with host bits set", f"write {loose}")
            return None
        return loose

    def address(self, where: str, value: object) -> Address | None:
        """Return the address that `value` spells, or record why it is none."""
        try:
            return ip_address(str(value))
        except ValueError:
            self.fault(f"{where} is '{value}', which is no address", "write one such as 10.20.0.1")
            return None

    def add(self, where: str, values: Iterable[object], *, carried: bool) -> None:
        """Read networks that must not overlap any other."""
        read = [(where, found) for value in values if (found := self.network(where, value)) is not None]
        self.named += read
        if carried:
            self.carried += read


def network_faults(plan: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a network plan, each as a sentence that says what to do (pure).

    `plan` has the keys `sites`, `management_networks`, `ssh_networks`, `tunnel_network`, `tunnel_port`,
    `tunnel_mtu`, `gateways` and `branches`; their shapes are those of role preflight's entry `network`.
    An empty list means that the plan can work.
    """
    found = Plan(raw=plan)
    judges: tuple[Callable[[Plan], None], ...] = (
        _read_networks,
        _judge_tunnel,
        _judge_names,
        _judge_gateways,
        _judge_branches,
        _judge_public_keys,
        _judge_versions,
        _judge_overlaps,
        _judge_ssh,
    )
    for judge in judges:
        judge(found)
    return found.faults


def _read_networks(plan: Plan) -> None:
    """Read every network of the plan once, so that later judges speak of networks and not of text."""
    for site, networks in plan.sites().items():
        for name, value in networks.items():
            plan.add(f"site {site}, network {name}", [value], carried=name == "lan")
    plan.add(MANAGEMENT, plan.raw.get("management_networks") or [], carried=False)
    plan.add("the tunnel network", [plan.raw.get("tunnel_network", "")], carried=False)
    plan.tunnel = next((network for where, network in plan.named if where == "the tunnel network"), None)
    for branch in plan.entries("branches"):
        plan.add(f"branch {branch.get('name')}", branch.get("allowed_networks") or [], carried=True)


def _judge_tunnel(plan: Plan) -> None:
    """Judge the tunnel's port and packet size."""
    port, mtu = plan.raw.get("tunnel_port"), plan.raw.get("tunnel_mtu")
    if not _is_port(port):
        plan.fault(f"the tunnel's port is '{port}'", "choose one from 1 to 65535 (51820 is usual)")
    if not isinstance(mtu, int) or not 1280 <= mtu <= 8920:
        plan.fault(f"the tunnel's MTU is '{mtu}'", "choose the path's MTU less 80, from 1280 to 8920")


def _judge_names(plan: Plan) -> None:
    """Judge that a name stands for one end of the tunnel."""
    ends = [*plan.entries("gateways"), *plan.entries("branches")]
    for name, count in _repeated(str(end.get("name")) for end in ends):
        where = "among gateways and branches"
        plan.fault(f"the name '{name}' is used {count} times {where}", "give each its own")


def _judge_gateways(plan: Plan) -> None:
    """Judge each gateway's site, endpoint and address in the tunnel."""
    addresses: list[str] = []
    for gateway in plan.entries("gateways"):
        where = f"gateway {gateway.get('name')}"
        site = gateway.get("site")
        if "lan" not in plan.sites().get(str(site), {}):
            plan.fault(f"{where}: its site '{site}' has no network 'lan'", "add it to the site's networks")
        _judge_endpoint(plan, where, gateway.get("endpoint"), required=True)
        address = plan.address(f"{where}, tunnel address", gateway.get("tunnel_address", ""))
        if address is not None:
            addresses.append(str(address))
            _judge_tunnel_address(plan, where, address)
    for name, count in _repeated(addresses):
        plan.fault(f"the tunnel address {name} is given to {count} gateways", "give each its own")


def _judge_tunnel_address(plan: Plan, where: str, address: Address) -> None:
    """Judge that a gateway's address is a host address of the tunnel network."""
    tunnel, which = plan.tunnel, f"{where}: its tunnel address {address}"
    if tunnel is None:
        return
    if address.version != tunnel.version:
        versions = f"IPv{address.version} but the tunnel network {tunnel} is IPv{tunnel.version}"
        plan.fault(f"{which} is {versions}", "write both in the same version")
    elif address not in tunnel:
        plan.fault(f"{which} is outside {tunnel}", "choose one inside")
    elif address in {tunnel.network_address, tunnel.broadcast_address}:
        plan.fault(f"{which} is no host address of {tunnel}", "choose another")


def _judge_branches(plan: Plan) -> None:
    """Judge each branch office: where it connects, what it announces, which key it has."""
    gateways = sorted(str(gateway.get("name")) for gateway in plan.entries("gateways"))
    for branch in plan.entries("branches"):
        where, gateway = f"branch {branch.get('name')}", branch.get("gateway")
        if gateway not in gateways:
            known = ", ".join(gateways) or "none declared"
            plan.fault(f"{where} connects to '{gateway}', which is no gateway", f"name one of {known}")
        if not branch.get("allowed_networks"):
            plan.fault(f"{where} announces no network, so nothing is routed to it", "list its networks")
        _judge_endpoint(plan, where, branch.get("endpoint"), required=False)
        if not _is_key(key := branch.get("public_key")):
            plan.fault(f"{where}: its public key is '{key}'", "paste the 44 characters of 'wg pubkey' there")


def _judge_endpoint(plan: Plan, where: str, endpoint: object, *, required: bool) -> None:
    """Judge `host:port`, with an IPv6 host in brackets."""
    if not endpoint:
        if required:
            plan.fault(f"{where} has no endpoint, so nobody can find it", "set its public address:port")
        return
    host, _, port = str(endpoint).rpartition(":")
    if not host or (":" in host) != host.startswith("["):
        plan.fault(f"{where}: its endpoint is '{endpoint}'", "write address:port, IPv6 in brackets")
    elif not _is_port(int(port) if port.isdigit() else None):
        plan.fault(f"{where}: its endpoint '{endpoint}' has port '{port}'", "choose one from 1 to 65535")


def _judge_public_keys(plan: Plan) -> None:
    """Judge that no two ends share a key: WireGuard would silently cut off one of them."""
    owners: dict[str, list[str]] = {}
    for end in [*plan.entries("gateways"), *plan.entries("branches")]:
        if key := end.get("public_key"):
            owners.setdefault(str(key), []).append(str(end.get("name")))
    for key, names in owners.items():
        if len(names) > 1:
            plan.fault(f"the public key {key} belongs to {' and '.join(names)}", "make a key on each device")


def _judge_versions(plan: Plan) -> None:
    """Judge that what goes through the tunnel is of the tunnel's IP version."""
    for where, network in plan.carried:
        if plan.tunnel is not None and network.version != plan.tunnel.version:
            versions = f"IPv{network.version}, but the tunnel {plan.tunnel} carries IPv{plan.tunnel.version}"
            plan.fault(f"{where} is {network}, {versions}", "write both in the same version")


def _judge_overlaps(plan: Plan) -> None:
    """Judge that an address belongs to one network only."""
    for (one, first), (other, second) in itertools.combinations(plan.named, 2):
        if first.version == second.version and first.overlaps(second):
            plan.fault(f"{one} ({first}) overlaps {other} ({second})", "renumber one of them")


def _judge_ssh(plan: Plan) -> None:
    """Judge that the firewall will let Ansible in again."""
    locked_out = "may use SSH, so the firewall would lock Ansible out"
    values = plan.raw.get("ssh_networks") or []
    allowed = [found for value in values if (found := plan.network("an SSH network", value)) is not None]
    if not allowed:
        plan.fault(
            f"no network {locked_out}",
            "set base_ssh_networks to the networks that operators and runners come from",
        )
        return
    for where, network in plan.named:
        if where == MANAGEMENT and not any(_covers(wide, network) for wide in allowed):
            plan.fault(f"{where} {network} is not among those that {locked_out}", "add it to base_ssh_networks")


def _covers(wide: Network, narrow: Network) -> bool:
    """Return whether every address of `narrow` is in `wide`."""
    return wide.version == narrow.version and narrow.subnet_of(wide)  # type: ignore[arg-type]  # versions are equal here


def _repeated(values: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield each value that occurs more than once, with its count."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return ((value, count) for value, count in counts.items() if count > 1)


def _is_port(value: object) -> bool:
    """Return whether a value is a usable port number."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _is_key(value: object) -> bool:
    """Return whether a value has the shape of a WireGuard public key: 32 bytes in base64, not all zero."""
    try:
        raw = base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == 32 and any(raw)


class FilterModule:
    """Offer the judgement to templates."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return filter names and functions, as Ansible asks for them."""
        return {"network_faults": network_faults}
