from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import Connection, select

from runner.errors import StoreUnavailable
from runner.store import brake, capacity, engine, inbox, steps
from runner.store.brake import Brake
from runner.store.engine import Store, check_sqlite, open_store
from runner.store.tables import TABLES, VERSION
from tests.integration.booking.cluster import Cluster, free_port
from tests.integration.runner.store.examples import NOON


def test_many_that_open_a_new_store_at_once_all_find_its_tables(store_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(open_store, [store_url] * 8))
    for opened in stores:
        with opened.read() as connection:
            assert set(sqlalchemy.inspect(connection).get_table_names()) == set(TABLES.tables)
            assert connection.execute(select(VERSION.c.step)).scalars().all() == list(range(1, len(steps.STEPS) + 1))
        opened.close()


def test_a_store_gets_only_the_steps_that_it_lacks(store: Store) -> None:
    ran: list[str] = []

    def second(connection: Connection) -> None:
        connection.execute(sqlalchemy.text("ALTER TABLE brake ADD COLUMN extra TEXT"))
        ran.append("second")

    for _ in range(2):
        with store.write() as connection:
            steps.upgrade(connection, (*steps.STEPS, second))
    assert ran == ["second"]


def test_a_store_of_the_first_release_keeps_what_it_knows_of_the_servers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    old = sqlalchemy.create_engine(url)
    with old.begin() as connection:
        steps.upgrade(connection, steps.STEPS[:1])
        columns = {column["name"] for column in sqlalchemy.inspect(connection).get_columns("capacity")}
        assert columns == {"id", "wanted", "ready", "observed_at", "stale"}
        row = "(1, 3, 2, '2026-11-25 12:00:00', 0)"
        connection.execute(sqlalchemy.text(f"INSERT INTO capacity VALUES {row}"))  # noqa: S608 - a constant
    old.dispose()
    opened = open_store(url)
    with opened.read() as connection:
        found = capacity.get(connection, NOON)
    opened.close()
    assert found is not None
    assert (found.wanted, found.ready, found.allowed) == (3, 2, None)


def test_a_step_that_fails_leaves_nothing(store: Store) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(sqlalchemy.text("ALTER TABLE brake ADD COLUMN extra TEXT"))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"), store.write() as connection:
        steps.upgrade(connection, (*steps.STEPS, broken))
    with store.read() as connection:
        assert "extra" not in {column["name"] for column in sqlalchemy.inspect(connection).get_columns("brake")}
        assert connection.execute(select(VERSION.c.step)).scalars().all() == list(range(1, len(steps.STEPS) + 1))


def test_a_store_of_a_newer_release_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.execute(VERSION.insert().values(step=7, at=NOON))
        assert steps.upgrade(connection) == (7, 7)


def test_an_error_inside_a_write_keeps_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            brake.put(connection, Brake(True, "storm", "kim", NOON))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as connection:
        assert brake.get(connection) is None


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = datetime(2026, 11, 25, 12)
    with pytest.raises(sqlalchemy.exc.StatementError, match="no time zone"), store.write() as connection:
        brake.put(connection, Brake(True, "storm", "kim", naive))


def test_a_server_that_is_not_there_is_store_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="nothing was kept, so repeat it"):
        open_store(f"postgresql://postgres@127.0.0.1:{free_port()}/none")


def test_a_store_that_lost_its_sessions_works_again(postgresql_url: str) -> None:
    store = open_store(postgresql_url, name="node-a")
    with store.read() as connection:
        assert brake.get(connection) is None
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'node-a'")
    with store.read() as connection:
        assert brake.get(connection) is None
    store.close()


@pytest.mark.parametrize("url", ["mysql://user:secret@host/name", "sqlite://", "sqlite:///:memory:", "no url"])
def test_a_url_of_anything_else_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="write sqlite:////path") as refusal:
        open_store(url)
    assert "secret" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"gone/store\.db cannot be opened: .*; make its folder"):
        open_store(f"sqlite:///{tmp_path}/gone/store.db")


def test_an_sqlite_that_is_too_old_is_refused_and_the_oldest_allowed_is_not() -> None:
    check_sqlite(engine.OLDEST_SQLITE)
    with pytest.raises(StoreUnavailable, match=r"SQLite is 3\.37\.2; the store needs 3\.38\.0: install pysqlite3-bin"):
        check_sqlite((3, 37, 2))


def test_a_file_that_is_no_database_is_store_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        open_store(f"sqlite:///{tmp_path}/store.db")


def test_an_sqlite_store_is_private_and_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with store.write() as connection:
        inbox.append(connection, [inbox.Arrival(NOON, "token", "application/json", b"{}")])
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    store.close()


def test_the_advisory_lock_keeps_a_second_judge_out_until_the_first_ends(store: Store) -> None:
    order: list[str] = []

    def second() -> None:
        with store.write() as connection:
            engine.lock(connection, "judge")
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with store.write() as connection:
            engine.lock(connection, "judge")
            other = pool.submit(second)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.2)
            order.append("first")
        other.result(timeout=10)
    assert order == ["first", "second"]


def test_a_postgresql_that_may_lose_what_it_took_is_refused(cluster: Cluster, postgresql_url: str) -> None:
    cluster.execute(f"ALTER DATABASE {postgresql_url.rpartition('/')[2]} SET synchronous_commit = off")
    with pytest.raises(StoreUnavailable, match="synchronous_commit off"):
        open_store(postgresql_url)


def test_a_lock_that_is_not_given_in_time_is_store_unavailable(postgresql_url: str) -> None:
    hurried = open_store(postgresql_url)

    def judge() -> None:
        with hurried.write() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            engine.lock(connection, "judge")

    with hurried.write() as connection:
        engine.lock(connection, "judge")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            judge()
    judge()
    hurried.close()
