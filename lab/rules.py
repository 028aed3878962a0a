"""Write the lab's nftables rules (pure)."""

from __future__ import annotations

import hashlib
from itertools import product
from typing import TYPE_CHECKING

from lab.layout import MANAGEMENT_SWITCH, wan_switches
from lab.topology import ANYWHERE, CLOUD_API, PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.topology import Topology

OPERATOR_TABLE = "inet understudy_lab"
WAN_TABLE = "inet understudy_wan"
PORTS_TABLE = "bridge understudy_ports"

_OPERATOR = """
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "{switch}" jump from_hosts
  }}

  # Hosts may ask the operator's machine for names and for nothing else.
  chain from_hosts {{
    ct state established,related accept
    meta l4proto {{ tcp, udp }} th dport 53 accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    reject
  }}

  # What belongs to the lab never leaves the machine, not even while the lab is half built.
  chain stays {{
    oifname {{ "{switch}", "lo" }} return
    ip daddr {molecule} return
    ip daddr {supernet} reject with icmp net-unreachable
  }}

  chain forward {{
    type filter hook forward priority filter; policy accept;
    jump stays
    iifname "{switch}" ip saddr != {management} drop
    iifname "{switch}" oifname "{switch}" reject with icmp admin-prohibited
    iifname "{switch}" accept
    oifname "{switch}" ct state established,related accept
    oifname "{switch}" drop
  }}

  chain output {{
    type filter hook output priority filter; policy accept;
    jump stays
  }}

  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {management} oifname != "{switch}" masquerade
  }}
"""

_WAN = """
  # Faults. cut: from . to; dark and powered_off: networks.
  set cut {{ type ipv4_addr . ipv4_addr; flags interval; }}
  set dark {{ type ipv4_addr; flags interval; }}
  set powered_off {{ type ipv4_addr; flags interval; }}

  set insides {{
    type ifname . ifname
    elements = {{ {insides} }}
  }}

  # A public network's switch, and the addresses that may come from there.
  set origins {{
    type ifname . ipv4_addr; flags interval;
    elements = {{ {origins} }}
  }}

  # from . to . protocol . port
  set flows {{
    type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags interval;
    elements = {{ {flows} }}
  }}

  chain forward {{
    type filter hook forward priority filter; policy drop;
    ip saddr . ip daddr @cut counter drop
    ip saddr @dark counter drop
    ip daddr @dark counter drop
    ip saddr @powered_off counter drop
    ip daddr @powered_off counter drop
    # Frames between two ports of a switch, which the kernel shows here where br_netfilter is loaded.
    iifname . oifname @insides accept
    # Coming out of a slow line: was let in below.
    iifname "slow*" accept
    iifname . ip saddr != @origins counter drop
    ct state established,related accept
    icmp type echo-request accept
    ip saddr . ip daddr . ip protocol . th dport @flows accept
    counter
  }}
"""

_PORTS = """
  # Isolated hosts' ports: neither their site nor the world hears them; the management network does.
  set isolated {{ type ifname; }}

  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname @isolated counter drop
    oifname @isolated counter drop
  }}

  chain input {{
    type filter hook input priority filter; policy accept;
    iifname @isolated counter drop
  }}

  chain output {{
    type filter hook output priority filter; policy accept;
    oifname @isolated counter drop
  }}
"""


def operator(topology: Topology) -> str:
    """Return the rules of the operator's own namespace."""
    body = _OPERATOR.format(
        switch=MANAGEMENT_SWITCH,
        management=topology.management,
        molecule=topology.molecule,
        supernet=topology.supernet,
    )
    return _replacement(OPERATOR_TABLE, body)


def wan(topology: Topology) -> str:
    """Return the rules between the sites: what production's firewalls would let through, and the faults."""
    public = [segment for segment in topology.segments if segment.network == PUBLIC]
    body = _WAN.format(
        origins=_list(f'"{segment.switch}" . {segment.prefix}' for segment in public),
        insides=_list(f'"{switch.name}" . "{switch.name}"' for switch in wan_switches(topology)),
        flows=_list(_flows(topology)),
    )
    return _replacement(WAN_TABLE, body) + _replacement(PORTS_TABLE, _PORTS.format())


def digest(body: str) -> str:
    """Return the mark that tells which rules a table was loaded from."""
    return f"understudy {hashlib.sha256(body.encode()).hexdigest()[:16]}"


def _replacement(table: str, body: str) -> str:
    fresh = f"table {table} {{\n}}\ndelete table {table}\n"
    return f'{fresh}table {table} {{\n  comment "{digest(body)}"\n{body}}}\n'


def _flows(topology: Topology) -> Iterable[str]:
    for flow in topology.flows:
        ends = product(_ends(topology, flow.sources), _ends(topology, flow.targets), flow.ports)
        yield from (
            f"{source} . {target} . {flow.protocol} . {port}" for source, target, port in ends if source != target
        )


def _ends(topology: Topology, names: Iterable[str]) -> list[str]:
    """Return the addresses and networks that the names of a flow's end stand for, none inside another."""
    wanted = set(names)
    if ANYWHERE in wanted:
        return [str(topology.supernet)]
    ends = [str(topology.cloud_api)] if CLOUD_API in wanted else []
    return list(dict.fromkeys(ends + topology.public_addresses(wanted)))


def _list(elements: Iterable[str]) -> str:
    return ",\n      ".join(elements)
