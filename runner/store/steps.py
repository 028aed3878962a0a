"""The numbered steps that bring a store to this release's shape; run under a lock, each once, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, func, select

from runner.store.tables import CAPACITY, TABLES, VERSION, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_LOCK = 7355609  # any number; every runner that opens the store takes the same one


# Tables that a later step changes, as the first one makes them. A step that first changes another freezes it here.
_FIRST = MetaData()
Table(
    "capacity",
    _FIRST,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("wanted", Integer, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("observed_at", Moment, nullable=False),
    Column("stale", Boolean, nullable=False),
)


def _first_tables(connection: Connection) -> None:
    TABLES.create_all(connection, [each for each in TABLES.sorted_tables if each.name not in _FIRST.tables])
    _FIRST.create_all(connection)


def _allowed_by_the_quota(connection: Connection) -> None:
    _add(connection, CAPACITY.c.allowed)


def _settled(connection: Connection) -> None:
    _add(connection, CAPACITY.c.settled)


STEPS: tuple[Callable[[Connection], None], ...] = (_first_tables, _allowed_by_the_quota, _settled)


def upgrade(connection: Connection, steps: tuple[Callable[[Connection], None], ...] = STEPS) -> tuple[int, int]:
    """Run the steps that are missing inside the given writing transaction; return the step before and after.

    A store that is newer than this release is left alone: a release that is rolled back runs on the newer shape.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    VERSION.create(connection, checkfirst=True)
    before = connection.execute(select(func.coalesce(func.max(VERSION.c.step), 0))).scalar_one()
    for number, step in enumerate(steps[before:], start=before + 1):
        step(connection)
        connection.execute(VERSION.insert().values(step=number, at=func.current_timestamp()))
    return before, max(before, len(steps))


def _add(connection: Connection, column: Column[Any]) -> None:
    """Add a column that may be empty."""
    kind = column.type.compile(connection.dialect)
    connection.execute(sqlalchemy.text(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}"))
