#!/usr/bin/python3
"""Keep a WireGuard tunnel as its files say, and change its keys without dropping it.

Files of interface wg0, in /etc/wireguard: wg0.conf (peers; no secret), wg0.key (the private key) and, during
a rotation, wg0.key.next. Only the standard library: it runs at boot, where nothing else may be installed.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DIRECTORY = Path("/etc/wireguard")
LOOK_SECONDS = 0.03  # how soon the other end follows: well below the 2 s that a rotation may cost


class RefusedError(Exception):
    """Say what did not work and what to do next."""


@dataclass(frozen=True)
class Peer:
    """One peer as the file or the kernel has it."""

    networks: frozenset[str] = frozenset()
    endpoint: str = ""
    keepalive: int = 0


@dataclass
class Tunnel:
    """A tunnel as the file has it."""

    addresses: list[str] = field(default_factory=list)
    port: int = 0
    mtu: int = 1420
    peers: dict[str, Peer] = field(default_factory=dict)


def parse(text: str) -> Tunnel:
    """Return the tunnel that a wg-quick file describes (pure); settings that are not ours are passed over."""
    tunnel = Tunnel()
    sections: list[tuple[str, dict[str, list[str]]]] = []
    for line in (raw.split("#")[0].strip() for raw in text.splitlines()):
        if line.startswith("["):
            sections.append((line, {}))
        elif "=" in line and sections:
            key, value = line.split("=", 1)
            parts = [part.strip() for part in value.split(",")]
            sections[-1][1].setdefault(key.strip().lower(), []).extend(parts)
    for name, values in sections:
        first = {key: found[0] for key, found in values.items()}
        if name == "[Interface]":
            tunnel.addresses = values.get("address", [])
            tunnel.port, tunnel.mtu = int(first.get("listenport", 0)), int(first.get("mtu", 1420))
        elif "publickey" in first:
            networks = frozenset(str(ipaddress.ip_network(one)) for one in values.get("allowedips", []))
            keepalive = first.get("persistentkeepalive", "0")
            tunnel.peers[first["publickey"]] = Peer(
                networks, first.get("endpoint", ""), int(keepalive) if keepalive.isdigit() else 0
            )
    return tunnel


def parse_dump(text: str) -> tuple[str, int, dict[str, Peer]]:
    """Return public key, port and peers from `wg show INTERFACE dump` (pure)."""
    rows = [line.split("\t") for line in text.splitlines()]
    peers = {
        row[0]: Peer(
            networks=frozenset(network for network in row[3].split(",") if network != "(none)"),
            endpoint="" if row[2] == "(none)" else row[2],
            keepalive=int(row[7]) if row[7].isdigit() else 0,
        )
        for row in rows[1:]
    }
    return rows[0][1], int(rows[0][2]), peers


def differs(tunnel: Tunnel, public_key: str, running: tuple[str, int, dict[str, Peer]]) -> bool:
    """Return whether the running tunnel is not what the file says (pure).

    Endpoints are left out: WireGuard follows a peer that moves, and that is no reason to pull it back.
    """
    running_key, port, peers = running
    wanted = {key: (peer.networks, peer.keepalive) for key, peer in tunnel.peers.items()}
    found = {key: (peer.networks, peer.keepalive) for key, peer in peers.items()}
    return (running_key, port, found) != (public_key, tunnel.port, wanted)


def settings(tunnel: Tunnel, private_key: str) -> str:
    """Return what `wg syncconf` reads (pure)."""
    lines = ["[Interface]", f"PrivateKey = {private_key}", f"ListenPort = {tunnel.port}"]
    for key, peer in tunnel.peers.items():
        lines += ["[Peer]", f"PublicKey = {key}", f"PersistentKeepalive = {peer.keepalive}"]
        lines += [f"AllowedIPs = {', '.join(sorted(peer.networks))}"] if peer.networks else []
        lines += [f"Endpoint = {peer.endpoint}"] if peer.endpoint else []
    return "\n".join([*lines, ""])


def routed(tunnel: Tunnel) -> set[str]:
    """Return the networks that need a route: those that no address of the interface covers (pure)."""
    own = [ipaddress.ip_interface(address).network for address in tunnel.addresses]
    networks = {ipaddress.ip_network(one) for peer in tunnel.peers.values() for one in peer.networks}
    return {
        str(network)
        for network in networks
        if not any(network.version == mine.version and network.network_address in mine for mine in own)
    }


def swapped(text: str, one: str, other: str) -> str:
    """Return a file in which two public keys have changed places, and with them their networks (pure)."""
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def in_use(handshakes: dict[str, int], old: str, new: str) -> str:
    """Return which of a peer's two keys it uses: the one that shook hands last (pure). Times in seconds."""
    return new if handshakes.get(new, 0) and handshakes[new] >= handshakes.get(old, 0) else old


def run(*command: str, stdin: str | None = None) -> str:
    """Run a program and return what it printed; raises RefusedError with its own words."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def write(path: Path, text: str, mode: int) -> None:
    """Replace a file in one step; it never exists half-written or readable by more than `mode` says."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def key_path(interface: str) -> Path:
    """Return where the private key of an interface is."""
    return DIRECTORY / f"{interface}.key"


def public_key(path: Path) -> str:
    """Return the public key that belongs to a file's private key."""
    return run("wg", "pubkey", stdin=path.read_text()).strip()


def make_key(path: Path) -> bool:
    """Make a private key unless there is one; return whether it was made."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(path, run("wg", "genkey"), 0o600)
    return True


def synchronize(interface: str, *, force: bool = False) -> bool:
    """Bring the running interface to what its files say without losing a packet; return whether it changed.

    `force` also pulls peers back to the endpoint in the file.
    """
    tunnel = parse((DIRECTORY / f"{interface}.conf").read_text())
    key = key_path(interface)
    changed = force or differs(tunnel, public_key(key), parse_dump(run("wg", "show", interface, "dump")))
    if changed:
        run("wg", "syncconf", interface, "/dev/stdin", stdin=settings(tunnel, key.read_text().strip()))
    link = json.loads(run("ip", "-json", "address", "show", "dev", interface))[0]
    return any([changed, _synchronize_link(interface, tunnel, link), _synchronize_routes(interface, tunnel)])


def _synchronize_link(interface: str, tunnel: Tunnel, link: dict[str, Any]) -> bool:
    """Set packet size and addresses; return whether anything changed."""
    found = {f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] != "link"}
    wanted = {str(ipaddress.ip_interface(address)) for address in tunnel.addresses}
    if link["mtu"] != tunnel.mtu:
        run("ip", "link", "set", "dev", interface, "mtu", str(tunnel.mtu))
    for address in sorted(wanted - found):
        run("ip", "address", "add", address, "dev", interface)
    for address in sorted(found - wanted):
        run("ip", "address", "delete", address, "dev", interface)
    return bool(link["mtu"] != tunnel.mtu or wanted != found)


def _synchronize_routes(interface: str, tunnel: Tunnel) -> bool:
    """Route the peers' networks into the tunnel, and no others; return whether anything changed."""
    wanted = routed(tunnel)
    ours = ("dev", interface, "proto", "static")
    found = set()
    for version in ("-4", "-6"):
        shown = json.loads(run("ip", version, "-json", "route", "show", *ours) or "[]")
        found |= {str(ipaddress.ip_network(route["dst"])) for route in shown}
    for network in sorted(wanted - found):
        run("ip", "route", "replace", network, *ours)
    for network in sorted(found - wanted):
        run("ip", "route", "delete", network, *ours)
    return wanted != found


def answers(interface: str, address: str) -> bool:
    """Return whether an address answers one ping through the tunnel within 0.2 s."""
    ping = ["ping", "-n", "-q", "-c", "1", "-W", "0.2", "-I", interface, address]
    return subprocess.run(ping, capture_output=True, check=False).returncode == 0


def switch_key(interface: str, addresses: list[str], deadline_seconds: float) -> str:
    """Use the key in KEY.next, and keep it once every address answers; return the new public key.

    Without an answer in time the old key is set again: no file has changed by then, and the other end still
    knows the old key.
    """
    key = key_path(interface)
    following = key.with_name(f"{key.name}.next")
    if not following.exists():
        raise RefusedError(f"{following} is missing, so no key can be switched to; rotate again.")
    run("wg", "set", interface, "private-key", str(following))
    deadline, silent = time.monotonic() + deadline_seconds, list(addresses)
    while silent and time.monotonic() < deadline:
        silent = [address for address in silent if not answers(interface, address)]
    if silent:
        run("wg", "set", interface, "private-key", str(key))
        for address in addresses:
            answers(interface, address)
        raise RefusedError(
            f"{', '.join(silent)} did not answer within {deadline_seconds:g} s of the new key, so the old "
            "one is used again; see 'journalctl -u understudy-vpn-follow' over there, then rotate again."
        )
    following.replace(key)
    return public_key(key)


def follow(interface: str, old: str, new: str, window_seconds: float) -> None:
    """Give a peer's networks to whichever of its two keys it uses, while the window lasts.

    This end does it by itself, because whoever runs the rotation may reach it through this very tunnel.
    """
    path, current, deadline = DIRECTORY / f"{interface}.conf", old, time.monotonic() + window_seconds
    while time.monotonic() < deadline:
        rows = [line.split("\t") for line in run("wg", "show", interface, "latest-handshakes").splitlines()]
        wanted = in_use({key: int(seconds) for key, seconds in rows}, old, new)
        if wanted != current:
            write(path, swapped(path.read_text(), current, wanted), 0o600)
            synchronize(interface)
            sys.stdout.write(f"{interface}: the peer now uses {wanted} instead of {current}\n")
            sys.stdout.flush()
            current = wanted
        time.sleep(LOOK_SECONDS)


def arguments() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    parser = argparse.ArgumentParser(prog="understudy-vpn", description=(__doc__ or "").splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, text in (("make-key", "make a private key unless there is one"), ("public-key", "print its public key")):
        verbs.add_parser(name, help=text).add_argument("path", type=Path)
    verb = verbs.add_parser("sync", help="bring the running interface to what its files say")
    verb.add_argument("interface")
    verb.add_argument("--force", action="store_true", help="also pull peers back to the endpoint in the file")
    verb = verbs.add_parser("switch-key", help="use the next key, and keep it once the peers answer")
    verb.add_argument("interface")
    verb.add_argument("addresses", nargs="*", help="addresses in the tunnel that must answer")
    verb.add_argument("--deadline", type=float, default=8.0, metavar="SECONDS")
    verb = verbs.add_parser("follow", help="follow a peer from one key to the other, and back")
    verb.add_argument("interface")
    verb.add_argument("--old", required=True)
    verb.add_argument("--new", required=True)
    verb.add_argument("--window", type=float, default=60.0, metavar="SECONDS")
    return parser


def main() -> None:
    """Do what the command line says; print one line, or refuse with a sentence and exit with 1."""
    given = arguments().parse_args()
    try:
        if given.verb == "make-key":
            sys.stdout.write("changed\n" if make_key(given.path) else "unchanged\n")
        elif given.verb == "public-key":
            sys.stdout.write(f"{public_key(given.path)}\n")
        elif given.verb == "sync":
            changed = synchronize(given.interface, force=given.force)
            sys.stdout.write("changed\n" if changed else "unchanged\n")
        elif given.verb == "switch-key":
            sys.stdout.write(f"{switch_key(given.interface, given.addresses, given.deadline)}\n")
        else:
            follow(given.interface, given.old, given.new, given.window)
    except (RefusedError, OSError) as refusal:
        sys.exit(f"understudy-vpn {given.verb}: {refusal}")


if __name__ == "__main__":
    main()
