"""Write a run's story into the store while it goes: many events with one commit, in order, none lost on an outage."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Self

from runner.errors import NotFound, StoreUnavailable
from runner.model import JobEvent
from runner.store import events

if TYPE_CHECKING:
    from types import TracebackType

    from runner.execute.request import PlaybookEvent
    from runner.store.engine import Store

log = logging.getLogger("runner.worker")
MOST_AT_ONCE = 500
MOST_WAITING = 20_000  # events; more are dropped with a line that says so
PATIENCE_SECONDS = 0.5


class Telling:
    """A thread that appends a job's events. Leaving the context waits until all are kept."""

    def __init__(self, store: Store, job_id: str, give_up_after: int = 20) -> None:
        self._store, self._job_id, self._give_up_after = store, job_id, give_up_after
        self._waiting: queue.Queue[JobEvent | None] = queue.Queue()
        self._dropped = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"telling-{job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._waiting.put(None)
        self._thread.join()

    def tell(self, event: PlaybookEvent) -> None:
        """Take an event; never waits."""
        if self._waiting.qsize() >= MOST_WAITING:
            self._dropped += 1
            return
        made = JobEvent(self._job_id, 0, event.at, event.kind, event.text, event.host, event.task)
        self._waiting.put(made)

    def _run(self) -> None:
        while True:
            batch, last = self._batch()
            if batch:
                self._keep(batch)
            if last:
                return

    def _batch(self) -> tuple[list[JobEvent], bool]:
        found = [self._waiting.get()]
        while found[-1] is not None and len(found) < MOST_AT_ONCE:
            try:
                found.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return [each for each in found if each is not None], found[-1] is None

    def _keep(self, batch: list[JobEvent]) -> None:
        tries = 0
        while True:
            try:
                with self._store.write() as connection:
                    events.append(connection, self._job_id, batch)
            except StoreUnavailable as error:
                tries += 1
                if self._closing.is_set() and tries >= self._give_up_after:
                    log.warning("event=story_lost job=%s events=%d error=%s", self._job_id, len(batch), error)
                    return
                threading.Event().wait(PATIENCE_SECONDS)
            except NotFound:
                return
            else:
                if self._dropped:
                    log.warning("event=story_shortened job=%s dropped=%d", self._job_id, self._dropped)
                    self._dropped = 0
                return
