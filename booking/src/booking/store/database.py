"""Transactions on pooled connections, within a deadline and honest about commits."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from booking.errors import CommitUnknownError, UnavailableError
from booking.store.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from booking.deadline import Deadline

Row = dict[str, Any]
Connection = psycopg.Connection[Row]
Result = TypeVar("Result")
logger = logging.getLogger("booking.database")

CONNECTION_SETTINGS: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,
    "application_name": "booking",
    "options": "-c statement_timeout=2000 -c lock_timeout=1500 -c idle_in_transaction_session_timeout=5000"
    " -c timezone=UTC",
}
_UNAVAILABLE = "The booking database takes no bookings at this moment. Nothing was charged; try again in a moment."
_ATTEMPT_SECONDS = 0.25  # between two attempts to connect
_READ_ONLY_PAUSE_SECONDS = 0.2  # a new leader has the lease a moment before it can write
_LAST_TRY_SECONDS = 0.2  # with less time left, nothing is tried again
_REPEATABLE = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


class _Connection(psycopg.Connection[Row]):
    """A connection that remembers the server's warnings: a cut wait for the standby is one of them."""

    warned = False

    @classmethod
    def configure(cls, connection: psycopg.Connection[Row]) -> None:
        """Listen for warnings."""

        def listen(notice: psycopg.errors.Diagnostic) -> None:
            if notice.severity_nonlocalized == "WARNING":
                logger.warning("database_warning message=%r", notice.message_primary)
                if isinstance(connection, cls):
                    connection.warned = True

        connection.add_notice_handler(listen)


@contextmanager
def _closed_at_the_last(connection: Connection, deadline: Deadline) -> Iterator[None]:
    """Give no other request a connection on which this one waited in vain: it may lead to a server that leads no more.

    Until then it is kept. A member that is just becoming the leader takes writes on it in a moment, and hundreds of new
    connections would only make that moment longer.
    """
    try:
        yield
    except psycopg.errors.QueryCanceled:
        connection.close()
        raise
    except psycopg.errors.ReadOnlySqlTransaction:
        if deadline.remaining() < _LAST_TRY_SECONDS:
            connection.close()
        raise


def _try_again(pool: ConnectionPool[Any]) -> None:
    """Begin another attempt to connect if a request waits, which may be the only one; called when one has failed."""
    if pool.get_stats().get("requests_waiting"):
        with suppress(PoolTimeout, PoolClosed):
            pool.putconn(pool.getconn(timeout=0.01))  # asking makes the pool grow


class Database:
    """The pool, and the two ways to use it."""

    def __init__(self, url: str, size: int) -> None:
        # Attempts go on while a request waits, and do not back off: a switch to another leader takes some seconds.
        self._pool: ConnectionPool[_Connection] = ConnectionPool(
            url,
            connection_class=_Connection,
            kwargs={**CONNECTION_SETTINGS, "row_factory": dict_row, "autocommit": True},
            configure=_Connection.configure,
            min_size=min(2, size),
            max_size=size,
            reconnect_timeout=_ATTEMPT_SECONDS,
            reconnect_failed=_try_again,
            open=False,
        )
        self._watch = Watch()

    def open(self) -> None:
        """Start to connect, without waiting for it."""
        self._pool.open(wait=False)
        self._watch.start()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close(timeout=2)
        self._watch.stop()

    def statistics(self) -> dict[str, int]:
        """Return the pool's numbers."""
        return self._pool.get_stats()

    def read(self, work: Callable[[Connection], Result], deadline: Deadline) -> Result:
        """Run single statements that change nothing; repeated on another connection when one turns out dead."""
        return self._run(work, deadline, writing=False)

    def write(self, work: Callable[[Connection], Result], deadline: Deadline) -> Result:
        """Run `work` in one transaction, perhaps more than once, but committed at most once.

        Raises UnavailableError when nothing was committed, CommitUnknownError when that is not known.
        """
        return self._run(work, deadline, writing=True)

    def _run(self, work: Callable[[Connection], Result], deadline: Deadline, *, writing: bool) -> Result:
        while True:
            committing = False
            try:
                with self._pool.connection(max(0.05, deadline.remaining())) as connection:
                    connection.warned = False
                    with self._watch.over(connection, deadline), _closed_at_the_last(connection, deadline):
                        transaction: AbstractContextManager[Any] = (
                            connection.transaction() if writing else nullcontext()
                        )
                        with transaction:
                            result = work(connection)
                            committing = writing
                    if committing and connection.warned:
                        raise CommitUnknownError("The database warned while it committed.")
                    return result
            except (PoolTimeout, PoolClosed) as error:
                raise UnavailableError("database_unavailable", _UNAVAILABLE) from error
            except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.QueryCanceled) as error:
                if committing:
                    raise CommitUnknownError(str(error)) from error
                if connection.closed:
                    raise UnavailableError("database_unavailable", _UNAVAILABLE) from error
                sleep(_READ_ONLY_PAUSE_SECONDS)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                if committing:
                    raise CommitUnknownError(str(error)) from error
                hopeless = not (connection.broken or isinstance(error, _REPEATABLE))
                if hopeless or deadline.remaining() < _LAST_TRY_SECONDS:
                    logger.warning("database_failed error=%r", str(error))
                    raise UnavailableError("database_unavailable", _UNAVAILABLE) from error
