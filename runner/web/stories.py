"""Tell jobs' stories while they happen, as server-sent events. Source: WHATWG HTML, section 9.2.

The desk is synchronous, so each follower asks it in a thread, again and again; all followers share a few threads of
their own, and wait for one another rather than take those of other requests.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from runner.errors import NotFound, StoreUnavailable
from runner.model import ENDED
from runner.web import shapes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from runner.model import Job, JobEvent
    from runner.web.desk import Desk

logger = logging.getLogger("runner.web")
PAGE = 200  # events of one look
THREADS = 2
MOST_FOLLOWERS = 200
BEGINNING = "retry: 1000\n\n"
HEARTBEAT = ": nothing new\n\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How often to look: soon after something happened, more seldom while nothing does.

    After `longest_stream_seconds` a stream is ended; its follower comes back and shows the token again.
    """

    shortest_seconds: float = 0.25
    longest_seconds: float = 1.0
    growth: float = 1.5
    heartbeat_seconds: float = 15.0
    longest_stream_seconds: float = 3600.0


class Stories:
    """All followers of all jobs."""

    def __init__(self, desk: Desk, pace: Pace | None = None) -> None:
        self._desk, self._pace = desk, pace or Pace()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="stories")
        self._closing = asyncio.Event()
        self.followers = 0

    def full(self) -> bool:
        """Tell whether nobody more can follow."""
        return self.followers >= MOST_FOLLOWERS

    def hang_up(self) -> None:
        """End all streams soon; their followers come back with `Last-Event-ID`. Call it in the event loop."""
        self._closing.set()

    def close(self) -> None:
        """End all streams, and the threads behind them."""
        self.hang_up()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def follow(self, job_id: str, after: int) -> AsyncIterator[str]:
        """Yield the events with greater numbers as they come, then `end` with the job."""
        self.followers += 1
        try:
            async for text in self._follow(job_id, after):
                yield text
        finally:
            self.followers -= 1

    async def _follow(self, job_id: str, after: int) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        told = began = clock()
        pause = self._pace.shortest_seconds
        yield BEGINNING
        while not self._closing.is_set() and clock() - began < self._pace.longest_stream_seconds:
            try:
                job, events = await self._look(job_id, after)
            except NotFound:
                return  # it was forgotten meanwhile
            if events:
                after, told, pause = events[-1].number, clock(), self._pace.shortest_seconds
                yield "".join(_event(each) for each in events)
            if len(events) == PAGE:
                continue
            if job is not None and job.state in ENDED:
                yield _end(job)
                return
            if clock() - told >= self._pace.heartbeat_seconds:
                told = clock()
                yield HEARTBEAT
            await self._rest(pause)
            pause = min(pause * self._pace.growth, self._pace.longest_seconds)

    async def _look(self, job_id: str, after: int) -> tuple[Job | None, Sequence[JobEvent]]:
        """Return the job and what came after it was read: so nothing is missing of a job that has ended."""

        def look() -> tuple[Job, Sequence[JobEvent]]:
            job = self._desk.job(job_id)
            return job, self._desk.events(job_id, after, PAGE)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, look)
        except StoreUnavailable as error:
            logger.warning("event=store_unavailable job=%s error=%r", job_id, str(error))
            return None, ()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def _event(event: JobEvent) -> str:
    return f"id: {event.number}\ndata: {shapes.EventAnswer.model_validate(event).model_dump_json()}\n\n"


def _end(job: Job) -> str:
    return f"event: end\ndata: {shapes.JobAnswer.model_validate(job).model_dump_json()}\n\n"
