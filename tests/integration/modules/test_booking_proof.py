"""Module `booking_proof` against an API that answers what each test wants."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SEATS = [f"A{number}" for number in range(1, 31)]


class Application(ThreadingHTTPServer):
    """A service with one screening; `faults` maps a path's beginning to the statuses that it answers first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = dict.fromkeys(SEATS, "free")
        self.faults: dict[str, list[int]] = {}
        self.keys: list[str] = []
        self.refund, self.held, self.cancelled = 12_000, "", 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Answers as the application's API does."""

    server: Application

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: Any) -> None:
        app, path = self.server, self.path.removeprefix("/api/v1")
        if path == "/purchases":
            app.keys.append(self.headers["Idempotency-Key"])
        for beginning, statuses in app.faults.items():
            if path.startswith(beginning) and statuses:
                self.say(statuses.pop(0), {"error": {"code": "planned"}})
                return
        self.say(*self.healthy(path, body))

    def healthy(self, path: str, body: Any) -> tuple[int, Any]:
        app = self.server
        if path == "/holds":
            app.held = body["seats"][0]
            app.state[app.held] = "held"
        if path.endswith("/cancel"):
            app.cancelled += 1
            app.state[app.held] = "free"
        seats = [{"seat": seat, "state": state} for seat, state in app.state.items()]
        answers: list[tuple[str, int, Any]] = [
            ("/theatres", 200, [{"id": 7}]),
            ("/screenings?", 200, [{"id": 70, "seats_free": 0}, {"id": 71, "seats_free": 30}]),
            ("/screenings/71/seats", 200, {"seats": seats}),
            ("/holds", 201, {"hold_id": "h1", "seats": [app.held], "amount_won": 12_000}),
            ("/purchases", 201, {"booking_number": "B1"}),
            ("/bookings/B1/cancel", 200, {"state": "cancelled", "refunded_won": app.refund}),
            ("/bookings/B1?", 200, {"state": "confirmed", "seats": [app.held]}),
        ]
        return next((status, answer) for beginning, status, answer in answers if path.startswith(beginning))

    def say(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def application() -> Iterator[Application]:
    served = Application()
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


def prove(url: str, *words: str, retries: int = 1) -> dict[str, Any]:
    """Run the module once, as `ansible` does; return what it told."""
    arguments = {"url": url, "name": "Proof", "contact": "p@example.org", "card_token": "tok", "retries": retries}
    here = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    what = ["-m", "understudy.hybrid.booking_proof", "-a", json.dumps(arguments), "--one-line", *words]
    environment = os.environ | {"ANSIBLE_INVENTORY_ENABLED": "host_list"}
    done = subprocess.run(
        ["ansible", "localhost", *here, *what], capture_output=True, text=True, check=False, env=environment
    )
    assert "{" in done.stdout, done.stdout + done.stderr
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


def test_a_seat_among_the_last_is_booked_looked_up_and_given_back(application: Application) -> None:
    told = prove(application.url)
    assert told["booking"] == "B1"
    assert told["seat"] in SEATS[-20:]
    assert (set(application.state.values()), application.cancelled) == ({"free"}, 1)


def test_a_purchase_that_is_repeated_carries_the_same_key(application: Application) -> None:
    application.faults = {"/purchases": [503]}
    prove(application.url)
    assert len(application.keys) == 2
    assert len(set(application.keys)) == 1


def test_a_seat_that_a_customer_took_is_left_to_them(application: Application) -> None:
    application.faults = {"/holds": [409, 409]}
    assert prove(application.url)["booking"] == "B1"


def test_a_service_that_stays_unready_is_named_with_its_answer(application: Application) -> None:
    application.faults = {"/theatres": [503] * 9}
    told = prove(application.url)
    assert "Asking for the theatres" in told["msg"]
    assert "2 attempts; the last answer: 503" in told["msg"]


def test_what_was_booked_is_cancelled_even_when_it_cannot_be_looked_up(application: Application) -> None:
    application.faults = {"/bookings/B1?": [500] * 9}
    assert "Looking the booking up" in prove(application.url)["msg"]
    assert application.cancelled == 1


def test_a_refund_that_is_too_small_is_told(application: Application) -> None:
    application.refund = 1
    assert "its cancellation answered" in prove(application.url)["msg"]


def test_check_mode_asks_nothing(application: Application) -> None:
    application.faults = {"/": [500] * 9}
    assert "booking" not in prove(application.url, "--check")
    assert len(application.faults["/"]) == 9


def test_nobody_there_is_told_with_the_address() -> None:
    assert "http://127.0.0.1:1/" in prove("http://127.0.0.1:1/", retries=0)["msg"]
