"""Forget what is old: never what is unjudged, under way, unsent, or still repeated."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select

from runner.store.tables import BRAKE, DELIVERIES, EVENTS, FIRINGS, JOBS, LEDGER, OUTBOX

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table


@dataclasses.dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of each kind were deleted."""

    deliveries: int
    ledger: int
    jobs: int
    events: int
    firings: int
    notifications: int
    brake: int


def delete_before(connection: Connection, moment: datetime) -> Forgotten:
    """Delete what was over before a moment, and return the counts.

    Kept whatever their age: unjudged deliveries, alerts that came again since, jobs that have not ended, unsent
    notifications, each schedule's last firing and the brake's position.
    """
    old_jobs = JOBS.c.ended_at < moment
    told = EVENTS.c.job_id.in_(select(JOBS.c.id).where(old_jobs))
    later = FIRINGS.alias()
    last = select(func.max(later.c.moment)).where(later.c.schedule == FIRINGS.c.schedule).scalar_subquery()
    events = _delete(connection, EVENTS, told)
    return Forgotten(
        deliveries=_delete(connection, DELIVERIES, DELIVERIES.c.judged_at < moment),
        ledger=_delete(connection, LEDGER, LEDGER.c.last_at < moment),
        jobs=_delete(connection, JOBS, old_jobs),
        events=events,
        firings=_delete(connection, FIRINGS, and_(FIRINGS.c.at < moment, FIRINGS.c.moment < last)),
        notifications=_delete(connection, OUTBOX, OUTBOX.c.sent_at < moment),
        brake=_delete(
            connection,
            BRAKE,
            and_(BRAKE.c.at < moment, BRAKE.c.id < select(func.max(BRAKE.c.id)).scalar_subquery()),
        ),
    )


def _delete(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(condition)).rowcount
