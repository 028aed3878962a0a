"""The running lab, as an operator sees it: its commands, its hosts by SSH, its inventory."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from lab import faults, runners, topology
from lab.paths import Paths

ROOT = Path(__file__).resolve().parents[2]
OPERATOR = Path("/var/lib/understudy/lab/operator")
SSH = ["ssh", "-i", str(OPERATOR / "id_ed25519"), "-o", f"UserKnownHostsFile={OPERATOR / 'known_hosts'}"]
SSH += ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"]
CUSTOMERS = {"crowd1": "10.210.255.17"}  # not in the inventory: they are not ours


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.code == 0


def run(command: list[str], seconds: float = 120, env: dict[str, str] | None = None) -> Done:
    """Run a command in the project's folder; a command over its limit counts as failed with code 124."""
    started = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False, env=env)
    except subprocess.TimeoutExpired as late:
        return Done(124, str(late.stdout or ""), f"over {seconds} s", time.monotonic() - started)
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


def changed(done: Done) -> dict[str, str]:
    """Map each host of a playbook's recap to how many changes were made there."""
    return dict(re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", done.out, re.MULTILINE))


def eventually(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until a condition holds, and say what did not happen within its deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.2)


@dataclass
class Lab:
    """The lab's commands and hosts."""

    listeners: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, *words: str, seconds: float = 180) -> Done:
        done = run(["lab", *words], seconds)
        assert done.ok, f"lab {' '.join(words)} exited {done.code}: {done.out}{done.err}"
        return done

    def inventory(self, seconds: float = 60) -> dict[str, Any]:
        """Read the merged inventory through Ansible's own command."""
        done = run(["ansible-inventory", "--list"], seconds)
        assert done.ok, done.err
        return dict(json.loads(done.out))

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Map each standing host to its management address."""
        hosts = self.inventory()["_meta"]["hostvars"]
        return {name: str(facts["two_sites_addresses"]["management"]) for name, facts in hosts.items()} | CUSTOMERS

    def on(self, host: str, command: str, seconds: float = 20) -> Done:
        """Run a command on a host as the managed user, over the management network."""
        return run([*SSH, f"ansible@{self.addresses[host]}", command], seconds)

    def answers(self, host: str) -> bool:
        """Ask whether the managed user can log in and run something."""
        return self.on(host, "true").ok

    def pings(self, host: str, address: str, count: int = 3) -> bool:
        """Ask one host whether another address answers it."""
        return self.on(host, f"ping -q -c {count} -i 0.2 -W 1 {address}").ok

    def listen(self, host: str, port: int) -> None:
        """Start a listener until the test ends and open the firewall for it; a service that is there will do."""
        if self.on(host, f"ss -ltnH sport = :{port} | grep -q .").ok:
            return
        code = (
            "import socketserver\n"
            "class H(socketserver.BaseRequestHandler):\n"
            "    def handle(self):\n"
            "        while self.request.recv(65536): pass\n"
            "socketserver.ThreadingTCPServer.allow_reuse_address=True\n"
            f"socketserver.ThreadingTCPServer(('0.0.0.0',{port}),H).serve_forever()"
        )
        unit = f"acceptance-{port}"
        command = f"sudo systemd-run --collect --quiet --unit={unit} /usr/bin/python3 -c {shlex.quote(code)}"
        assert self.on(host, command).ok
        assert self.on(host, f"sudo nft insert rule inet understudy input tcp dport {port} accept comment {unit}").ok
        self.listeners.append((host, port))
        eventually(lambda: self.on(host, f"ss -ltn | grep -q :{port}").ok, 10, f"listener on {host}:{port}")

    def reaches(self, host: str, address: str, port: int) -> bool:
        """Ask one host whether it can connect to a port."""
        code = f"import socket;socket.create_connection(('{address}',{port}),3)"
        return self.on(host, f"python3 -c {shlex.quote(code)}").ok

    def stop_listeners(self) -> None:
        """End the listeners and forget their firewall rules."""
        for host, port in self.listeners:
            unit = f"acceptance-{port}"
            handle = f"sudo nft -a list chain inet understudy input | sed -n 's/.*{unit}.*handle //p'"
            self.on(
                host,
                f"sudo systemctl stop {unit}; "
                f"for h in $({handle}); do sudo nft delete rule inet understudy input handle $h; done",
            )
        self.listeners.clear()


@contextmanager
def dead(lab: Lab, host: str) -> Iterator[None]:
    """Take a host's power, and give it back in any case."""
    lab("power-off", host)
    try:
        yield
    finally:
        lab("power-on", host)


@pytest.fixture(scope="session")
def session_lab() -> Lab:
    return Lab()


@pytest.fixture(scope="session")
def site() -> faults.Lab:
    """The lab as its own tools see it."""
    return faults.Lab(topology.load(), Paths())


@pytest.fixture(scope="session", autouse=True)
def brakes(session_lab: Lab, site: faults.Lab) -> Iterator[None]:
    """Keep the runners from answering the crowds of these tests with servers."""
    with runners.held(site, "acceptance tests bring crowds of their own"):
        yield


@pytest.fixture
def lab(session_lab: Lab) -> Iterator[Lab]:
    """The healthy lab; whatever a test broke is healed after it."""
    yield session_lab
    session_lab("heal")
    session_lab("cloud-api", "up")
    session_lab.stop_listeners()
