"""A gateway that is slow, fails, answers late, not at all, or twice: nobody pays for nothing, nobody pays twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from booking.gateway import SIGNATURE_HEADER, signature

from tests.integration.booking.shop import SECRET, Customer, Shop, wait_until

if TYPE_CHECKING:
    import psycopg


def persist(customer: Customer, hold: dict[str, object], key: str, seconds: float = 15) -> httpx.Response:
    """Repeat a purchase as long as the answer is 202, as a client does."""

    def tried() -> httpx.Response | None:
        answer = customer.pay(hold, key)
        return answer if answer.status_code != 202 else None

    found = wait_until(tried, seconds, "the purchase comes to an end")
    assert isinstance(found, httpx.Response)
    return found


@pytest.mark.parametrize("mode", ["silent", "late"])
def test_a_lost_answer_is_found_again_with_the_same_key(shop: Shop, mode: str) -> None:
    shop.break_gateway(mode)
    customer, key = Customer(shop.url), uuid4().hex
    hold = customer.hold(["A1"]).json()
    first = customer.pay(hold, key)
    assert (first.status_code, first.json()["state"], first.headers["retry-after"]) == (202, "pending", "1")
    assert persist(customer, hold, key).status_code == 201
    assert shop.payments() == {key: "approved"}


def test_a_payment_that_nobody_asks_for_again_is_settled_by_itself(shop: Shop, database: psycopg.Connection) -> None:
    shop.break_gateway("silent")
    customer, key = Customer(shop.url), uuid4().hex
    customer.pay(customer.hold(["A1"]).json(), key)
    query = "SELECT b.state, p.state FROM bookings b JOIN payments p ON p.booking_id = b.id"
    wait_until(lambda: database.execute(query).fetchone() == ("confirmed", "approved"), 10, "the settler confirms")


def test_a_payment_that_was_never_made_is_released(shop: Shop, database: psycopg.Connection) -> None:
    shop.break_gateway("fail")
    customer, key = Customer(shop.url), uuid4().hex
    assert customer.buy(["A1"], key).status_code == 202
    wait_until(lambda: database.execute("SELECT state FROM bookings").fetchone() == ("released",), 10, "it is released")
    assert customer.ask("GET", f"/purchases/{key}").status_code == 402
    assert shop.payments() == {}


def test_a_failing_gateway_charges_once_when_it_is_well_again(shop: Shop) -> None:
    shop.break_gateway("fail", share=0.6)
    customer, key = Customer(shop.url), uuid4().hex
    hold = customer.hold(["A1"]).json()
    assert customer.pay(hold, key).status_code in {201, 202}
    shop.break_gateway("none")
    assert persist(customer, hold, key).status_code == 201
    assert shop.payments() == {key: "approved"}


def test_a_slow_gateway_within_the_limit_is_waited_for(shop: Shop) -> None:
    shop.break_gateway("slow", delay_ms=500)
    assert Customer(shop.url).buy(["A1"]).status_code == 201


def test_a_payment_that_comes_after_its_release_is_sent_back(shop: Shop, database: psycopg.Connection) -> None:
    shop.break_gateway("fail")
    customer, key = Customer(shop.url), uuid4().hex
    customer.buy(["A1"], key)
    wait_until(lambda: database.execute("SELECT state FROM bookings").fetchone() == ("released",), 10, "it is released")
    shop.break_gateway("none")
    charge = {"merchant_reference": key, "amount_won": 10_000, "card_token": "tok_visa"}
    shop.gateway("POST", "/payments", json=charge)  # the request that was on its way all the time
    database.execute("UPDATE payments SET ask_after = now()")  # a minute later
    wait_until(lambda: shop.payments() == {key: "refunded"}, 10, "the money goes back")


def notifications(shop: Shop) -> float:
    """Count the notifications that the server has taken."""
    lines = httpx.get(f"{shop.url}/metrics").text.splitlines()
    counted = [line for line in lines if 'route="/payments/notifications",status="204"' in line and "_total" in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counted)


def test_the_gateway_may_notify_twice(shop: Shop, database: psycopg.Connection) -> None:
    shop.break_gateway("twice")
    key, before = uuid4().hex, notifications(shop)
    assert Customer(shop.url).buy(["A1"], key).status_code == 201

    def notified() -> bool:
        return notifications(shop) >= before + 2

    wait_until(notified, 10, "both notifications are taken")
    assert database.execute("SELECT count(*) FROM bookings WHERE state = 'confirmed'").fetchone() == (1,)
    assert shop.payments() == {key: "approved"}


def test_a_notification_must_be_signed(shop: Shop) -> None:
    body = b'{"merchant_reference": "0123456789abcdef"}'
    url = f"{shop.url}/payments/notifications"
    assert httpx.post(url, content=body).status_code == 403
    assert httpx.post(url, content=body, headers={SIGNATURE_HEADER: signature("wrong", body)}).status_code == 403
    assert httpx.post(url, content=body, headers={SIGNATURE_HEADER: signature(SECRET, body)}).status_code == 204


def test_a_payment_that_the_database_lost_is_sent_back(shop: Shop) -> None:
    """A failover can lose the last commits; the gateway still has the payment."""
    key = uuid4().hex
    charge = {"merchant_reference": key, "amount_won": 10_000, "card_token": "tok_visa"}
    shop.gateway("POST", "/payments", json=charge)
    wait_until(lambda: shop.payments() == {key: "refunded"}, 10, "the orphan goes back")


def test_a_cancelled_bookings_refund_is_repeated_until_the_gateway_is_back(
    shop: Shop, database: psycopg.Connection
) -> None:
    customer, key = Customer(shop.url), uuid4().hex
    number = customer.buy(["A1"], key).json()["booking_number"]
    assert shop.gateway_server is not None
    shop.gateway_server.stop()
    cancelled = customer.ask("POST", f"/bookings/{number}/cancel", json={"contact": "minseo@example.com"})
    assert cancelled.json()["state"] == "cancelled"
    shop.start_gateway()
    wait_until(lambda: shop.payments() == {key: "refunded"}, 20, "the refund is repeated")
    wait_until(
        lambda: database.execute("SELECT state FROM payments").fetchone() == ("refunded",), 5, "and is written down"
    )


def test_no_request_takes_longer_than_the_limit(shop: Shop) -> None:
    shop.break_gateway("late", delay_ms=20_000)
    customer = Customer(shop.url)
    hold = customer.hold(["A1"]).json()
    began = time.monotonic()
    assert customer.pay(hold).status_code == 202
    assert time.monotonic() - began < 3.2
