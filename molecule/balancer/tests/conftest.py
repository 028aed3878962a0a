"""Customers of the edge, and the hosts behind it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testinfra.host import Host

    from molecule.conftest import Playbooks

EDGE, SERVERS = "10.210.254.80", "10.210.254.81"
PUBLIC_NAME = "tickets.example.test"
PORTS = {"near1": 8081, "near2": 8082, "far1": 8083}


def host(name: str) -> Host:
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={os.environ['MOLECULE_INVENTORY_FILE']}", sudo=True)


def tls() -> ssl.SSLContext:
    """Trust the edge's own certificate and nothing else."""
    return ssl.create_default_context(cafile=str(Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "edge.crt"))


class Connection(http.client.HTTPSConnection):
    """A customer's connection: by the public name, to the edge's address."""

    def connect(self) -> None:
        plain = socket.create_connection((EDGE, 443), timeout=15)
        self.sock = tls().wrap_socket(plain, server_hostname=PUBLIC_NAME)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def server(self) -> str:
        return str(json.loads(self.text)["server"])


def ask(
    path: str = "/who",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    connection: http.client.HTTPConnection | None = None,
) -> Answer:
    """Make one request, over a connection of its own unless one is given."""
    over = connection or Connection(PUBLIC_NAME)
    over.request(method, path, body=b"{}" if method == "POST" else None, headers=headers or {})
    response = over.getresponse()
    text = response.read().decode()
    if connection is None:
        over.close()
    return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, text)


@dataclass
class Crowd:
    """Customers who ask without a break, half of them over a connection that they keep."""

    customers: int = 6
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._live, args=(n % 2 == 0,)) for n in range(self.customers)]
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.answers.total() > 10 * self.customers, "the crowd is there")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=20)

    def _live(self, keeps: bool) -> None:
        connection = Connection(PUBLIC_NAME)
        while not self._over.is_set():
            try:
                answer = ask(connection=connection if keeps else None)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection = Connection(PUBLIC_NAME)
                continue
            if answer.status == 200:
                self.answers[answer.server] += 1
            else:
                self.failures.append(f"{answer.status}: {answer.text[:80]}")
            if answer.headers.get("connection") == "close":
                connection.close()
        connection.close()

    def since_now(self, requests: int = 60) -> Counter[str]:
        """Count who answers the next requests."""
        before = self.answers.copy()
        wait_until(lambda: self.answers.total() >= before.total() + requests + self.customers, "the crowd goes on")
        return self.answers - before


def wait_until(condition: Callable[[], bool], what: str, deadline_seconds: float = 40) -> None:
    end = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Site:
    """The edge, what customers see through it, and the servers behind it."""

    edge: Host
    farm: Host

    ask = staticmethod(ask)
    wait_until = staticmethod(wait_until)
    crowd = Crowd
    address = EDGE

    def show(self) -> str:
        return str(self.edge.check_output("understudy-balancer show"))

    def who_answers(self) -> set[str]:
        return {answer.server for answer in (ask() for _ in range(8)) if answer.status == 200}

    def connect(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Open a connection with other TLS settings than a customer's browser has."""
        return context.wrap_socket(socket.create_connection((EDGE, 443), timeout=5), server_hostname=PUBLIC_NAME)

    def counts(self, path: str) -> int:
        """Say how often all servers together saw a path, asked past the edge."""
        total = 0
        for port in PORTS.values():
            connection = http.client.HTTPConnection(SERVERS, port, timeout=5)
            connection.request("GET", "/counts")
            total += json.loads(connection.getresponse().read()).get(path, 0)
            connection.close()
        return total


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(host("mol-balancer-edge"), host("mol-balancer-servers"))


@pytest.fixture
def unready(site: Site) -> Iterator[Callable[..., None]]:
    """Return how to make servers unready; all are ready again afterwards."""

    def set_unready(*names: str) -> None:
        for name in names:
            site.farm.check_output(f"touch /run/server/{PORTS[name]}.unready")
        wait_until(lambda: all(f"{name} down" in site.show() for name in names), "the edge sees them down")

    yield set_unready
    site.farm.check_output("rm -f /run/server/*.unready")
    wait_until(lambda: "down" not in site.show(), "the edge sees them up again")


@pytest.fixture
def operate(playbooks: Playbooks, site: Site) -> Iterator[Callable[..., tuple[int, str]]]:
    """Return how to drain and enrol; every server is enrolled again afterwards."""

    def run(verb: str, server: str, *arguments: str) -> tuple[int, str]:
        servers = str(Path(__file__).parents[1] / "servers.yml")
        return playbooks.run(f"molecule/balancer/{verb}.yml", "--inventory", servers, "--limit", server, *arguments)

    yield run
    for name in PORTS:
        site.edge.check_output(f"understudy-balancer enrol --deadline 10 {name}")
