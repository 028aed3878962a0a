"""What arrived and is not yet judged: raw bodies, on disk before the sender hears 202."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from runner.store.tables import DELIVERIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """A body as it came. `token`: the name of the token it came with."""

    received_at: datetime
    token: str
    content_type: str
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """A kept arrival and its number."""

    id: int
    received_at: datetime
    token: str
    content_type: str
    body: bytes


def append(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """Keep arrivals in their order."""
    if arrivals:
        connection.execute(
            DELIVERIES.insert().inline(),
            [
                {"received_at": one.received_at, "token": one.token, "content_type": one.content_type, "body": one.body}
                for one in arrivals
            ],
        )


def unjudged(connection: Connection, limit: int) -> tuple[Delivery, ...]:
    """Return the oldest deliveries that are not judged, in order."""
    columns = (DELIVERIES.c[field.name] for field in dataclasses.fields(Delivery))
    query = select(*columns).where(DELIVERIES.c.judged_at.is_(None)).order_by(DELIVERIES.c.id).limit(limit)
    return tuple(Delivery(**row) for row in connection.execute(query).mappings())


def mark_judged(connection: Connection, delivery_id: int, at: datetime, problem: str | None = None) -> bool:
    """Record that a delivery is judged, or why it could not be; False when it was judged before."""
    update = DELIVERIES.update().where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.judged_at.is_(None))
    return connection.execute(update.values(judged_at=at, problem=problem)).rowcount == 1


def waiting(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many deliveries are not judged, and when the oldest of them came."""
    query = select(func.count(), func.min(DELIVERIES.c.received_at)).where(DELIVERIES.c.judged_at.is_(None))
    count, oldest = connection.execute(query).one()
    return count, oldest
