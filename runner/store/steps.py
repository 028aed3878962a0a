"""The numbered steps that bring a store to this release's shape; run under a lock, each once, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import func, select

from runner.store.tables import TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

_LOCK = 7355609  # any number; every runner that opens the store takes the same one


def _first_tables(connection: Connection) -> None:
    # The step that first changes a table freezes a copy of today's tables here.
    TABLES.create_all(connection)


STEPS: tuple[Callable[[Connection], None], ...] = (_first_tables,)


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
