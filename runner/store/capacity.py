"""The last thing known about burst servers: how many are wanted, how many are ready, and how old that is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from runner.model import Capacity
from runner.store.engine import insert
from runner.store.tables import CAPACITY

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def get(connection: Connection, now: datetime) -> Capacity | None:
    """Return the capacity with its age at `now`; None when nothing was ever observed, which is not zero."""
    row = connection.execute(select(CAPACITY)).mappings().one_or_none()
    if row is None:
        return None
    age = max(0.0, (now - row["observed_at"]).total_seconds())
    return Capacity(row["wanted"], row["ready"], age_seconds=age, stale=row["stale"], allowed=row["allowed"])


def put(connection: Connection, capacity: Capacity, at: datetime, settled: int | None = None) -> None:
    """Keep an observation; `capacity.age_seconds` is its age at `at`.

    `settled`: what is wanted besides what a job on its way is asked for; None: the same.
    """
    values = {
        "wanted": capacity.wanted,
        "ready": capacity.ready,
        "stale": capacity.stale,
        "allowed": capacity.allowed,
        "settled": capacity.wanted if settled is None else settled,
        "observed_at": at - timedelta(seconds=capacity.age_seconds),
    }
    statement = insert(connection, CAPACITY).values(id=1, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[CAPACITY.c.id], set_=values))


def settled(connection: Connection) -> int:
    """Return how many were wanted before the jobs that are on their way; 0 when that is not known."""
    return connection.execute(select(CAPACITY.c.settled)).scalar_one_or_none() or 0


def want(connection: Connection, wanted: int) -> bool:
    """Record what a decision asks for, and leave the observation; False when nothing was ever observed."""
    return connection.execute(CAPACITY.update().values(wanted=wanted)).rowcount == 1
