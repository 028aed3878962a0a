"""The OpenAPI document is valid, knows every address of the API, and says which answers there are."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from booking.settings import Settings
from booking.web.app import create_app
from fastapi.routing import iter_route_contexts

from tests.integration.booking.shop import Customer, Shop

API = "/api/v1"
ITSELF = f"{API}/openapi.json"
PAID, DECLINED, LOST = "the-purchase-paid", "the-purchase-declined", "the-purchase-lost"
PROVES = {"contact": "minseo@example.com"}


@pytest.fixture
def document(shop: Shop) -> dict[str, Any]:
    """The document as a server serves it."""
    return dict(httpx.get(f"{shop.url}{ITSELF}").json())


def routes() -> set[tuple[str, str]]:
    """List what the application serves under /api/v1 (method, path), those included that keep out of the document."""
    given = {"database_url": "postgresql:///none", "gateway_secret": "none", "secret_key": "none"}
    found = iter_route_contexts(create_app(Settings.model_validate(given)).routes)
    return {
        (method, route.path)
        for route in found
        if route.path and route.path.startswith(API) and route.path != ITSELF
        for method in route.methods or ()
    }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(document).validate()
    assert document["openapi"].startswith("3.")


def test_every_address_of_the_api_is_in_the_document_with_its_methods(document: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == routes()
    assert ("POST", f"{API}/purchases") in told


def test_every_address_says_what_it_does_and_that_it_may_be_away(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["description"].endswith(".")
            assert {"500", "503"} <= set(operation["responses"])
    hold = document["paths"][f"{API}/holds"]["post"]
    assert "Queue-Ticket" in [each["name"] for each in hold["parameters"]]


def told_while_shopping(shop: Shop) -> list[tuple[str, int, httpx.Response]]:
    """Do all that customers can do, right and wrong; return the address, the status it should have, and the answer."""
    customer = Customer(shop.url)
    ask, screening = customer.ask, customer.screening()["id"]
    held, lost = customer.hold(["A1"]), customer.hold(["A3"])
    paid = customer.pay(held.json(), PAID)
    number = paid.json()["booking_number"]
    declined = customer.buy(["A2"], DECLINED, card_token="tok_declined")
    shop.break_gateway("silent")
    pending = customer.pay(lost.json(), LOST)
    shop.break_gateway("none")
    booking, cancel, purchases = f"/bookings/{number}", f"/bookings/{number}/cancel", "/purchases"
    return [
        ("/theatres", 200, ask("GET", "/theatres")),
        ("/films", 200, ask("GET", "/films")),
        ("/screenings", 200, ask("GET", "/screenings")),
        ("/screenings", 422, ask("GET", "/screenings?limit=0")),
        ("/screenings/{screening_id}/seats", 200, ask("GET", f"/screenings/{screening}/seats")),
        ("/screenings/{screening_id}/seats", 404, ask("GET", f"/screenings/{2**40}/seats")),
        ("/holds", 201, held),
        ("/holds", 400, ask("POST", "/holds", content=b"{", headers={"Content-Type": "application/json"})),
        ("/holds", 404, customer.hold(["A1"], 2**40)),
        ("/holds", 409, customer.hold(["A1"])),
        ("/holds", 413, ask("POST", "/holds", content=b"x" * 70_000)),
        ("/holds", 422, customer.hold(["Z99"])),
        (purchases, 201, paid),
        (purchases, 202, pending),
        (purchases, 402, declined),
        (purchases, 422, customer.pay(held.json(), PAID, amount_won=1)),
        (f"{purchases}/{{idempotency_key}}", 200, ask("GET", f"{purchases}/{PAID}")),
        (f"{purchases}/{{idempotency_key}}", 402, ask("GET", f"{purchases}/{DECLINED}")),
        (f"{purchases}/{{idempotency_key}}", 404, ask("GET", f"{purchases}/the-purchase-never-made")),
        ("/bookings/{number}", 200, ask("GET", booking, params=PROVES)),
        ("/bookings/{number}", 404, ask("GET", booking, params={"contact": "nobody@example.com"})),
        ("/bookings/{number}", 422, ask("GET", booking)),
        ("/bookings/{number}/cancel", 200, ask("POST", cancel, json=PROVES)),
        ("/bookings/{number}/cancel", 404, ask("POST", "/bookings/NONE/cancel", json=PROVES)),
        ("/bookings/{number}/cancel", 422, ask("POST", cancel, json={})),
    ]


def test_what_customers_are_told_is_what_the_document_says(shop: Shop, document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(document)
    told = told_while_shopping(shop)
    for path, status, answer in told:
        method = answer.request.method
        assert answer.status_code == status, (method, path, answer.text)
        assert str(status) in document["paths"][f"{API}{path}"][method.lower()]["responses"], (method, path)
        schema[f"{API}{path}"][method].validate_response(answer)
    assert {(answer.request.method, f"{API}{path}") for path, _, answer in told} == routes()
