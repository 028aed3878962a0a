"""Open the store: SQLite for one node, PostgreSQL for several.

SQLite has one writer at a time, PostgreSQL locks rows. Every commit is on disk when it returns (SQLite: write-ahead
log with synchronous=FULL; PostgreSQL: the server's synchronous_commit, which must not be off).

Driver errors come out as StoreUnavailable.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import importlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql, sqlite

from runner.errors import StoreUnavailable
from runner.store import steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from sqlalchemy import Connection, Engine, Table

# RETURNING came with 3.35 and its repairs until 3.38. The job engine asks for more, and checks that itself.
OLDEST_SQLITE = (3, 38, 0)
BUSY_SECONDS = 5
_WRITES = "runner_writes"
_OUR_FAULT = (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError)


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """An opened store. Safe to share between threads; each `read` or `write` takes a connection of its own."""

    engine: Engine

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, or rolled back by an error.

        Raises StoreUnavailable when the database cannot be reached or written: then nothing was kept.
        """
        with _translated(), self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a transaction that sees one moment and changes nothing. Raises StoreUnavailable."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_store(url: str, name: str = "understudy") -> Store:
    """Open a store and bring its tables to this release's shape.

    `url`: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/database`. `name` is what
    PostgreSQL shows for our sessions: give each node its own, so that a peer can end them (`nodes.end_sessions`).
    Raises StoreUnavailable, also for a URL that names no such database and for an SQLite that is too old.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError as error:
        raise StoreUnavailable("The store's URL cannot be read; write sqlite:////path or postgresql://...") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        store = Store(_postgresql(parsed, name))
        with store.write() as connection:
            if connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "off":
                raise StoreUnavailable("PostgreSQL has synchronous_commit off and may lose what it took; switch it on.")
            steps.upgrade(connection)
        return store
    if backend != "sqlite" or not parsed.database or parsed.database == ":memory:":
        shown = parsed.render_as_string(hide_password=True)
        raise StoreUnavailable(f"The store cannot be {shown}; write sqlite:////path or postgresql://user@host/name.")
    return _open_sqlite(Path(parsed.database))


def sqlite_module() -> ModuleType:
    """Return the SQLite driver: pysqlite3 where it is installed (it brings a newer SQLite), else Python's own."""
    with contextlib.suppress(ImportError):
        return importlib.import_module("pysqlite3")
    return sqlite3


def check_sqlite(version: tuple[int, ...]) -> None:
    """Refuse an SQLite that the store's statements do not run on. Raises StoreUnavailable."""
    if version < OLDEST_SQLITE:
        found, needed = (".".join(map(str, each)) for each in (version, OLDEST_SQLITE))
        raise StoreUnavailable(f"SQLite is {found}; the store needs {needed}: install pysqlite3-binary in this venv.")


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return the insert statement of this connection's database, which knows what to do on a conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def lock(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds the lock `name`, then hold it until this transaction ends.

    On SQLite a writing transaction is alone anyway, so there is nothing to do.
    """
    if connection.dialect.name == "postgresql":
        statement = sqlalchemy.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(statement, {"name": f"understudy:{name}"})


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _OUR_FAULT:
        raise
    except (exc.DBAPIError, exc.TimeoutError) as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreUnavailable(f"The store cannot be used now ({cause}); nothing was kept, so repeat it.") from error


def _postgresql(url: sqlalchemy.URL, name: str) -> Engine:
    return sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=8,
        pool_timeout=BUSY_SECONDS,
        connect_args={
            "application_name": name,
            "connect_timeout": BUSY_SECONDS,
            # A server that stopped answering, a peer that froze while it held a lock: both end by themselves.
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": BUSY_SECONDS * 1000,
            "options": f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout={BUSY_SECONDS}s",
        },
    )


def _open_sqlite(path: Path) -> Store:
    module = sqlite_module()
    check_sqlite(module.sqlite_version_info)
    try:
        # Many open the same new file at once: one of them makes it. Nobody else on the machine may read it.
        turn = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"The store {path} cannot be opened: {error.strerror}; make its folder.") from error
    with open(turn, "rb") as held:  # noqa: PTH123 a descriptor, not a path
        fcntl.flock(held, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):  # the connection says it better
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        store = Store(_sqlite(path, module))
        with store.write() as connection:
            steps.upgrade(connection)
    return store


def _sqlite(path: Path, module: ModuleType) -> Engine:
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)),
        module=module,
        pool_size=8,
        pool_timeout=BUSY_SECONDS,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},  # we say BEGIN, not the driver
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that first reads and then writes may fail half-way on SQLite: a writer says so at its start.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
