"""The web process: how it begins, how it is reached, and how it ends."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from runner.store import inbox
from tests.integration.runner.houses import DEADLINE_SECONDS, House, stream, submit
from tests.integration.runner.intake_examples import delivery
from tests.integration.runner.waiting import until
from tests.unit.runner.cli.certificates import pair

JSON = {"content-type": "application/json"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.kill()


def test_with_a_certificate_it_speaks_tls_and_nothing_else(house: House) -> None:
    house.certificate, house.key = pair(house.folder, datetime.now(UTC), days=2)
    house.start()
    house.ready()
    assert house.ask("POST", "/alerts", "eve", content=delivery(), headers=JSON).status_code == 202
    assert next(stream(house, submit(house)["id"]))[0] == "1"
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{house.port}/healthz", trust_env=False)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{house.url}/healthz", trust_env=False)
    assert house.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_peace_though_someone_follows_and_what_was_answered_is_kept(
    house: House, number: signal.Signals
) -> None:
    house.start()
    house.ready()
    told: list[str | None] = []
    following = stream(house, submit(house)["id"])
    told.append(next(following)[0])
    assert house.ask("POST", "/alerts", "eve", content=delivery(7), headers=JSON).status_code == 202
    assert house.process is not None
    house.process.send_signal(number)
    assert house.process.wait(timeout=20) == 0
    assert list(following) == []  # it ends, without `end`
    assert "in_time=True" in house.log
    store = house.open()
    with store.read() as connection:
        assert [each.body for each in inbox.unjudged(connection, 10)] == [delivery(7)]
    store.close()


def test_it_begins_again_on_the_same_store_at_once(house: House) -> None:
    house.start()
    house.ready()
    job = submit(house)
    assert house.stop() == 0
    house.start()
    house.ready()
    assert house.ask("GET", "/jobs").json()["jobs"] == [job]


def test_a_port_that_is_taken_is_said_in_a_sentence(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", house.port))
        taken.listen()
        process = house.start()
        assert process.wait(timeout=20) == 2
    assert f"UNDERSTUDY_LISTEN is '127.0.0.1:{house.port}', where nothing can be opened" in house.log
    assert "Traceback" not in house.log


@pytest.mark.parametrize(
    ("file", "text", "sentence", "code"),
    [
        ("policies.yml", "policies: 7", "policies.yml: policies is 7", 2),
        ("tokens.json", '{"tokens": []}', "has no token", 2),
        ("state/store.db", "not a database at all, for sure" * 99, "not a database", 1),
    ],
)
def test_what_it_cannot_begin_with_is_said_in_a_sentence(
    house: House, file: str, text: str, sentence: str, code: int
) -> None:
    (house.folder / file).write_text(text)
    process = house.start()
    assert process.wait(timeout=20) == code
    assert sentence in house.log
    assert "Traceback" not in house.log


def test_a_flood_of_questions_keeps_no_alert_waiting(house: House) -> None:
    house.start()
    house.ready()
    over = threading.Event()

    def question() -> None:
        with house.client() as client:
            while not over.is_set():
                client.get("/metrics", headers=house.head("ann"))

    flood = [threading.Thread(target=question) for _ in range(16)]
    for each in flood:
        each.start()
    try:
        until(lambda: house.ask("GET", "/metrics").text.count('route="/metrics"'), DEADLINE_SECONDS, "the flood")
        for number in range(50):
            answer = house.ask("POST", "/alerts", "eve", content=delivery(number), headers=JSON)
            assert answer.status_code == 202
    finally:
        over.set()
        for each in flood:
            each.join()
