"""The ledger: every alert, wish and schedule, and what became of it; repeats are counted on the row."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import select

from runner.model import AlertStatus, Verdict
from runner.store.tables import LEDGER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What came and what became of it. `id` is 0 until it is kept. `name`: the alert's, the schedule's or the action's.

    `fingerprint`, `starts_at` and `status` are the identity of an alert, and None for wishes and schedules.
    """

    at: datetime
    source: str  # of the alert, or `schedule`, `plan`, `wish of NAME`
    name: str
    verdict: Verdict
    reason: str
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fingerprint: str | None = None
    starts_at: datetime | None = None
    status: AlertStatus | None = None
    policy: str | None = None
    action: str | None = None
    target: str | None = None
    until: datetime | None = None
    job_id: str | None = None
    delivery_id: int | None = None
    repeats: int = 0  # how often it came again
    last_at: datetime | None = None  # when it last came
    id: int = 0


def find(connection: Connection, identity: tuple[str, datetime, AlertStatus]) -> Entry | None:
    """Return the row of an alert (`Alert.identity`), or None when it never came."""
    fingerprint, starts_at, status = identity
    query = select(LEDGER).where(
        LEDGER.c.fingerprint == fingerprint, LEDGER.c.starts_at == starts_at, LEDGER.c.status == status
    )
    row = connection.execute(query).mappings().one_or_none()
    return _entry(row) if row else None


def get(connection: Connection, entry_id: int) -> Entry | None:
    """Return one row, or None."""
    row = connection.execute(select(LEDGER).where(LEDGER.c.id == entry_id)).mappings().one_or_none()
    return _entry(row) if row else None


def add(connection: Connection, entry: Entry) -> int:
    """Keep an entry and return its number. An identity that is there already is a bug of the caller: IntegrityError."""
    values = {field.name: getattr(entry, field.name) for field in dataclasses.fields(Entry) if field.name != "id"}
    values |= {"labels": dict(entry.labels), "last_at": entry.last_at or entry.at}
    return int(connection.execute(LEDGER.insert().values(values).returning(LEDGER.c.id)).scalar_one())


def repeat(connection: Connection, entry_id: int, at: datetime) -> int:
    """Count that an alert came again; return how often it did."""
    update = LEDGER.update().where(LEDGER.c.id == entry_id).values(repeats=LEDGER.c.repeats + 1, last_at=at)
    return int(connection.execute(update.returning(LEDGER.c.repeats)).scalar_one())


def page(
    connection: Connection,
    before_id: int | None = None,
    limit: int = 100,
    verdict: Verdict | None = None,
    name: str | None = None,
) -> tuple[Entry, ...]:
    """Return entries, newest first; `before_id` is the last number of the page before."""
    query = select(LEDGER).order_by(LEDGER.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(LEDGER.c.id < before_id)
    if verdict is not None:
        query = query.where(LEDGER.c.verdict == verdict)
    if name is not None:
        query = query.where(LEDGER.c.name == name)
    return tuple(_entry(row) for row in connection.execute(query).mappings())


def _entry(row: RowMapping) -> Entry:
    values = dict(row)
    status = values["status"]
    return Entry(**{
        **values, "verdict": Verdict(values["verdict"]), "status": AlertStatus(status) if status else None,
    })  # fmt: skip
