"""Which firings of the schedules were acted on: each moment once, also with several nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from runner.store.engine import insert
from runner.store.tables import FIRINGS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def last_fired(connection: Connection, schedule: str) -> datetime | None:
    """Return the latest moment of a schedule that was acted on, or None."""
    query = select(func.max(FIRINGS.c.moment)).where(FIRINGS.c.schedule == schedule)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def fired(connection: Connection, schedule: str, moment: datetime, at: datetime, job_id: str | None = None) -> bool:
    """Record that the firing of `moment` is acted on; False when it was before: then leave it."""
    statement = insert(connection, FIRINGS).values(schedule=schedule, moment=moment, at=at, job_id=job_id)
    kept = connection.execute(statement.on_conflict_do_nothing().returning(FIRINGS.c.schedule))
    return kept.first() is not None
