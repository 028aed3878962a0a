"""Bring the database's shape to this release's, safely from several servers at once."""

from __future__ import annotations

from importlib.resources import files

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

_LOCK = 7355608  # any number; every `booking migrate` takes the same one


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(files("booking.migrations")))
    return configuration


def newest() -> str:
    """Return the revision that this release brings."""
    return str(ScriptDirectory.from_config(_configuration()).get_current_head())


def migrate(database_url: str, *, check: bool = False) -> tuple[str, str]:
    """Run the revisions that are missing, and return the revision before and after ("none" for an empty database).

    With `check` nothing is changed. A revision newer than this release is left alone: a release that is rolled back
    runs on the newer shape.
    """

    def connect() -> psycopg.Connection:
        return psycopg.connect(database_url)

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool)
    configuration = _configuration()
    script = ScriptDirectory.from_config(configuration)
    with engine.connect() as connection:
        if not check:
            connection.exec_driver_sql("SET lock_timeout = '60s'")
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (_LOCK,))
            connection.commit()
        before = MigrationContext.configure(connection).get_current_revision()
        known = before is None or before in {revision.revision for revision in script.walk_revisions()}
        if not check and known and before != newest():
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            connection.commit()
            return before or "none", newest()
        connection.rollback()
        return before or "none", before or "none"
