"""The brake: while it is on, nothing starts by itself. Who pulled and released it, and why, is kept."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import select

from runner.store.tables import BRAKE

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Brake:
    """The brake's position since `at`, who put it there and why."""

    on: bool
    reason: str
    by: str
    at: datetime


def get(connection: Connection) -> Brake | None:
    """Return the brake as it is now; None when nobody ever touched it, which means released."""
    found = history(connection, limit=1)
    return found[0] if found else None


def put(connection: Connection, brake: Brake) -> None:
    """Pull or release the brake."""
    connection.execute(BRAKE.insert().values(dataclasses.asdict(brake)))


def history(connection: Connection, limit: int = 100) -> tuple[Brake, ...]:
    """Return what was done to the brake, newest first."""
    columns = (BRAKE.c[field.name] for field in dataclasses.fields(Brake))
    rows = connection.execute(select(*columns).order_by(BRAKE.c.id.desc()).limit(limit)).mappings()
    return tuple(Brake(**row) for row in rows)
