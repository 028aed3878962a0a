"""Too many customers at once wait in a fair queue, with and without a program of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.booking.shop import Customer, Shop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


def wait_for(url: str, number: int, doing: str) -> None:
    """Wait until so many customers buy, or wait, at a server."""
    line = f"booking_customers_{doing} {number}.0"
    wait_until(lambda: line in httpx.get(f"{url}/metrics").text, 5, f"{number} {doing} at {url}")


@contextmanager
def silenced(shop: Shop) -> Iterator[None]:
    """Freeze the gateway: whoever pays meanwhile keeps a place until it goes on."""
    assert shop.gateway_server is not None
    process = shop.gateway_server.process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@pytest.fixture
def full(shop: Shop) -> Iterator[str]:
    """A server with one place, which a customer with a slow payment takes up."""
    url = shop.add_server(queue_limit="1", queue_patience_seconds="0.2").url
    paying = Customer(url)
    hold = paying.hold(["A40"]).json()
    shop.break_gateway("slow", delay_ms=900)
    with ThreadPoolExecutor(1) as thread:
        paid = thread.submit(paying.pay, hold, "the-slow-customer-1")
        wait_for(url, 1, "buying")
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


def test_a_ticket_of_one_server_goes_before_a_newcomer_at_another_that_is_full(shop: Shop) -> None:
    patient = {"queue_limit": "1", "gateway_timeout_seconds": "20", "request_limit_seconds": "30"}
    here = shop.add_server(**patient, queue_patience_seconds="0.2").url
    there = shop.add_server(**patient, queue_patience_seconds="15").url
    screening = Customer(here).screening()["id"]
    holds = {url: Customer(url).hold([seat]).json() for url, seat in ((here, "A39"), (there, "A40"))}
    body = {"screening_id": screening, "seats": ["A1"]}  # which both customers want
    with ThreadPoolExecutor(4) as threads:
        with silenced(shop):
            for url, hold in holds.items():
                threads.submit(Customer(url).pay, hold)
                wait_for(url, 1, "buying")
            told = Customer(here).ask("POST", "/holds", json=body)
            assert told.status_code == 429
            ticket = {"Queue-Ticket": told.json()["error"]["queue_ticket"]}
            newcomer = threads.submit(Customer(there).ask, "POST", "/holds", json=body)
            wait_for(there, 1, "waiting")
            first_come = threads.submit(Customer(there).ask, "POST", "/holds", json=body, headers=ticket)
            wait_for(there, 2, "waiting")
        assert first_come.result().status_code == 201
        refused = newcomer.result()
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "seat_taken")


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


def test_nobody_keeps_customers_out_with_notifications_that_are_not_the_gateways(shop: Shop) -> None:
    url = shop.add_server(queue_limit="1", queue_patience_seconds="0.2").url
    address = httpx.URL(url)
    head = b"POST /payments/notifications HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((address.host, address.port or 80), 5) as never_finished:
        never_finished.sendall(head)
        time.sleep(0.5)  # it is with the service
        assert Customer(url).hold(["A33"]).status_code == 201
