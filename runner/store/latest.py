"""Keep the latest moment of a named thing; an older one that arrives late changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from runner.store.engine import insert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Table


def keep(connection: Connection, table: Table, name: str, at: datetime) -> None:
    """Keep `at` for a name, in a table of two columns: the name and `at`."""
    key = next(iter(table.primary_key))
    statement = insert(connection, table).values({key.name: name, "at": at})
    connection.execute(
        statement.on_conflict_do_update(index_elements=[key], set_={"at": at}, where=table.c.at < statement.excluded.at)
    )


def every(connection: Connection, table: Table) -> dict[str, datetime]:
    """Return all names with their latest moments."""
    key = next(iter(table.primary_key))
    rows = connection.execute(select(key, table.c.at).order_by(key))
    return {name: at for name, at in rows}  # noqa: C416 a row is no pair for the type checker
