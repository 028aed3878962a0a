"""A PostgreSQL cluster of the tests' own, and a running shop: servers and gateway as processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.integration.booking.cluster import Cluster
from tests.integration.booking.shop import Shop
from tests.integration.booking.two_sides import Side, TwoSides, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster.start()
    yield running
    running.stop()


@pytest.fixture
def postgresql_url(cluster: Cluster) -> Iterator[str]:
    """An empty database."""
    name = cluster.create_database()
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def opened_shop(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A migrated and seeded database, the stand-in gateway, and one server with short times."""
    running = Shop(cluster.url(cluster.create_database(template=cluster.seeded())), tmp_path_factory.mktemp("shop"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def shop(opened_shop: Shop) -> Iterator[Shop]:
    """The shop as on its first day: nothing sold, nothing paid, one server."""
    opened_shop.forget()
    yield opened_shop
    opened_shop.tidy()


@pytest.fixture
def database(shop: Shop) -> Iterator[psycopg.Connection]:
    """A connection to the shop's database."""
    with psycopg.connect(shop.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The payment gateway alone."""
    running = Shop("", tmp_path_factory.mktemp("gateway"))
    running.start_gateway()
    yield running
    running.stop()


@pytest.fixture
def sides(cluster: Cluster, company: Shop, tmp_path: Path) -> Iterator[TwoSides]:
    """Two sides that have sold A1 together."""
    company.break_gateway("none")
    before = cluster.create_database(template=cluster.seeded())
    Side(cluster.url(before), company.gateway_url).buy("A1")
    old, new = split(cluster, before)
    yield TwoSides(
        Side(cluster.url(old), company.gateway_url), Side(cluster.url(new), company.gateway_url), company, tmp_path
    )
    for name in (before, old, new):
        cluster.drop_database(name)
