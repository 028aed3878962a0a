"""Notifications on their way: written with the change they tell of, sent later, repeated until they arrive."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import select

from runner.store.tables import OUTBOX

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Notification:
    """What someone must know. `delivered_to` names the receivers that have it; `attempts` counts tries."""

    id: int
    at: datetime
    kind: str  # job_failed, approval_wanted, alarm, ...
    title: str
    body: str
    job_id: str | None
    next_at: datetime
    attempts: int
    delivered_to: tuple[str, ...]
    problem: str | None


def add(connection: Connection, at: datetime, kind: str, title: str, body: str, *, job_id: str | None = None) -> int:
    """Put a notification into the outbox, to be sent at once; return its number."""
    values = {"at": at, "kind": kind, "title": title, "body": body, "job_id": job_id, "next_at": at, "delivered_to": []}
    return int(connection.execute(OUTBOX.insert().values(values).returning(OUTBOX.c.id)).scalar_one())


def pending(connection: Connection, now: datetime, limit: int = 100) -> tuple[Notification, ...]:
    """Return what is to be sent now, oldest first. On PostgreSQL the rows are locked, and others' rows left out."""
    columns = (OUTBOX.c[field.name] for field in dataclasses.fields(Notification))
    query = select(*columns).where(OUTBOX.c.sent_at.is_(None), OUTBOX.c.next_at <= now)
    query = query.order_by(OUTBOX.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = connection.execute(query).mappings()
    return tuple(Notification(**{**row, "delivered_to": tuple(row["delivered_to"])}) for row in rows)


def sent(connection: Connection, notification_id: int, at: datetime) -> None:
    """Record that a notification needs no more sending: everybody has it, or nobody wanted it."""
    connection.execute(OUTBOX.update().where(OUTBOX.c.id == notification_id).values(sent_at=at, problem=None))


def failed(
    connection: Connection, notification_id: int, problem: str, next_at: datetime, delivered_to: tuple[str, ...] = ()
) -> int:
    """Record a try that did not reach everybody, and when to try again; return how many tries there were."""
    update = OUTBOX.update().where(OUTBOX.c.id == notification_id)
    values = {
        "attempts": OUTBOX.c.attempts + 1,
        "problem": problem,
        "next_at": next_at,
        "delivered_to": list(delivered_to),
    }
    return int(connection.execute(update.values(values).returning(OUTBOX.c.attempts)).scalar_one())


def gave_up(connection: Connection, notification_id: int, at: datetime, problem: str) -> None:
    """Record that a notification will not be tried again, and why."""
    update = OUTBOX.update().where(OUTBOX.c.id == notification_id)
    connection.execute(update.values(sent_at=at, problem=problem))
