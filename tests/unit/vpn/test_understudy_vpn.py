"""What the tool on the gateways decides; what it does is tried by molecule's scenarios vpn and vpn_rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.programs import load

if TYPE_CHECKING:
    from types import ModuleType

OLD, NEW, BRANCH = "o" * 43 + "=", "n" * 43 + "=", "b" * 43 + "="

FILE = f"""
# managed
[Interface]
Address = 10.20.250.1/24
ListenPort = 51820
MTU = 1380
Table = off
PostUp = /usr/local/sbin/understudy-vpn sync %i

# cloud-gw1
[Peer]
PublicKey = {OLD}
Endpoint = 192.0.2.66:51820
AllowedIPs = 10.20.250.2/32, 10.20.2.0/24
PersistentKeepalive = 15

# cloud-gw1, the key it is about to use
[Peer]
PublicKey = {NEW}

# branch theatre-17
[Peer]
PublicKey = {BRANCH}
AllowedIPs = 10.30.17.0/24
PersistentKeepalive = off
"""
DUMP = "\n".join(
    [
        "private\tmine\t51820\toff",
        f"{OLD}\t(none)\t192.0.2.66:51820\t10.20.250.2/32,10.20.2.0/24\t1700000000\t1\t2\t15",
        f"{NEW}\t(none)\t(none)\t(none)\t0\t0\t0\toff",
        f"{BRANCH}\t(none)\t198.51.100.7:40000\t10.30.17.0/24\t0\t0\t0\toff",
    ]
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load("vpn", "understudy_vpn")


def test_a_file_is_read_as_wg_quick_reads_it(tool: ModuleType) -> None:
    tunnel = tool.parse(FILE)

    assert (tunnel.addresses, tunnel.port, tunnel.mtu) == (["10.20.250.1/24"], 51820, 1380)
    assert tunnel.peers == {
        OLD: tool.Peer(frozenset({"10.20.250.2/32", "10.20.2.0/24"}), "192.0.2.66:51820", 15),
        NEW: tool.Peer(),
        BRANCH: tool.Peer(frozenset({"10.30.17.0/24"})),
    }


def test_a_tunnel_that_runs_as_its_file_says_does_not_differ(tool: ModuleType) -> None:
    assert not tool.differs(tool.parse(FILE), "mine", tool.parse_dump(DUMP))


def test_a_peer_that_moved_is_no_difference(tool: ModuleType) -> None:
    assert not tool.differs(tool.parse(FILE), "mine", tool.parse_dump(DUMP.replace("192.0.2.66", "203.0.113.9")))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("mine", "another"),
        ("51820\toff", "4444\toff"),
        (f"{BRANCH}\t", "x\t"),
        ("10.30.17.0/24", "10.30.18.0/24"),
        ("\t15", "\toff"),
        (f"\n{NEW}\t(none)\t(none)\t(none)\t0\t0\t0\toff", ""),
    ],
    ids=["own key", "port", "peer's key", "peer's networks", "keepalive", "peer missing"],
)
def test_any_other_difference_is_seen(tool: ModuleType, was: str, now: str) -> None:
    assert was in DUMP

    assert tool.differs(tool.parse(FILE), "mine", tool.parse_dump(DUMP.replace(was, now)))


def test_what_is_set_reads_back_as_the_same_tunnel(tool: ModuleType) -> None:
    tunnel = tool.parse(FILE)

    again = tool.parse(tool.settings(tunnel, "secret"))

    assert (again.port, again.peers) == (tunnel.port, tunnel.peers)


def test_only_networks_behind_the_tunnel_need_a_route(tool: ModuleType) -> None:
    assert tool.routed(tool.parse(FILE)) == {"10.20.2.0/24", "10.30.17.0/24"}


def test_two_keys_change_places_with_their_networks_and_back(tool: ModuleType) -> None:
    swapped = tool.swapped(FILE, OLD, NEW)

    peers = tool.parse(swapped).peers
    assert peers[NEW] == tool.parse(FILE).peers[OLD]
    assert peers[OLD] == tool.Peer()
    assert tool.swapped(swapped, NEW, OLD) == FILE


@pytest.mark.parametrize(
    ("handshakes", "used"),
    [
        ({OLD: 1700000000, NEW: 0}, OLD),
        ({OLD: 1700000000, NEW: 1700000100}, NEW),
        ({OLD: 1700000100, NEW: 1700000100}, NEW),
        ({OLD: 1700000108, NEW: 1700000100}, OLD),
        ({OLD: 0, NEW: 0}, OLD),
        ({}, OLD),
    ],
    ids=["not yet", "switched", "within the same second", "returned", "never met", "gone"],
)
def test_the_key_that_shook_hands_last_is_in_use(tool: ModuleType, handshakes: dict[str, int], used: str) -> None:
    assert tool.in_use(handshakes, OLD, NEW) == used
