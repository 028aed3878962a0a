"""The crowd and the audit against the real shop: every way to buy, every way in which books can disagree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from booking.audit import command as audit_command
from booking.crowd import command
from booking.crowd.journal import read
from typer.testing import CliRunner

from tests.integration.booking.cluster import Cluster
from tests.integration.booking.shop import Customer, Shop

LOAD_SEATS = 80  # two screenings of 40 in the theatre `load`


COMMANDS = typer.Typer()
COMMANDS.command()(command.load)
COMMANDS.command()(audit_command.audit)


def load(shop: Shop, folder: Path, *options: str) -> dict[str, Any]:
    report = folder / "report.json"
    files = ["--journal", str(folder / "journal"), "--report", str(report)]
    done = CliRunner().invoke(COMMANDS, ["load", "--edge", shop.url, *files, *options])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def audit(shop: Shop, folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    known = {
        "--journal": str(folder / "journal"),
        "--database": shop.database_url,
        "--gateway-url": shop.gateway_url,
        "--gateway-secret-file": str(shop.gateway_secret_file),
    }
    words = [word for pair in known.items() for word in pair]
    done = CliRunner().invoke(COMMANDS, ["audit", *words, "--json", *options])
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def clean(confirmed: int) -> dict[str, Any]:
    kinds = ("missing", "sold_twice", "paid_without_booking", "booked_without_payment", "unsettled")
    return {"confirmed": confirmed, **dict.fromkeys(kinds, 0), "findings": []}


@pytest.mark.parametrize("mix", ["api=1", "pages=1", "api=0.6,pages=0.4"])
def test_more_customers_than_seats_sell_every_seat_once_and_the_books_agree(
    shop: Shop, tmp_path: Path, database: psycopg.Connection[Any], mix: str
) -> None:
    report = load(shop, tmp_path, "--customers", "8", "--attempts", "120", "--theatre", "load", "--mix", mix)
    bought = report["purchases"]
    assert report["requests"]["failed"] == 0
    assert bought["confirmed"] + bought["sold_out"] == bought["attempted"] == 120
    assert report["holds"]["tried"] - report["holds"]["refused"] == bought["confirmed"]
    seats = Counter((entry.screening_id, seat) for entry in read(tmp_path / "journal") for seat in entry.seats)
    assert len(seats) == LOAD_SEATS
    assert set(seats.values()) == {1}
    assert database.execute("SELECT count(*) FROM seats_sold").fetchone() == (LOAD_SEATS,)
    assert audit(shop, tmp_path) == clean(bought["confirmed"])
    assert report["servers"] == {"server-1": report["edges"]["127.0.0.1"]}


def test_every_customer_contends_for_a_screening_that_sells_out(shop: Shop, tmp_path: Path) -> None:
    screening = str(Customer(shop.url).screening()["id"])
    report = load(
        shop, tmp_path, "--customers", "8", "--attempts", "80", "--screening", screening, "--contend", "1"
    )  # of both ways
    bought, holds = report["purchases"], report["holds"]
    assert report["requests"]["failed"] == 0
    assert bought["confirmed"] + bought["sold_out"] == 80
    assert holds["tried"] >= 80
    assert holds["refused"] >= bought["sold_out"] >= 80 - LOAD_SEATS / 2
    assert audit(shop, tmp_path) == clean(bought["confirmed"])


def test_customers_of_both_ways_find_something_to_see_in_the_whole_programme(shop: Shop, tmp_path: Path) -> None:
    report = load(shop, tmp_path, "--arrivals", "15", "--duration", "4", "--declined", "0.2", "--seed", "5")
    bought = report["purchases"]
    assert bought["confirmed"] > bought["declined"] > 0
    assert bought["sold_out"] == bought["gave_up"] == bought["pending"] == 0
    assert audit(shop, tmp_path) == clean(bought["confirmed"])


def test_a_queue_keeps_customers_waiting_and_loses_none(shop: Shop, tmp_path: Path) -> None:
    shop.add_server(queue_limit="1")
    shop.servers[0].stop()
    shop.servers.pop(0)
    shop.break_gateway("slow", share=1.0, delay_ms=150)
    report = load(shop, tmp_path, "--customers", "30", "--attempts", "60", "--theatre", "load")
    assert report["requests"]["waited"] > 0
    assert report["requests"]["failed"] == 0
    assert report["purchases"]["confirmed"] > 0
    assert audit(shop, tmp_path, "--settle-seconds", "10") == clean(report["purchases"]["confirmed"])


@pytest.mark.parametrize("mode", ["silent", "late", "fail", "twice"])
def test_a_gateway_that_misbehaves_costs_nobody_money_or_a_seat(shop: Shop, tmp_path: Path, mode: str) -> None:
    shop.break_gateway(mode, share=0.5, delay_ms=1500)
    report = load(shop, tmp_path, "--customers", "4", "--attempts", "16", "--theatre", "load", "--patience", "20")
    assert report["requests"]["failed"] == 0
    assert report["purchases"]["confirmed"] > 0
    shop.break_gateway("none")
    assert audit(shop, tmp_path, "--settle-seconds", "30") == clean(report["purchases"]["confirmed"])


@pytest.fixture(scope="module")
def sold(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that sold a few tickets and has closed, so that it mends nothing while it is audited."""
    name = cluster.create_database(template=cluster.seeded())
    shop = Shop(cluster.url(name), tmp_path_factory.mktemp("sold"))
    shop.start()
    load(shop, shop.folder, "--customers", "2", "--attempts", "6", "--theatre", "load")
    for server in shop.servers:
        server.stop()
    shop.servers.clear()
    yield shop
    shop.stop()
    cluster.drop_database(name)


@pytest.fixture
def copied(cluster: Cluster, sold: Shop) -> Iterator[Shop]:
    """The same with a database that may be spoiled."""
    name = cluster.create_database(template=sold.database_url.rpartition("/")[2])
    yield replace(sold, database_url=cluster.url(name))
    cluster.drop_database(name)


LOSSES = {
    "missing": (
        "DELETE FROM seat_claims WHERE booking_id = %(id)s; DELETE FROM payments WHERE booking_id = %(id)s;"
        " DELETE FROM bookings WHERE id = %(id)s"
    ),
    "booked_without_payment": "UPDATE bookings SET idempotency_key = 'a-key-without-payment' WHERE id = %(id)s",
    "paid_without_booking": (
        "DELETE FROM seat_claims WHERE booking_id = %(id)s;"
        " UPDATE bookings SET state = 'cancelled' WHERE id = %(id)s; UPDATE payments SET ask_after = NULL"
    ),
    "sold_twice": (
        "UPDATE bookings b SET (screening_id, seats) ="
        " (SELECT o.screening_id, o.seats FROM bookings o WHERE o.id < %(id)s ORDER BY o.id LIMIT 1)"
        " WHERE b.id = %(id)s"
    ),
    "unsettled": "UPDATE payments SET state = 'unknown' WHERE booking_id = %(id)s",
}


@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_in_the_database_is_found(copied: Shop, kind: str) -> None:
    assert audit(copied, copied.folder) == clean(6)
    with psycopg.connect(copied.database_url) as database:
        row = database.execute("SELECT max(id) FROM bookings").fetchone()
        assert row is not None
        for statement in LOSSES[kind].split(";"):
            database.execute(statement.encode(), {"id": row[0]} if "%(id)s" in statement else None)
    found = audit(copied, copied.folder, code=1)
    assert found[kind] >= 1
    assert kind in {finding["kind"] for finding in found["findings"]}
    assert all(finding["sentence"].endswith(".") for finding in found["findings"])


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--journal", "nowhere", "nowhere"),
        ("--database", "postgresql://postgres@127.0.0.1:1/none", "database cannot be audited"),
        ("--gateway-url", "http://127.0.0.1:1", "did not list its payments"),
        ("--gateway-secret-file", __file__, "did not list its payments"),
    ],
)
def test_an_audit_that_cannot_read_says_why_and_is_neither_clean_nor_red(
    sold: Shop, option: str, value: str, reason: str
) -> None:
    known = {
        "--journal": str(sold.folder / "journal"),
        "--database": sold.database_url,
        "--gateway-url": sold.gateway_url,
        "--gateway-secret-file": str(sold.gateway_secret_file),
    }
    words = [word for pair in (known | {option: value}).items() for word in pair]
    done = CliRunner().invoke(COMMANDS, ["audit", *words])
    assert done.exit_code == 2, done.output
    assert reason in done.stderr


def test_the_commands_are_there_as_they_are_installed(sold: Shop) -> None:
    for name in ("load", "audit"):
        command_line = [sys.executable, "-m", "booking", name, "--help"]
        done = subprocess.run(command_line, capture_output=True, text=True, timeout=60, check=True)
        assert "--journal" in done.stdout
