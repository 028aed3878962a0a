"""Keep what many requests bring at once with one commit: what waits while the disk writes goes into the next one."""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from runner.errors import StoreUnavailable
from runner.store import inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from runner.store.engine import Store

LOG = logging.getLogger("runner.store")
MOST_WAITING = 8192  # arrivals that may wait for the disk; more are refused, and their senders repeat them
MOST_BYTES = 64 * 1024 * 1024  # of the bodies that wait
LARGEST_BATCH = 1024
CROWD = 4  # arrivals in one commit that show a crowd: then a commit's fixed cost is worth waiting for more
GATHER_SECONDS = 0.002


@dataclasses.dataclass(slots=True)
class Counts:
    """What a group commit did since its start."""

    kept: int = 0
    commits: int = 0
    failed: int = 0  # arrivals whose commit failed
    refused: int = 0  # arrivals that found the queue full


class GroupCommit[Ticket]:
    """One thread that appends arrivals to the inbox. Each comes with a ticket, handed to `answer` after its commit.

    `answer(tickets, error)` and `wake()` are called in that thread: first the answers, all of one commit at once, with
    None or why nothing of them was kept, then `wake` when something was.
    """

    def __init__(
        self,
        store: Store,
        answer: Callable[[Sequence[Ticket], StoreUnavailable | None], None],
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._answer, self._wake, self._clock = store, answer, wake, clock
        self._waiting: queue.SimpleQueue[tuple[inbox.Arrival, Ticket] | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._bytes_lock = threading.Lock()
        self._closed = False
        self.counts = Counts()
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def offer(self, token: str, content_type: str, body: bytes, ticket: Ticket) -> bool:
        """Take an arrival; False when too much waits already, or after `close`: then nothing happens to the ticket."""
        size = len(body)
        with self._bytes_lock:
            full = self._waiting.qsize() >= MOST_WAITING or self._waiting_bytes + size > MOST_BYTES
            if full or self._closed:
                self.counts.refused += 1
                return False
            self._waiting_bytes += size
            self._waiting.put((inbox.Arrival(self._clock(), token, content_type, body), ticket))
        return True

    def waiting(self) -> int:
        """Return about how many arrivals wait for the next commit."""
        return self._waiting.qsize()

    def close(self, timeout_seconds: float = 10) -> bool:
        """Take nothing more, commit and answer what waits; False when that is not done in time."""
        with self._bytes_lock:
            self._closed = True
            self._waiting.put(None)
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        last = 0
        while batch := self._next_batch(GATHER_SECONDS if last >= CROWD else 0):
            last = len(batch)
            error = self._keep([arrival for arrival, _ in batch])
            with self._bytes_lock:
                self._waiting_bytes -= sum(len(arrival.body) for arrival, _ in batch)
            self._tell([ticket for _, ticket in batch], error)

    def _next_batch(self, gather_seconds: float) -> list[tuple[inbox.Arrival, Ticket]]:
        batch: list[tuple[inbox.Arrival, Ticket]] = []
        try:
            one = self._waiting.get()
            if gather_seconds and one is not None:
                time.sleep(gather_seconds)
            while one is not None:
                batch.append(one)
                if len(batch) == LARGEST_BATCH:
                    return batch
                one = self._waiting.get_nowait()
            self._waiting.put(None)  # closed: the end is found again after this batch
        except queue.Empty:
            pass
        return batch

    def _keep(self, arrivals: list[inbox.Arrival]) -> StoreUnavailable | None:
        try:
            with self._store.write() as connection:
                inbox.append(connection, arrivals)
        except StoreUnavailable as error:
            self.counts.failed += len(arrivals)
            LOG.error("event=deliveries_not_kept count=%d reason=%s", len(arrivals), error)  # noqa: TRY400 says it all
            return error
        except Exception as error:
            self.counts.failed += len(arrivals)
            LOG.exception("event=deliveries_not_kept count=%d", len(arrivals))
            return StoreUnavailable(f"The delivery was not kept ({type(error).__name__}); repeat it.")
        self.counts.kept += len(arrivals)
        self.counts.commits += 1
        return None

    def _tell(self, tickets: list[Ticket], error: StoreUnavailable | None) -> None:
        try:
            self._answer(tickets, error)
            if error is None:
                self._wake()
        except Exception:  # the thread must go on: others wait
            LOG.exception("event=answer_failed count=%d", len(tickets))
