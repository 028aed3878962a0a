from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench.intake.app import STORE_VARIABLE, TOKEN
from runner.store import inbox
from runner.store.engine import open_store
from tests.integration.booking.cluster import free_port
from tests.integration.runner.intake_examples import DEADLINE_SECONDS, HEADERS, delivery

ROOT = Path(__file__).parents[3]


@contextmanager
def served(store_url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The intake as a process of its own, and its port."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--http", "1", "--port", str(port),
         "--log-level", "error", "bench.intake.app:create"],
        cwd=ROOT, env={**os.environ, STORE_VARIABLE: store_url}, start_new_session=True,
    )  # fmt: skip
    try:
        yield server, port
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=10)


def send_until_it_dies(server: subprocess.Popen[bytes], port: int, sender: int, answered: list[bytes]) -> None:
    """Post one delivery after another, and note each that is answered 202."""
    connection = None
    for number in range(100_000):
        body = delivery(sender * 100_000 + number)
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/", body, HEADERS | {"authorization": f"Bearer {TOKEN}"})
            response = connection.getresponse()
            assert response.read() == b'{"alerts":1}'
            answered.append(body)
        except (OSError, http.client.HTTPException):
            connection = None
            if server.poll() is not None:
                return


def wait_for_silence(answered: list[bytes], silence_seconds: float = 0.2, longest_seconds: float = 2) -> None:
    """Wait until no more answers come; answers that go on and on are let go on."""
    began = quiet_since = time.monotonic()
    count = len(answered)
    while time.monotonic() - quiet_since < silence_seconds and time.monotonic() - began < longest_seconds:
        time.sleep(0.005)
        if len(answered) != count:
            count, quiet_since = len(answered), time.monotonic()


def test_every_delivery_answered_202_is_there_after_kill_minus_9_in_the_middle_of_a_commit(store_url: str) -> None:
    store = open_store(store_url)
    answered: list[bytes] = []
    with served(store_url) as (server, port), ThreadPoolExecutor(8) as pool:
        senders = [pool.submit(send_until_it_dies, server, port, number, answered) for number in range(8)]
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(answered) < 300 and time.monotonic() < deadline:
            time.sleep(0.005)
        with store.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE deliveries IN EXCLUSIVE MODE")
            wait_for_silence(answered)  # every sender waits for a commit that waits for us
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=10)
        for each in senders:
            each.result(timeout=30)
    assert len(answered) >= 300
    with store.read() as connection:
        kept = [each.body for each in inbox.unjudged(connection, 1_000_000)]
    store.close()
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(kept) - len(answered) <= 8  # those whose answer was on its way
