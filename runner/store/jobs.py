"""Jobs: their states change only along `model.NEXT`, and only one job per lock is under way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict, Unpack

from sqlalchemy import exc, select

from runner.errors import NotFound
from runner.model import ENDED, NEXT, Job, JobState, Variables
from runner.store.tables import JOBS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Select

HOLDING = frozenset({JobState.RUNNING, JobState.CANCELLING})  # states that hold the job's lock
_COLUMNS = tuple(JOBS.c[field.name] for field in dataclasses.fields(Job))


class Changes(TypedDict, total=False):
    """What may change in a job besides its state."""

    variables: Variables
    reason: str
    approved_by: tuple[str, ...]
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int
    node: str | None
    outcome: str | None
    acknowledged_by: str | None


def new_id(action: str, at: datetime, random: int) -> str:
    """Return a job's name, such as `20261125-0752-scale_out-4f2a`; `at` is UTC, `random` below 65536."""
    return f"{at:%Y%m%d-%H%M}-{action}-{random & 0xFFFF:04x}"


def add(connection: Connection, job: Job, lock: str) -> None:
    """Keep a new job. `lock` (the action's) names what no two jobs may touch at once.

    An id that is taken raises IntegrityError; `get` before, under the judge's lock, tells.
    """
    values = {field.name: getattr(job, field.name) for field in dataclasses.fields(Job)}
    values |= {"variables": dict(job.variables), "approved_by": list(job.approved_by), "lock": lock}
    connection.execute(JOBS.insert().values(values))


def get(connection: Connection, job_id: str) -> Job:
    """Return a job. Raises NotFound."""
    row = connection.execute(select(*_COLUMNS).where(JOBS.c.id == job_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id!r}; `understudy jobs` lists them.")
    return _job(row)


def exists(connection: Connection, job_id: str) -> bool:
    """Say whether a job has this id."""
    return connection.execute(select(JOBS.c.number).where(JOBS.c.id == job_id)).first() is not None


def page(
    connection: Connection,
    before_id: str | None = None,
    limit: int = 100,
    states: AbstractSet[JobState] | None = None,
    action: str | None = None,
) -> tuple[Job, ...]:
    """Return jobs, newest first; `before_id` is the last job of the page before."""
    query = select(*_COLUMNS).order_by(JOBS.c.number.desc()).limit(limit)
    if before_id is not None:
        query = query.where(JOBS.c.number < select(JOBS.c.number).where(JOBS.c.id == before_id).scalar_subquery())
    if states is not None:
        query = query.where(JOBS.c.state.in_(sorted(states)))
    if action is not None:
        query = query.where(JOBS.c.action == action)
    return _jobs(connection, query)


def active(connection: Connection) -> tuple[Job, ...]:
    """Return the jobs that have not ended, oldest first."""
    living = sorted(set(JobState) - ENDED)
    return _jobs(connection, select(*_COLUMNS).where(JOBS.c.state.in_(living)).order_by(JOBS.c.number))


def ended_since(connection: Connection, moment: datetime) -> tuple[Job, ...]:
    """Return the jobs that ended at or after a moment, in the order of their ends."""
    query = select(*_COLUMNS).where(JOBS.c.ended_at >= moment).order_by(JOBS.c.ended_at, JOBS.c.number)
    return _jobs(connection, query)


def queued_in_order(connection: Connection) -> tuple[Job, ...]:
    """Return the jobs that wait for their lock, oldest first."""
    query = select(*_COLUMNS).where(JOBS.c.state == JobState.QUEUED).order_by(JOBS.c.number)
    return _jobs(connection, query)


def holder(connection: Connection, lock: str) -> Job | None:
    """Return the job that holds a lock now, or None."""
    found = _jobs(connection, select(*_COLUMNS).where(JOBS.c.lock == lock, JOBS.c.state.in_(sorted(HOLDING))))
    return found[0] if found else None


def lock_of(connection: Connection, job_id: str) -> str:
    """Return what a job locks while it is under way. Raises NotFound."""
    lock = connection.execute(select(JOBS.c.lock).where(JOBS.c.id == job_id)).scalar_one_or_none()
    if lock is None:
        raise NotFound(f"There is no job {job_id!r}; `understudy jobs` lists them.")
    return str(lock)


def move(
    connection: Connection, job_id: str, expected: AbstractSet[JobState], to: JobState, **changes: Unpack[Changes]
) -> Job | None:
    """Change a job's state, and return the job as it now is.

    None: the job is in none of the `expected` states (or is not there), or another job holds its lock. Raises
    ValueError for a change that no job ever makes.
    """
    impossible = sorted(state for state in expected if to not in NEXT[state])
    if impossible:
        raise ValueError(f"A job never goes from {impossible[0]} to {to}.")
    try:
        # A savepoint: a refused lock must not spoil the caller's transaction.
        with connection.begin_nested():
            return _update(connection, job_id, expected, {"state": to, **changes})
    except exc.IntegrityError:
        return None


def change(
    connection: Connection, job_id: str, expected: AbstractSet[JobState], **changes: Unpack[Changes]
) -> Job | None:
    """Change a job that stays in its state, such as its approvals; None when it is in none of the `expected`."""
    return _update(connection, job_id, expected, dict(changes))


def durations(connection: Connection, action: str, limit: int = 50) -> tuple[float, ...]:
    """Return how many seconds an action's last successful jobs took from start to end, newest first."""
    query = (
        select(JOBS.c.started_at, JOBS.c.ended_at)
        .where(JOBS.c.action == action, JOBS.c.state == JobState.SUCCEEDED)
        .where(JOBS.c.started_at.is_not(None), JOBS.c.ended_at.is_not(None))
        .order_by(JOBS.c.number.desc())
        .limit(limit)
    )
    return tuple((ended - started).total_seconds() for started, ended in connection.execute(query))


def _update(
    connection: Connection, job_id: str, expected: AbstractSet[JobState], values: dict[str, object]
) -> Job | None:
    update = JOBS.update().where(JOBS.c.id == job_id, JOBS.c.state.in_(sorted(expected)))
    row = connection.execute(update.values(_plain(values)).returning(*_COLUMNS)).mappings().one_or_none()
    return _job(row) if row else None


def _plain(values: dict[str, object]) -> dict[str, object]:
    # JSON columns take lists and dictionaries only.
    return {
        name: list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }


def _jobs(connection: Connection, query: Select[*tuple[object, ...]]) -> tuple[Job, ...]:
    return tuple(_job(row) for row in connection.execute(query).mappings())


def _job(row: RowMapping) -> Job:
    values = dict(row)
    return Job(**{**values, "state": JobState(values["state"]), "approved_by": tuple(values["approved_by"])})
