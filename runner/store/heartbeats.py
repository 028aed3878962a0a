"""When each heartbeat alert was last heard: silence is the alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.store import latest
from runner.store.tables import HEARTBEATS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def seen(connection: Connection, name: str, at: datetime) -> None:
    """Record that a heartbeat came."""
    latest.keep(connection, HEARTBEATS, name, at)


def last(connection: Connection, name: str) -> datetime | None:
    """Return when a heartbeat last came; None: never."""
    return latest.every(connection, HEARTBEATS).get(name)
