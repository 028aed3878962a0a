"""A customer books a seat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.integration.booking.shop import Customer, Shop, wait_until

if TYPE_CHECKING:
    import psycopg

KEY = "a-key-of-at-least-16"


def test_a_customer_holds_pays_looks_up_and_cancels(shop: Shop) -> None:
    customer = Customer(shop.url)
    screening = customer.screening()
    held = customer.hold(["A1", "A2"], screening["id"])
    assert held.status_code == 201
    assert held.json()["amount_won"] == 2 * screening["price_won"]
    bought = customer.pay(held.json(), KEY)
    assert bought.status_code == 201, bought.text
    number = bought.json()["booking_number"]
    assert bought.json() == {
        "booking_number": number,
        "state": "confirmed",
        "screening_id": screening["id"],
        "seats": ["A1", "A2"],
        "amount_won": 20_000,
        "idempotency_key": KEY,
    }
    assert customer.screening()["seats_free"] == 38
    booking = customer.ask("GET", f"/bookings/{number}?contact=MINSEO@example.com")
    assert booking.json()["customer_name"] == "Kim Minseo"
    assert customer.ask("GET", f"/bookings/{number}?contact=other@example.com").status_code == 404
    for _ in range(2):
        cancelled = customer.ask("POST", f"/bookings/{number}/cancel", json={"contact": "minseo@example.com"})
        assert cancelled.json() == {"state": "cancelled", "refunded_won": 20_000}
    assert shop.payments() == {KEY: "refunded"}
    assert customer.screening()["seats_free"] == 40


def test_the_same_key_is_the_same_booking_also_on_another_server(shop: Shop) -> None:
    first, second = Customer(shop.url), Customer(shop.add_server().url)
    held = first.hold(["A11"]).json()
    with ThreadPoolExecutor(8) as threads:
        tries = list(threads.map(lambda number: (first, second)[number % 2].pay(held, KEY), range(16)))
    assert {answer.status_code for answer in tries} <= {200, 201}
    assert len({answer.json()["booking_number"] for answer in tries}) == 1
    assert shop.payments() == {KEY: "approved"}
    assert second.ask("GET", f"/purchases/{KEY}").json() == tries[0].json()


def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    customer = Customer(shop.url)
    held = customer.hold(["A11"]).json()
    customer.pay(held, KEY)
    other = customer.pay(held, KEY, customer_name="Lee")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


def test_a_declined_card_leaves_the_hold_for_another_card(shop: Shop) -> None:
    customer = Customer(shop.url)
    held = customer.hold(["A12"]).json()
    for _ in range(2):
        declined = customer.pay(held, KEY, card_token="tok_declined")
        assert (declined.status_code, declined.json()["error"]["code"]) == (402, "payment_declined")
    assert customer.hold(["A12"]).status_code == 409
    assert customer.pay(held).status_code == 201


def test_a_seat_is_sold_once_however_many_want_it(shop: Shop, database: psycopg.Connection) -> None:
    urls = [shop.url, shop.add_server().url]
    screening = Customer(shop.url).screening()["id"]
    seats = [f"A{number}" for number in range(1, 9)]

    def attempt(number: int) -> int:
        customer = Customer(urls[number % 2])
        chosen = [seats[number % 8], seats[(number + 1) % 8]]
        held = customer.hold(chosen, screening)
        return customer.pay(held.json()).status_code if held.status_code == 201 else held.status_code

    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(attempt, range(120)))
    assert set(statuses) == {201, 409}
    sold = database.execute("SELECT count(*), count(DISTINCT seat) FROM seats_sold").fetchone()
    assert sold == (2 * statuses.count(201), 2 * statuses.count(201))
    assert list(shop.payments().values()).count("approved") == statuses.count(201)


def test_an_expired_hold_is_taken_over_and_its_owner_is_not_charged(shop: Shop) -> None:
    hasty = Customer(shop.add_server(hold_seconds="1").url)
    slow_hold = hasty.hold(["A13"]).json()
    patient = Customer(shop.url)
    taken = wait_until(lambda: (answer := patient.hold(["A13"])).status_code == 201 and answer, 5, "the hold ends")
    late = hasty.pay(slow_hold)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "hold_expired")
    assert shop.payments() == {}
    assert patient.pay(taken.json()).status_code == 201


def test_taken_seats_are_named(shop: Shop) -> None:
    customer = Customer(shop.url)
    customer.hold(["A13", "A14"])
    refused = customer.hold(["A14", "A15"])
    assert refused.status_code == 409
    assert refused.json()["error"]["seats"] == ["A14"]
    assert customer.hold(["A15"]).status_code == 201


def test_one_hold_is_paid_for_once_whatever_the_keys(shop: Shop) -> None:
    customer = Customer(shop.url)
    held = customer.hold(["A9"])
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda _: customer.pay(held.json(), uuid4().hex).status_code, range(6)))
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert len(shop.payments()) == 1
