"""Too many customers at once wait in a fair queue, with and without a program of their own."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.booking.shop import Customer, Shop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def full(shop: Shop) -> Iterator[str]:
    """A server with one place, which a customer with a slow payment takes up."""
    url = shop.add_server(queue_limit="1", queue_patience_seconds="0.2").url
    paying = Customer(url)
    hold = paying.hold(["A40"]).json()
    shop.break_gateway("slow", delay_ms=900)
    with ThreadPoolExecutor(1) as thread:
        paid = thread.submit(paying.pay, hold, "the-slow-customer-1")
        wait_until(lambda: "booking_customers_buying 1.0" in httpx.get(f"{url}/metrics").text, 5, "somebody pays")
        yield url
        assert paid.result().status_code == 201


def test_a_program_waits_with_a_ticket(full: str) -> None:
    customer = Customer(full)
    screening = customer.screening()["id"]
    told = customer.hold(["A1"], screening)
    assert told.status_code == 429
    error = told.json()["error"]
    assert (error["code"], error["position"]) == ("waiting", 1)
    assert error["retry_after_seconds"] > 0
    assert int(told.headers["retry-after"]) >= 1
    headers = {"Queue-Ticket": error["queue_ticket"]}
    body = {"screening_id": screening, "seats": ["A1"]}
    wait_until(
        lambda: customer.ask("POST", "/holds", json=body, headers=headers).status_code == 201, 5, "its turn comes"
    )


def test_a_person_waits_on_a_page_that_goes_on_by_itself(full: str) -> None:
    screening = Customer(full).screening()["id"]
    headers = {"Origin": full, "Accept-Language": "en"}
    with httpx.Client(base_url=full, headers=headers, follow_redirects=True) as person:
        waiting = person.post(f"/screenings/{screening}", data={"seat": "A1"})
        assert waiting.status_code == 429
        assert "Your place in the queue" in waiting.text
        assert re.search(r'http-equiv="refresh" content="\d+; url=/queue"', waiting.text)
        held = wait_until(lambda: (page := person.get("/queue")).status_code == 200 and page, 5, "the turn comes")
        assert held.url.path.startswith("/holds/")
        assert "A1" in held.text


def test_those_who_only_look_never_wait(full: str) -> None:
    assert httpx.get(f"{full}/api/v1/screenings").status_code == 200
    assert httpx.get(f"{full}/").status_code == 200
