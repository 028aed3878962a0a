"""Whatever comes between: a seat is sold once, money is in one place, and nothing is left half."""

from __future__ import annotations

import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from booking.errors import Refusal
from booking.gateway import Gateway, Payment
from booking.service import holding, purchasing, settler
from booking.sides import kept_list
from booking.sides.outcome import Result
from booking.sides.reinserting import put_back
from booking.store import orphans
from psycopg.rows import dict_row

from tests.integration.booking.shop import SECRET, wait_until
from tests.integration.booking.two_sides import order

if TYPE_CHECKING:
    from booking.service.shop import Shop as Service
    from booking.sides.comparison import Booking

    from tests.integration.booking.two_sides import Side, TwoSides

ROUNDS = 12


def listed(sides: TwoSides) -> list[Booking]:
    sides.compare()
    return [finding.booking for finding in kept_list.read(sides.listed).findings]


def test_of_a_sale_and_a_booking_that_comes_back_at_once_one_has_the_seat(sides: TwoSides) -> None:
    sides.old.buy(*[f"A{number},A{number + 1}" for number in range(2, 2 + 2 * ROUNDS, 2)])
    screening, together = sides.new.screening(), Barrier(2)

    def sell(shop: Service, seat: str) -> bool:
        together.wait()
        try:
            hold = holding.hold(shop, screening, [seat], shop.deadline())
            return purchasing.purchase(shop, order(hold), shop.deadline()).state == "confirmed"
        except Refusal:
            return False

    def come_back(shop: Service, booking: Booking) -> Result:
        together.wait()
        return put_back(shop, booking).result

    with sides.new.shop() as shop, ThreadPoolExecutor(2) as threads:
        for booking in listed(sides):
            sold = threads.submit(sell, shop, booking.seats[1])
            result = threads.submit(come_back, shop, booking).result()
            assert (result is Result.BACK) != sold.result(), result
            owner = sides.new.sold()[booking.seats[1]]
            assert (owner == booking.booking_number) == (result is Result.BACK)
            assert (booking.seats[0] in sides.new.sold()) == (result is Result.BACK)


def test_two_who_put_the_same_list_back_put_each_booking_back_once(sides: TwoSides) -> None:
    sides.old.buy(*[f"A{number}" for number in range(2, 2 + ROUNDS)])
    wanted = listed(sides)
    with sides.new.shop() as shop, ThreadPoolExecutor(2) as threads:
        one, other = threads.map(lambda _: [put_back(shop, booking).result for booking in wanted], range(2))
    for pair in zip(one, other, strict=True):
        assert sorted(pair) == [Result.ALREADY, Result.BACK]
    assert sides.new.ask("SELECT count(*) FROM bookings") == [(1 + ROUNDS,)]


def test_killed_in_the_middle_the_next_run_puts_the_rest_back(sides: TwoSides) -> None:
    many = 70
    sides.old.buy(*[f"A{number}" for number in range(2, 2 + many // 2)])
    sides.old.buy(*[f"A{number}" for number in range(2, 2 + many // 2)], screening=sides.old.screening(1))
    assert len(listed(sides)) == many
    words = ["--from", str(sides.listed), "--into", sides.new.url, *sides.at_gateway()]

    def back() -> int:
        return int(sides.new.ask("SELECT count(*) FROM seats_sold")[0][0]) - 1

    with subprocess.Popen(sides.command("reinsert", *words), stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: back() >= 3, 60, "some bookings are back")
        process.send_signal(signal.SIGKILL)
    before = back()
    assert process.returncode == -signal.SIGKILL
    assert before < many, "it was killed too late to prove anything"
    code, results = sides.settle("reinsert")
    assert code == 0
    told = list(results.values())
    # The last one may have been committed after the count was taken and before the server noticed.
    assert before <= told.count("already") <= before + 1
    assert told.count("back") + told.count("already") == many
    assert back() == many
    query = "SELECT count(*) FROM bookings WHERE state = 'confirmed' UNION ALL SELECT count(*) FROM orphan_payments"
    assert sides.new.ask(query) == [(1 + many,), (0,)]
    assert set(sides.company.payments().values()) <= {"approved", "refunded", "declined"}


def test_killed_while_the_list_is_made_leaves_none_or_a_whole_one(sides: TwoSides) -> None:
    sides.old.buy("A2", "A3")
    where = ["--old", sides.old.url, "--new", sides.new.url, "--output", str(sides.listed)]
    held = psycopg.connect(sides.new.url)
    held.execute("LOCK TABLE bookings")
    with subprocess.Popen(sides.command("divergence", *where), stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: waiting(sides.new), 60, "it waits for the new side")
        process.kill()
    held.close()
    assert not sides.listed.exists()
    assert len(json.loads(sides.run("divergence", *where, "--json")[1])["findings"]) == 2


class Slow(Gateway):
    """A gateway that answers when it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url, SECRET, None, 2.0)
        self.asked, self.answer = Event(), Event()

    def find(self, reference: str, seconds: float) -> Payment | None:
        found = super().find(reference, seconds)
        self.wait()
        return found

    def wait(self) -> None:
        """Say that it was asked, and wait until it may answer."""
        self.asked.set()
        assert self.answer.wait(10)


class SlowToRefund(Slow):
    """A gateway that answers at once, but for refunds."""

    def find(self, reference: str, seconds: float) -> Payment | None:
        return Gateway.find(self, reference, seconds)

    def refund(self, reference: str, seconds: float) -> Payment:
        self.wait()
        return super().refund(reference, seconds)


def waiting(side: Side) -> bool:
    """Tell whether somebody waits for a lock in the side's database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(side.ask(query)[0][0])


def test_the_settler_does_not_send_back_the_money_of_a_booking_that_is_coming_back(sides: TwoSides) -> None:
    sides.old.buy("A2")
    (booking,) = listed(sides)
    sides.new.ask("INSERT INTO orphan_payments VALUES (%s, '2020-01-01')", booking.idempotency_key)
    gateway = Slow(sides.company.gateway_url)
    with sides.new.shop(orphan_seconds=0) as shop, ThreadPoolExecutor(2) as threads:
        coming = threads.submit(put_back, replace(shop, gateway=gateway), booking)
        assert gateway.asked.wait(10)
        settling = threads.submit(settler.compare_with_gateway, shop)
        wait_until(lambda: waiting(sides.new), 10, "the settler waits")
        gateway.answer.set()
        assert coming.result().result is Result.BACK
        settling.result()
    gateway.close()
    assert sides.company.payments()[booking.idempotency_key] == "approved"


def test_the_settler_looks_again_before_it_sends_money_back(sides: TwoSides) -> None:
    """It had made up its mind about two payments; while it was busy with the first, the second's booking came back."""
    first = uuid4().hex
    charge = {"merchant_reference": first, "amount_won": 10_000, "card_token": "tok_visa"}
    sides.company.gateway("POST", "/payments", json=charge).raise_for_status()
    sides.old.buy("A2")
    (booking,) = listed(sides)
    for key in (first, booking.idempotency_key):
        sides.new.ask("INSERT INTO orphan_payments VALUES (%s, '2020-01-01')", key)
    gateway = SlowToRefund(sides.company.gateway_url)
    with sides.new.shop(orphan_seconds=60) as shop, ThreadPoolExecutor(1) as threads:
        settling = threads.submit(settler.compare_with_gateway, replace(shop, gateway=gateway))
        assert gateway.asked.wait(10)
        assert put_back(shop, booking).result is Result.BACK
        gateway.answer.set()
        settling.result()
    gateway.close()
    told = sides.company.payments()
    assert (told[first], told[booking.idempotency_key]) == ("refunded", "approved")


def test_a_booking_whose_money_is_on_its_way_back_is_not_put_back(sides: TwoSides) -> None:
    sides.old.buy("A2")
    (booking,) = listed(sides)
    key = booking.idempotency_key
    sides.new.ask("INSERT INTO orphan_payments VALUES (%s, '2020-01-01')", key)
    with (
        psycopg.connect(sides.new.url, row_factory=dict_row) as settler_of_a_server,
        sides.new.shop() as shop,
        ThreadPoolExecutor(1) as threads,
    ):
        assert orphans.take(settler_of_a_server, key)
        coming = threads.submit(put_back, shop, booking)
        wait_until(lambda: waiting(sides.new), 10, "it waits for the settler")
        shop.gateway.refund(key, 2.0)
        settler_of_a_server.commit()
        assert coming.result().result is Result.CONFLICT
    assert "A2" not in sides.new.sold()
