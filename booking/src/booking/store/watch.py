"""Cut database connections whose request has no time left, so that no thread waits for a silent server."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from booking.deadline import Deadline

_LOOK_EVERY_SECONDS = 0.1


class Watch:
    """One thread that looks at all connections in use. psycopg itself waits without an end for an answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[psycopg.Connection[Any], Deadline]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="database-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    @contextmanager
    def over(self, connection: psycopg.Connection[Any], deadline: Deadline) -> Iterator[None]:
        """Cut the connection if the block is not over at the deadline; the block then sees an OperationalError."""
        with self._lock:
            self._watched[id(connection)] = (connection, deadline)
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(id(connection), None)

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_SECONDS):
            with self._lock:
                for key, (connection, deadline) in list(self._watched.items()):
                    if not deadline.remaining():
                        del self._watched[key]
                        _cut(connection)


def _cut(connection: psycopg.Connection[Any]) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
