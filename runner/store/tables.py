"""The tables, the same on SQLite and PostgreSQL. Times are kept as UTC and come back aware."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Moment(TypeDecorator[datetime]):
    """An aware moment. A naive one is refused: nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC; SQLite keeps it without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; give an aware time.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


_NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only a column of type INTEGER by itself
_METADATA = MetaData()


def _numbered(name: str, *columns: Column[object] | UniqueConstraint | Index) -> Table:
    """Return a table whose rows get ascending numbers that are never given twice."""
    return Table(name, _METADATA, Column("id", _NUMBER, primary_key=True), *columns, sqlite_autoincrement=True)


DELIVERIES = _numbered(
    "deliveries",
    Column("received_at", Moment, nullable=False),
    Column("token", String, nullable=False),  # the name of the token it came with
    Column("content_type", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("judged_at", Moment),
    Column("problem", Text),
)
_UNJUDGED = DELIVERIES.c.judged_at.is_(None)
Index("deliveries_unjudged", DELIVERIES.c.id, sqlite_where=_UNJUDGED, postgresql_where=_UNJUDGED)

LEDGER = _numbered(
    "ledger",
    Column("at", Moment, nullable=False),
    Column("source", String, nullable=False),
    Column("name", String, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("fingerprint", String),  # these three are empty for wishes and schedules
    Column("starts_at", Moment),
    Column("status", String),
    Column("verdict", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("policy", String),
    Column("action", String),
    Column("target", String),
    Column("until", Moment),
    Column("job_id", String),
    Column("delivery_id", _NUMBER),
    Column("repeats", Integer, nullable=False, server_default=text("0")),
    Column("last_at", Moment, nullable=False, index=True),
    UniqueConstraint("fingerprint", "starts_at", "status", name="ledger_identity"),
)

JOBS = Table(
    "jobs",
    _METADATA,
    Column("number", _NUMBER, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("lock", String, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("approvals_needed", Integer, nullable=False),
    Column("approved_by", JSON, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment, index=True),
    Column("attempt", Integer, nullable=False),
    Column("node", String),
    Column("outcome", Text),
    Column("acknowledged_by", String),
    sqlite_autoincrement=True,
)
_HOLDS_LOCK = JOBS.c.state.in_(("running", "cancelling"))
Index("jobs_one_per_lock", JOBS.c.lock, unique=True, sqlite_where=_HOLDS_LOCK, postgresql_where=_HOLDS_LOCK)

EVENTS = Table(
    "events",
    _METADATA,
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("host", String),
    Column("task", Text),
)

BRAKE = _numbered(
    "brake",
    Column("at", Moment, nullable=False),
    Column("on", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
)

FIRINGS = Table(
    "firings",
    _METADATA,
    Column("schedule", String, primary_key=True),
    Column("moment", Moment, primary_key=True),  # that the cron line names
    Column("at", Moment, nullable=False),  # when it was acted on
    Column("job_id", String),
)

NODES = Table(
    "nodes",
    _METADATA,
    Column("name", String, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("beat_at", Moment, nullable=False),
    Column("until", Moment),  # none: taken over or gone, and not yet back
)

CAPACITY = Table(
    "capacity",
    _METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1
    Column("wanted", Integer, nullable=False),
    Column("ready", Integer, nullable=False),
    Column("observed_at", Moment, nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("allowed", Integer),  # by the cloud's quota; none: without limit, or not known
    Column("settled", Integer),  # wanted as it was before the jobs that are on their way
)

HEARTBEATS = Table(
    "heartbeats", _METADATA, Column("name", String, primary_key=True), Column("at", Moment, nullable=False)
)
MARKS = Table("marks", _METADATA, Column("policy", String, primary_key=True), Column("at", Moment, nullable=False))

OUTBOX = _numbered(
    "outbox",
    Column("at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("job_id", String),
    Column("next_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("delivered_to", JSON, nullable=False),
    Column("problem", Text),
    Column("sent_at", Moment, index=True),
)

VERSION = Table(
    "store_version",
    _METADATA,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
)
TABLES = _METADATA
