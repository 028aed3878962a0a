"""When an alert of each policy last came as firing: hysteresis asks that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.store import latest
from runner.store.tables import MARKS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def fired(connection: Connection, policy: str, at: datetime) -> None:
    """Record that an alert of a policy came as firing, repeats included."""
    latest.keep(connection, MARKS, policy, at)


def last_fired(connection: Connection) -> dict[str, datetime]:
    """Return policy -> when an alert of it last came as firing."""
    return latest.every(connection, MARKS)
