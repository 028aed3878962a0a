"""The database goes away, turns read-only, or falls silent: customers are told, in time, and nothing is charged."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psycopg
from booking.settings import Settings

from tests.integration.booking.shop import Customer, Shop, answers, wait_until
from tests.integration.booking.test_pages import ORDER, browser, hold_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.booking.cluster import Cluster

LIMIT_SECONDS = Settings.model_fields["request_limit_seconds"].default
GRACE_SECONDS = 0.5  # for a busy machine to hand an answer over that was given within the limit


def in_time(answer: httpx.Response) -> bool:
    """Tell whether an answer came within the service's own limit of a request."""
    return bool(answer.elapsed.total_seconds() < LIMIT_SECONDS + GRACE_SECONDS)


def missing(shop: Shop) -> list[str]:
    """What a server says that it lacks."""
    return list(httpx.get(f"{shop.url}/readyz").json()["missing"])


def test_a_restarted_database_costs_no_customer_a_booking(shop: Shop, cluster: Cluster) -> None:
    customer = Customer(shop.url)
    held = customer.hold(["A1"]).json()
    cluster.restart()  # every pooled connection is dead now
    assert wait_until(lambda: customer.pay(held, "0123456789abcdef").status_code == 201, 10, "the purchase succeeds")
    assert list(shop.payments().values()) == ["approved"]


def turned_away(pay: Callable[[], httpx.Response]) -> httpx.Response:
    """Pay until the answer is 503 and in time; on a busy machine one may be late, or tell (202) to ask again."""

    def tried() -> httpx.Response | None:
        answer = pay()
        assert answer.status_code in {202, 503}, answer.text
        return answer if answer.status_code == 503 and in_time(answer) else None

    told = wait_until(tried, 60, "the purchase is refused within the limit")
    assert isinstance(told, httpx.Response)
    assert int(told.headers["retry-after"]) >= 1
    return told


def test_a_database_that_is_gone_is_said_in_time_and_charges_nothing(shop: Shop, cluster: Cluster) -> None:
    customer, key = Customer(shop.url), uuid4().hex
    held = customer.hold(["A1"]).json()
    with browser(shop) as person:
        _, action = hold_page(person, shop, "A2")
        cluster.crash()
        try:
            by_api = turned_away(lambda: customer.pay(held, key))
            by_page = turned_away(lambda: person.post(action, data=ORDER))
        finally:
            cluster.serve()
        assert by_api.json()["error"]["code"] == "database_unavailable"
        assert "Nothing was charged" in by_api.json()["error"]["message"]
        assert "Nothing was charged" in by_page.text
        assert shop.payments() == {}
        assert wait_until(lambda: customer.pay(held, key).status_code == 201, 10, "the app's purchase succeeds")
        assert wait_until(lambda: person.post(action, data=ORDER).status_code == 200, 10, "the page's succeeds")
    assert list(shop.payments().values()) == ["approved", "approved"]


def test_a_read_only_database_is_not_ready_and_sells_nothing(shop: Shop, database: psycopg.Connection) -> None:
    customer = Customer(shop.url)
    held, key = customer.hold(["A1"]).json(), uuid4().hex
    name = database.info.dbname
    database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'booking'")
    try:
        refused = customer.pay(held, key)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "database_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert "othing was charged" in refused.json()["error"]["message"]
        wait_until(lambda: missing(shop) == ["The database is read-only."], 5, "the server says why it is not ready")
        assert answers(f"{shop.url}/healthz")
        assert shop.payments() == {}
    finally:
        database.execute("SET default_transaction_read_only = off")
        database.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    # The same key each time: on a busy machine the gateway may answer late, and that payment is then asked after.
    wait_until(lambda: customer.pay(held, key).status_code == 201, 10, "it sells again")


def paid_after_a_wait(shop: Shop, held: dict[str, Any], come_back: Callable[[], None]) -> int:
    """Pay while the database takes no writes, which it does again after a second; return the answer's status."""
    with ThreadPoolExecutor(1) as thread:
        try:
            paid = thread.submit(Customer(shop.url).pay, held, uuid4().hex)
            time.sleep(1.3)
            assert not paid.done()
        finally:
            come_back()
        return paid.result().status_code


def test_a_purchase_waits_for_a_leader_that_cannot_write_yet(shop: Shop, cluster: Cluster) -> None:
    """A member that has the lease is led to while it is still being promoted."""
    held = Customer(shop.url).hold(["A1"]).json()
    cluster.crash()
    cluster.follow()
    assert paid_after_a_wait(shop, held, cluster.promote) == 201


def test_a_lonely_purchase_waits_for_a_database_that_is_away_for_less_than_its_limit(
    shop: Shop, cluster: Cluster
) -> None:
    """A planned switch takes two to three seconds, and nobody else may ask meanwhile."""
    held = Customer(shop.url).hold(["A1"]).json()
    cluster.crash()
    assert paid_after_a_wait(shop, held, cluster.serve) == 201


def test_a_silent_database_is_answered_for_in_time(shop: Shop, database: psycopg.Connection) -> None:
    """The server processes are frozen: connections stay open and say nothing."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'booking'"
    wait_until(lambda: answers(f"{shop.url}/api/v1/screenings"), 10, "it answers")
    frozen = [row[0] for row in database.execute(query)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with httpx.Client(base_url=shop.url, timeout=10) as people, ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: people.get("/screenings/1"), range(8)))
        assert all(in_time(answer) for answer in told)
        assert 503 in {answer.status_code for answer in told}
        page = next(answer for answer in told if answer.status_code == 503)
        assert "Nothing was charged" in page.text or "결제된 금액은 없습니다" in page.text
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: answers(f"{shop.url}/api/v1/screenings"), 10, "it answers again")


def test_readiness_names_a_gateway_that_does_not_answer(shop: Shop) -> None:
    assert shop.gateway_server is not None
    shop.gateway_server.stop()
    wait_until(lambda: missing(shop) == ["The payment gateway does not answer."], 5, "the server says why")
    assert httpx.get(f"{shop.url}/readyz").status_code == 503


def standby(cluster: Cluster, database: psycopg.Connection, name: str) -> None:
    """Let commits wait for a standby of this name; empty: for none."""
    cluster.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    cluster.execute("SELECT pg_reload_conf()")
    show = "SHOW synchronous_standby_names"
    wait_until(lambda: database.execute(show).fetchone() == (name,), 5, "the setting is in force")


def test_a_commit_that_no_standby_confirms_is_not_believed(
    shop: Shop, cluster: Cluster, database: psycopg.Connection
) -> None:
    customer, key = Customer(shop.url), "0123456789abcdef"
    held = customer.hold(["A1"]).json()
    standby(cluster, database, "nobody")
    try:
        refused = customer.pay(held, key)
        assert refused.status_code in {503, 202}  # on a busy machine the customer is told to ask again before that
        if refused.status_code == 503:
            assert in_time(refused)
            assert shop.payments() == {}
    finally:
        standby(cluster, database, "")
    wait_until(lambda: customer.pay(held, key).status_code == 201, 10, "the same key buys")
    assert shop.payments() == {key: "approved"}
