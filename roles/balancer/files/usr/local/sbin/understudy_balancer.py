#!/usr/bin/python3
"""Drain and enrol servers at this edge through HAProxy's runtime socket, and keep what was said over reloads.

Commands and fields are those of HAProxy's management guide: `show servers state` (version 1), `show stat`,
`set server`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SOCKET = Path("/run/haproxy/admin.sock")
STATE_FILE = Path("/var/lib/haproxy/server-state")
TAKEN_CERTIFICATE = Path("/run/understudy-balancer-certificate")
BACKEND = "was"
# Bits of srv_admin_state. 0x04 is left out: it says that the configuration began with `disabled`, and stays when the
# server is let in.
MAINTENANCE = 0x01 | 0x02 | 0x20 | 0x40
DRAINED = 0x08 | 0x10
OPERATIONAL = frozenset({1, 2})  # starting, running
PAUSE_SECONDS = 0.1


class RefusalError(Exception):
    """What was asked for cannot be done; the text says why and what to do."""


@dataclass(frozen=True)
class Server:
    """One server as this edge sees it."""

    name: str
    admin: int
    operational: int
    requests: int = 0
    last_check: str = ""

    @property
    def drained(self) -> bool:
        """Tell whether it was told to take no new requests."""
        return bool(self.admin & (DRAINED | MAINTENANCE))

    @property
    def closed(self) -> bool:
        """Tell whether nobody checks it: no server is expected there."""
        return bool(self.admin & MAINTENANCE)

    @property
    def usable(self) -> bool:
        """Tell whether it gets new requests."""
        return not self.drained and self.operational in OPERATIONAL


def parse(state: str, statistics: str, backend: str = BACKEND) -> dict[str, Server]:
    """Read the answers to `show servers state` and `show stat`; return the backend's servers by name."""
    figures = {
        row["svname"]: row
        for row in csv.DictReader(statistics.removeprefix("# ").splitlines())
        if row["pxname"] == backend
    }
    servers: dict[str, Server] = {}
    heads: list[str] = []
    for line in state.splitlines():
        if line.startswith("# "):
            heads = line[2:].split()
        elif heads and line.strip():
            field = dict(zip(heads, line.split(), strict=False))
            if field["be_name"] != backend:
                continue
            name = field["srv_name"]
            row = figures.get(name, {})
            servers[name] = Server(
                name=name,
                admin=int(field["srv_admin_state"]),
                operational=int(field["srv_op_state"]),
                requests=int(row.get("scur") or 0) + int(row.get("qcur") or 0),
                last_check=" ".join(filter(None, (row.get("check_status"), row.get("check_code")))),
            )
    return servers


def find(servers: dict[str, Server], name: str, edge: str) -> Server:
    """Return the named server; refuse a name that this edge does not know."""
    if name not in servers:
        known = ", ".join(sorted(servers)) or "none"
        raise RefusalError(
            f"{edge} knows no server '{name}'; it knows {known}. Add it to balancer_servers and run "
            "role balancer's main there."
        )
    return servers[name]


def refuse_to_drain_the_last(servers: dict[str, Server], name: str, edge: str) -> None:
    """Refuse when customers of this edge would be left without a server."""
    if servers[name].usable and not any(server.usable for server in servers.values() if server.name != name):
        raise RefusalError(
            f"{name} is the only usable server of {edge}: drained, customers would see the sorry page. "
            "Bring another one up first, or say balancer_drain_last=true."
        )


@dataclass(frozen=True)
class Edge:
    """This edge, reached through its runtime socket."""

    name: str
    path: Path = SOCKET
    state_file: Path = STATE_FILE

    def ask(self, command: str) -> str:
        """Send one command; return the answer."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect(str(self.path))
                connection.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
        except OSError as error:
            raise RefusalError(
                f"HAProxy on {self.name} does not answer at {self.path} ({error}). Look at 'systemctl status haproxy'."
            ) from error

    def servers(self) -> dict[str, Server]:
        """Look at all servers."""
        return parse(self.ask(f"show servers state {BACKEND}"), self.ask(f"show stat {BACKEND} 4 -1"))

    def tell(self, name: str, state: str) -> None:
        """Change the state of one server."""
        said = self.ask(f"set server {BACKEND}/{name} state {state}").strip()
        if said:
            raise RefusalError(f"HAProxy on {self.name} did not set {name} to {state}: {said}")

    def save(self) -> None:
        """Write down the state of all servers, which HAProxy reads when it is loaded."""
        text = self.ask("show servers state")
        if not text.startswith("1"):
            raise RefusalError(f"HAProxy on {self.name} gave no list of its servers: {text.strip()[:200]}")
        handle, name = tempfile.mkstemp(prefix=".server-state-", dir=self.state_file.parent)
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        Path(name).replace(self.state_file)


def drain(edge: Edge, name: str, deadline_seconds: float, *, last: bool, close: bool, check: bool) -> bool:
    """Give a server no new requests and wait until it has finished those it has; tell whether something changed.

    `close`: it goes for good. Its place is then in maintenance, for HAProxy calls a drained server that is gone down.
    """
    servers = edge.servers()
    server = find(servers, name, edge.name)
    if not last:
        refuse_to_drain_the_last(servers, name, edge.name)
    done = server.closed if close else server.drained
    if check:
        return not done
    if not server.drained:
        edge.tell(name, "drain")
        edge.save()
    end = time.monotonic() + deadline_seconds
    while (left := edge.servers()[name].requests) > 0:
        if time.monotonic() > end:
            raise RefusalError(
                f"{name} still had {left} requests at {edge.name} after {deadline_seconds:g} s. It stays "
                f"drained: look at 'show sess' on {edge.path}, wait or stop the server, then run this again."
            )
        time.sleep(PAUSE_SECONDS)
    if close and not done:
        edge.tell(name, "maint")
        edge.save()
    return not done


def enrol(edge: Edge, name: str, deadline_seconds: float, *, check: bool) -> bool:
    """Give a server requests again and wait until its health check passes; tell whether something changed."""
    server = find(edge.servers(), name, edge.name)
    if check:
        return server.drained
    if server.drained:
        edge.tell(name, "ready")
        edge.save()
    end = time.monotonic() + deadline_seconds
    while not (now := edge.servers()[name]).usable:
        if time.monotonic() > end:
            raise RefusalError(
                f"{name} is enrolled at {edge.name} but not ready after {deadline_seconds:g} s; its last "
                f"health check said '{now.last_check or 'nothing'}'. Look at its /readyz and the way from {edge.name}."
            )
        time.sleep(PAUSE_SECONDS)
    return server.drained


def say(line: str) -> None:
    """Write one line of the answer."""
    sys.stdout.write(f"{line}\n")


def take_certificate(certificate: Path) -> bool:
    """Let HAProxy load the certificate when it is another one than it was last time; tell whether it did."""
    digest = hashlib.sha256(certificate.read_bytes()).hexdigest()
    if TAKEN_CERTIFICATE.is_file() and TAKEN_CERTIFICATE.read_text() == digest:
        return False
    subprocess.run(["systemctl", "reload", "haproxy.service"], check=True)
    TAKEN_CERTIFICATE.write_text(digest)
    return True


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="understudy-balancer", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--socket", type=Path, default=SOCKET, help="HAProxy's runtime socket")
    parser.add_argument("--check", action="store_true", help="change nothing, tell what would change")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("drain", "enrol"):
        sub = commands.add_parser(command, help=f"{command} a server")
        sub.add_argument("--deadline", type=float, default=30, help="seconds to wait")
        sub.add_argument("server")
        if command == "drain":
            sub.add_argument("--last", action="store_true", help="also when it is the only usable one")
            sub.add_argument("--close", action="store_true", help="it goes for good: check it no more")
    commands.add_parser("save", help="write down the servers' states for the next load")
    sub = commands.add_parser("certificate", help="let HAProxy load a new certificate")
    sub.add_argument("file", type=Path)
    commands.add_parser("show", help="list the servers")
    return parser.parse_args(words)


def main() -> int:
    """Do what the command line says; print `changed` or `unchanged`, or the reason why not."""
    asked = arguments()
    edge = Edge(socket.gethostname(), asked.socket)
    changed = False
    try:
        if asked.command == "drain":
            last, close = asked.last, asked.close
            changed = drain(edge, asked.server, asked.deadline, last=last, close=close, check=asked.check)
        elif asked.command == "enrol":
            changed = enrol(edge, asked.server, asked.deadline, check=asked.check)
        elif asked.command == "certificate":
            changed = take_certificate(asked.file)
        elif asked.command == "save":
            edge.save()
        else:
            for server in edge.servers().values():
                state = "drained" if server.drained else "up" if server.usable else "down"
                say(f"{server.name} {state} requests={server.requests} check={server.last_check or '-'}")
            return 0
    except RefusalError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    say("changed" if changed else "unchanged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
