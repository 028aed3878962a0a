"""Two databases that were one: what was sold before is on both, what came after on one only."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import typer
from booking.gateway import Gateway
from booking.model import Order, Purchase
from booking.service import holding, purchasing
from booking.service.shop import Shop as Service
from booking.sides import settling_commands
from booking.sides.command import divergence
from booking.store.database import Database
from typer.testing import CliRunner

from booking import settings
from tests.integration.booking.shop import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booking.model import Hold

    from tests.integration.booking.cluster import Cluster
    from tests.integration.booking.shop import Shop

CONTACT = "minseo@example.com"


def _command() -> typer.Typer:
    """Return the commands about two sides as `booking` has them."""
    app = typer.Typer()
    for each in (divergence, settling_commands.reinsert, settling_commands.refund, settling_commands.orphans):
        app.command()(each)
    return app


@contextmanager
def service(database_url: str, gateway_url: str, **changes: Any) -> Iterator[Service]:
    """The rules of the shop over a database, without a server."""
    given = {"database_url": database_url, "gateway_url": gateway_url, "gateway_secret": SECRET, "secret_key": "x"}
    chosen = settings.load({}, **given | changes)
    running = Service(Database(database_url, 4), Gateway(gateway_url, SECRET, None, 2.0), chosen)
    running.database.open()
    try:
        yield running
    finally:
        running.database.close()
        running.gateway.close()


def order(hold: Hold, key: str = "", name: str = "Kim Minseo") -> Order:
    return Order(key or uuid4().hex, hold.id, name, CONTACT, "tok_visa", hold.amount_won)


@dataclass
class Side:
    """One side's database, and its shop."""

    url: str
    gateway_url: str

    def shop(self, **changes: Any) -> AbstractContextManager[Service]:
        """Open its shop."""
        return service(self.url, self.gateway_url, **changes)

    def buy(self, *wanted: str, key: str = "", screening: int = 0) -> list[Purchase]:
        """Buy; each text is a customer's seats, such as `A1,A2`."""
        with self.shop() as shop:
            screening = screening or self.screening()
            sold = []
            for seats in wanted:
                hold = holding.hold(shop, screening, seats.split(","), shop.deadline())
                sold.append(purchasing.purchase(shop, order(hold, key), shop.deadline()))
            return sold

    def screening(self, place: int = 0) -> int:
        """Return a screening of 40 seats."""
        query = (
            "SELECT s.id FROM screenings s JOIN auditoriums a ON a.id = s.auditorium_id WHERE a.theatre_id = 9000"
            " ORDER BY s.id"
        )
        return int(self.ask(query)[place][0])

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Ask or tell the database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(query.encode(), values)
            return found.fetchall() if found.description else []

    def states(self) -> dict[str, tuple[str, str]]:
        """Return the state of each booking and of its payment, by number."""
        rows = self.ask(
            "SELECT booking_number, b.state, p.state FROM bookings b JOIN payments p ON p.booking_id = b.id"
        )
        return {number: (state, payment) for number, state, payment in rows}

    def sold(self) -> dict[str, str]:
        """Return who has which seat."""
        rows = self.ask("SELECT seat, booking_number FROM seats_sold s JOIN bookings b ON b.id = s.booking_id")
        return dict(rows)


@dataclass
class TwoSides:
    """The old and the new side, one gateway, and a place for the list."""

    old: Side
    new: Side
    company: Shop
    folder: Path

    @property
    def listed(self) -> Path:
        """Where the list is kept."""
        return self.folder / "divergence.json"

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command `booking` in this process; returns exit code, standard output and standard error."""
        done = CliRunner().invoke(_command(), list(words))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done.exit_code, done.stdout, done.stderr

    @staticmethod
    def command(*words: str) -> list[str]:
        """Return the command to run `booking`."""
        return [sys.executable, "-m", "booking", *words]

    def at_gateway(self) -> list[str]:
        """Return the options that name the gateway."""
        secret = self.company.gateway_secret_file
        return ["--gateway-url", self.company.gateway_url, "--gateway-secret-file", str(secret)]

    def compare(self, *words: str) -> dict[str, Any]:
        """Compare both sides and keep the list; returns what it says, with the kind of each booking by number."""
        where = ["--old", self.old.url, "--new", self.new.url, "--output", str(self.listed)]
        code, said, error = self.run("divergence", *where, "--json", *words)
        assert code in {0, 1}, error
        told = dict(json.loads(said))
        assert code == int(any(finding["action"] != "nothing" for finding in told["findings"]))
        return told | {"kinds": {finding["number"]: finding["kind"] for finding in told["findings"]}}

    def settle(self, command: str, *words: str) -> tuple[int, dict[str, str]]:
        """Reinsert or refund; returns the exit code and each booking's result by number."""
        where = ["--from", str(self.listed), "--into", self.new.url, *self.at_gateway(), "--json"]
        code, said, error = self.run(command, *where, *words)
        assert code in {0, 1}, error
        return code, {each["booking_number"]: each["result"] for each in json.loads(said)["outcomes"]}


def split(cluster: Cluster, before: str) -> tuple[str, str]:
    """Make two databases of one, which nobody may be connected to; returns their names."""
    return cluster.create_database(template=before), cluster.create_database(template=before)
