"""A job's story: state changes and tasks, numbered from 1 without gaps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from runner.errors import NotFound
from runner.model import JobEvent
from runner.store.tables import EVENTS, JOBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def append(connection: Connection, job_id: str, events: Sequence[JobEvent]) -> tuple[JobEvent, ...]:
    """Add to a job's story and return the events with the numbers they got; the numbers they carry are ignored.

    The job's row is locked until the transaction ends, so that two writers never take one number. Raises NotFound.
    """
    if connection.execute(select(JOBS.c.number).where(JOBS.c.id == job_id).with_for_update()).first() is None:
        raise NotFound(f"There is no job {job_id!r}, so nothing can be told of it; `understudy jobs` lists them.")
    if not events:
        return ()
    query = select(func.coalesce(func.max(EVENTS.c.number), 0)).where(EVENTS.c.job_id == job_id)
    last = connection.execute(query).scalar_one()
    numbered = tuple(
        dataclasses.replace(each, job_id=job_id, number=number) for number, each in enumerate(events, start=last + 1)
    )
    connection.execute(EVENTS.insert(), [dataclasses.asdict(each) for each in numbered])
    return numbered


def since(connection: Connection, job_id: str, number: int = 0, limit: int = 500) -> tuple[JobEvent, ...]:
    """Return the events after a number, in order; 0 means from the start."""
    query = select(EVENTS).where(EVENTS.c.job_id == job_id, EVENTS.c.number > number)
    rows = connection.execute(query.order_by(EVENTS.c.number).limit(limit)).mappings()
    return tuple(JobEvent(**row) for row in rows)
