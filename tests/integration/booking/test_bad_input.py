"""Bad input gets a clear 4xx and stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.booking.shop import Customer, Shop

if TYPE_CHECKING:
    import psycopg


@pytest.mark.parametrize(
    ("seats", "status"),
    [
        (["Z99"], 422),
        (["A1", "A1"], 422),
        ([], 422),
        ([f"A{number}" for number in range(1, 10)], 422),
        (["A1'; DROP TABLE holds; --"], 422),
        (["A0"], 422),
        (["a1"], 422),
    ],
)
def test_seats_that_cannot_be_held(shop: Shop, seats: list[str], status: int) -> None:
    assert Customer(shop.url).hold(seats).status_code == status


def test_screenings_that_are_over_or_unknown(shop: Shop, database: psycopg.Connection) -> None:
    customer = Customer(shop.url)
    assert customer.hold(["A1"], 2**40).status_code == 404
    past = database.execute(
        "INSERT INTO screenings (film_id, auditorium_id, starts_at, price_won)"
        " SELECT 1, min(id), now() - interval '1 minute', 9000 FROM auditoriums RETURNING id"
    ).fetchone()
    assert past is not None
    refused = customer.hold(["A1"], past[0])
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "screening_over")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_won": 1},
        {"amount_won": -5},
        {"amount_won": "many"},
        {"customer_name": ""},
        {"customer_name": "x" * 81},
        {"customer_name": "a\x00b"},
        {"contact": "nobody"},
        {"contact": "a@b"},
        {"card_token": "4242 4242 4242 4242 <script>"},
        {"hold_id": "no-uuid"},
        {"surprise": True},
    ],
)
def test_orders_that_cannot_be_paid(shop: Shop, database: psycopg.Connection, changes: dict[str, Any]) -> None:
    customer = Customer(shop.url)
    refused = customer.pay(customer.hold(["A1"]).json(), **changes)
    assert refused.status_code == 422
    assert refused.json()["error"]["message"].endswith((".", ":", "-"))
    assert database.execute("SELECT count(*) FROM bookings").fetchone() == (0,)
    assert shop.payments() == {}


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with space in the key"])
def test_keys_that_cannot_name_a_purchase(shop: Shop, key: str) -> None:
    customer = Customer(shop.url)
    hold = customer.hold(["A1"]).json()
    answer = customer.ask("POST", "/purchases", json=hold, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"screening_id": 1, "seats": ["\xff"]}', b"", b"[]", b'"x"'])
def test_bodies_that_cannot_be_read(shop: Shop, body: bytes) -> None:
    answer = httpx.post(f"{shop.url}/api/v1/holds", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]["code"] in {"bad_request", "invalid_input"}


def test_half_a_letter_in_json_is_refused(shop: Shop) -> None:
    customer = Customer(shop.url)
    hold = customer.hold(["A1"]).json()
    order = (
        f'{{"hold_id": "{hold["hold_id"]}", "customer_name": "\\ud800", "contact": "a@b.example",'
        f' "card_token": "tok_x", "amount_won": {hold["amount_won"]}}}'
    )
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
    assert customer.ask("POST", "/purchases", content=order, headers=headers).status_code in {400, 422}


def test_huge_bodies_are_refused_told_or_not(shop: Shop) -> None:
    url = f"{shop.url}/api/v1/holds"
    assert httpx.post(url, content=b"x" * 70_000).status_code == 413

    def endless() -> Any:
        for _ in range(20):
            yield b" " * 8000

    assert httpx.post(url, content=endless(), headers={"Content-Type": "application/json"}).status_code == 413


def test_sql_and_html_in_a_name_are_kept_as_they_are_and_shown_escaped(shop: Shop) -> None:
    customer = Customer(shop.url)
    name = "<script>alert('x')</script>'); DROP TABLE bookings; --"
    number = customer.buy(["A1"], customer_name=name).json()["booking_number"]
    kept = customer.ask("GET", f"/bookings/{number}?contact=minseo@example.com").json()
    assert kept["customer_name"] == name
    page = httpx.get(f"{shop.url}/bookings/{number}?contact=minseo@example.com").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_every_error_of_the_api_has_the_same_shape(shop: Shop) -> None:
    asked = (("GET", "/api/v1/nothing"), ("DELETE", "/api/v1/theatres"), ("GET", "/api/v1/screenings/x/seats"))
    for method, path in asked:
        answer = httpx.request(method, f"{shop.url}{path}")
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) == {"error"}
        assert {"code", "message"} <= set(answer.json()["error"])
