"""A running shop for tests: the stand-in gateway and application servers as processes, as in production."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg

from tests.integration.booking.cluster import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "gateway-secret"


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the condition's value once it is true; fail at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def answers(url: str) -> bool:
    """Tell whether a URL answers 200."""
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass
class Server:
    """A process that listens on a port."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self) -> None:
        """End the process, by force if it must be."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Shop:
    """A database's shop."""

    database_url: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    gateway_server: Server | None = None

    def start(self) -> None:
        """Start the gateway and one server."""
        self.start_gateway()
        self.add_server()

    def stop(self) -> None:
        """End every process."""
        for server in [*self.servers, *([self.gateway_server] if self.gateway_server else [])]:
            server.stop()

    def forget(self) -> None:
        """Forget every sale and payment, and let the gateway behave."""
        self.break_gateway("none")
        wait_until(self._forget_sales, 20, "the sales are forgotten")
        with closing(sqlite3.connect(self.folder / "gateway.sqlite", timeout=5)) as ledger, ledger:
            ledger.execute("DELETE FROM payments")

    def _forget_sales(self) -> bool:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            try:
                connection.execute("TRUNCATE payments, seat_claims, bookings, holds, orphan_payments")
            except psycopg.errors.DeadlockDetected:  # the settler was at work on them
                return False
            connection.execute("UPDATE comparison SET position = ''")
        return True

    def tidy(self) -> None:
        """End the servers that a test added, and bring the gateway back."""
        while len(self.servers) > 1:
            self.servers.pop().stop()
        if self.gateway_server and self.gateway_server.process.poll() is not None:
            self.start_gateway()
        wait_until(lambda: answers(f"{self.url}/readyz"), 60, "the shop can sell again")

    def start_gateway(self) -> None:
        """Start the gateway, with the payments it had."""
        (self.folder / "secret").write_text(SECRET)
        port = free_port() if self.gateway_server is None else int(self.gateway_url.rpartition(":")[2])
        arguments = ["--secret-file", str(self.folder / "secret"), "--store", str(self.folder / "gateway.sqlite")]
        command = ["-m", "booking", "gateway", "--listen", f"127.0.0.1:{port}", *arguments]
        self.gateway_server = self._run(command, {}, port, "gateway")
        wait_until(lambda: answers(f"{self.gateway_url}/healthz"), 60, "the gateway answers")

    def add_server(self, **settings: str) -> Server:
        """Start one more server of the same shop, and wait until it can sell."""
        port, number = free_port(), len(self.servers) + 1
        environment = {
            "BOOKING_DATABASE_URL": self.database_url,
            "BOOKING_GATEWAY_URL": self.gateway_url,
            "BOOKING_GATEWAY_SECRET_FILE": str(self.folder / "secret"),
            "BOOKING_SECRET_KEY": "the same on every server",
            "BOOKING_SITE_NAME": f"server-{number}",
            "BOOKING_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "BOOKING_GATEWAY_TIMEOUT_SECONDS": "1",
            "BOOKING_SETTLE_INTERVAL_SECONDS": "0.2",
            "BOOKING_SETTLE_GRACE_SECONDS": "2",
            "BOOKING_COMPARE_INTERVAL_SECONDS": "0.5",
            "BOOKING_ORPHAN_SECONDS": "1",
            **self.settings,
            **{f"BOOKING_{name.upper()}": value for name, value in settings.items()},
        }
        command = [
            "-m",
            "uvicorn",
            "--factory",
            "booking.web.app:create_app",
            "--port",
            str(port),
            "--log-level=warning",
        ]
        server = self._run(command, environment, port, f"server-{number}")
        self.servers.append(server)
        wait_until(lambda: answers(f"{server.url}/readyz"), 60, f"server {number} can sell")
        return server

    def _run(self, command: list[str], environment: dict[str, str], port: int, name: str) -> Server:
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command], env=os.environ | environment, stdout=output, stderr=output
            )
        return Server(process, f"http://127.0.0.1:{port}", log)

    @property
    def url(self) -> str:
        """The first server's address."""
        return self.servers[0].url

    @property
    def gateway_url(self) -> str:
        """The gateway's address."""
        assert self.gateway_server is not None
        return self.gateway_server.url

    @property
    def gateway_secret_file(self) -> Path:
        """The file with the gateway's secret."""
        return self.folder / "secret"

    def break_gateway(self, mode: str, **how: Any) -> None:
        """Tell the gateway how to misbehave."""
        self.gateway("PUT", "/faults", json={"mode": mode, **how}).raise_for_status()

    def gateway(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Ask the gateway as the merchant does."""
        headers = {"Authorization": f"Bearer {SECRET}"}
        return httpx.request(method, f"{self.gateway_url}{path}", headers=headers, **content)

    def payments(self) -> dict[str, str]:
        """Return every payment of the gateway: reference to state."""
        listed = self.gateway("GET", "/payments", params={"limit": 5000}).json()["payments"]
        return {payment["merchant_reference"]: payment["state"] for payment in listed}


@dataclass
class Customer:
    """A customer with an app: the JSON API of one server."""

    url: str

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request."""
        return httpx.request(method, f"{self.url}/api/v1{path}", timeout=10, **content)

    def screening(self, theatre: int = 9000) -> dict[str, Any]:
        """Return a screening; theatre 9000 has those with 40 seats."""
        return dict(self.ask("GET", f"/screenings?theatre_id={theatre}").json()[0])

    def hold(self, seats: list[str], screening: int | None = None) -> httpx.Response:
        """Hold seats."""
        wanted = screening or self.screening()["id"]
        return self.ask("POST", "/holds", json={"screening_id": wanted, "seats": seats})

    def pay(self, hold: dict[str, Any], key: str = "", **changes: Any) -> httpx.Response:
        """Pay for held seats."""
        order = {
            "hold_id": hold["hold_id"],
            "customer_name": "Kim Minseo",
            "contact": "minseo@example.com",
            "card_token": "tok_visa",
            "amount_won": hold["amount_won"],
        }
        return self.ask("POST", "/purchases", json=order | changes, headers={"Idempotency-Key": key or uuid4().hex})

    def buy(self, seats: list[str], key: str = "", **changes: Any) -> httpx.Response:
        """Hold and pay."""
        return self.pay(self.hold(seats).json(), key, **changes)
