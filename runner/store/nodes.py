"""The nodes that share a store. Each holds a lease until a moment; its epoch grows with each start and takeover.

A node that was frozen finds that its epoch is not its own any more, and must stop. Compare leases by `clock`, the
database's time, where nodes have clocks of their own.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import select

from runner.store.engine import insert
from runner.store.tables import NODES

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node. `until`: the end of its lease; None when it was taken over and has not come back."""

    name: str
    epoch: int
    beat_at: datetime
    until: datetime | None


def clock(connection: Connection) -> datetime:
    """Return the database's time; on SQLite that is this machine's."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    found: datetime = connection.execute(sqlalchemy.text("SELECT clock_timestamp()")).scalar_one()
    return found.astimezone(UTC)


def enrol(connection: Connection, name: str, now: datetime, until: datetime) -> int:
    """Begin a node's life under a new epoch, and return it; whatever ran under an older one is fenced."""
    statement = insert(connection, NODES).values(name=name, epoch=1, beat_at=now, until=until)
    renewed = {"epoch": NODES.c.epoch + 1, "beat_at": now, "until": until}
    statement = statement.on_conflict_do_update(index_elements=[NODES.c.name], set_=renewed)
    return int(connection.execute(statement.returning(NODES.c.epoch)).scalar_one())


def beat(connection: Connection, name: str, epoch: int, now: datetime, until: datetime) -> bool:
    """Renew a node's lease; False when its epoch has passed: another node took over, so stop everything."""
    update = NODES.update().where(NODES.c.name == name, NODES.c.epoch == epoch, NODES.c.until.is_not(None))
    return connection.execute(update.values(beat_at=now, until=until)).rowcount == 1


def lapsed(connection: Connection, now: datetime) -> tuple[Node, ...]:
    """Return the nodes whose lease has ended and that nobody took over, longest ago first."""
    query = select(NODES).where(NODES.c.until < now).order_by(NODES.c.until)
    return tuple(Node(**row) for row in connection.execute(query).mappings())


def take_over(connection: Connection, node: Node, now: datetime) -> int | None:
    """Fence a lapsed node and return its new epoch; None when it came back, or another node was first."""
    update = NODES.update().where(NODES.c.name == node.name, NODES.c.epoch == node.epoch, NODES.c.until < now)
    epoch = connection.execute(update.values(epoch=NODES.c.epoch + 1, until=None).returning(NODES.c.epoch))
    return epoch.scalar_one_or_none()


def get(connection: Connection, name: str) -> Node | None:
    """Return a node, or None when it never came."""
    row = connection.execute(select(NODES).where(NODES.c.name == name)).mappings().one_or_none()
    return Node(**row) if row else None


def every(connection: Connection) -> tuple[Node, ...]:
    """Return all nodes by name."""
    return tuple(Node(**row) for row in connection.execute(select(NODES).order_by(NODES.c.name)).mappings())


def remove(connection: Connection, name: str) -> None:
    """End a node's lease in peace, as it stops; its epoch is remembered."""
    connection.execute(NODES.update().where(NODES.c.name == name).values(until=None))


def end_sessions(connection: Connection, application_name: str) -> int:
    """End the other database sessions with this name (`open_store(name=...)`), and return how many; 0 on SQLite."""
    if connection.dialect.name != "postgresql":
        return 0
    statement = sqlalchemy.text(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = :name AND pid <> pg_backend_pid() AND datname = current_database()"
    )
    return int(connection.execute(statement, {"name": application_name}).scalar_one())
