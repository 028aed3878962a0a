"""The database goes away, turns read-only, or falls silent: customers are told, in time, and nothing is charged."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import psycopg

from tests.integration.booking.shop import Customer, Shop, answers, wait_until

if TYPE_CHECKING:
    from tests.integration.booking.cluster import Cluster


def missing(shop: Shop) -> list[str]:
    """What a server says that it lacks."""
    return list(httpx.get(f"{shop.url}/readyz").json()["missing"])


def test_a_restarted_database_costs_no_customer_a_booking(shop: Shop, cluster: Cluster) -> None:
    customer = Customer(shop.url)
    held = customer.hold(["A1"]).json()
    cluster.restart()  # every pooled connection is dead now
    assert wait_until(lambda: customer.pay(held, "0123456789abcdef").status_code == 201, 10, "the purchase succeeds")
    assert list(shop.payments().values()) == ["approved"]


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
        assert max(answer.elapsed.total_seconds() for answer in told) < 3.5
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
            assert refused.elapsed.total_seconds() < 3.5
            assert shop.payments() == {}
    finally:
        standby(cluster, database, "")
    wait_until(lambda: customer.pay(held, key).status_code == 201, 10, "the same key buys")
    assert shop.payments() == {key: "approved"}
