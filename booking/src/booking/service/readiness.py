"""Know whether this server can sell, without asking anybody when it is asked."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg

from booking.store.database import CONNECTION_SETTINGS

if TYPE_CHECKING:
    from booking.service.shop import Shop

logger = logging.getLogger("booking.readiness")
_LOOK_EVERY_SECONDS, _LOOK_AGAIN_SECONDS = 1.0, 0.25
_OLD_SECONDS = 5.0
_QUERY = """
SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only,
       to_regclass('seat_claims') IS NOT NULL AS migrated
"""


@dataclass(frozen=True)
class Readiness:
    """What is missing for selling, in sentences; empty when nothing is. `at` is on the monotonic clock."""

    missing: tuple[str, ...]
    at: float


class Patience:
    """Overlooks a database that is away for less time than a request may wait for it, as in a planned switch.

    An edge that turned customers away at once would make them wait longer than the switch lasts.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left: float | None = None  # until when it is overlooked; None before it was there for the first time

    def told(self, missing: str, now: float) -> str:
        """Return what to tell of a look at a moment of the monotonic clock (pure but for what it remembers)."""
        if not missing:
            self._left = now + self._seconds
        return missing if self._left is None or now >= self._left else ""


class Lookout(threading.Thread):
    """Looks at the database and the gateway once a second, on connections of its own, which load cannot use up."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(name="lookout", daemon=True)
        self._shop = shop
        self._stopping = threading.Event()
        self._connection: psycopg.Connection[Any] | None = None
        self._last = Readiness(("This server has just started.",), monotonic())
        self._patience = Patience(shop.settings.request_limit_seconds)

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def readiness(self) -> Readiness:
        """Return the last look; an old one counts as not ready."""
        last, age = self._last, monotonic() - self._last.at
        if age > _OLD_SECONDS:
            return Readiness((f"The database or the gateway has not answered for {age:.0f} s.",), last.at)
        return last

    def run(self) -> None:
        """Look until told to stop."""
        while not self._stopping.is_set():
            database = self._database()
            away = self._patience.told(database, monotonic())
            missing = tuple(sentence for sentence in (away, self._gateway()) if sentence)
            if missing != self._last.missing:
                logger.info("readiness_changed missing=%r", missing)
            self._last = Readiness(missing, monotonic())
            self._stopping.wait(_LOOK_AGAIN_SECONDS if database else _LOOK_EVERY_SECONDS)

    def _database(self) -> str:
        try:
            if self._connection is None or self._connection.closed:
                url = self._shop.settings.database_url.get_secret_value()
                self._connection = psycopg.connect(url, autocommit=True, **CONNECTION_SETTINGS)
            row = self._connection.execute(_QUERY).fetchone()
        except psycopg.Error as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            return f"The database does not answer: {type(error).__name__}."
        if row is None or row[0]:
            self._connection.close()  # the way to the leader may have moved
            self._connection = None
            return "The database is read-only."
        return "" if row[1] else "The database has no tables: run `booking migrate`."

    def _gateway(self) -> str:
        return "" if self._shop.gateway.healthy(1.0) else "The payment gateway does not answer."
