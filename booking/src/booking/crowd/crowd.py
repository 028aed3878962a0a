"""Send the customers: in an open model as they come, in a closed model so many at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from booking.crowd.browser import Browser, Surroundings
from booking.crowd.by_api import ApiVisit
from booking.crowd.by_pages import PagesVisit
from booking.crowd.journal import Entry
from booking.crowd.plan import arrivals
from booking.crowd.shopping import Booking, buy
from booking.crowd.tally import Outcome
from booking.crowd.wishes import invent

if TYPE_CHECKING:
    from booking.crowd.journal import Journal
    from booking.crowd.plan import Surge
    from booking.crowd.wishes import Taste, Wish


@dataclass(frozen=True)
class Size:
    """How many customers come: `customers` at a time until `attempts` are made, or, without it, as they arrive."""

    arrivals_per_second: float = 10.0
    surges: tuple[Surge, ...] = ()
    duration_seconds: float | None = 60.0
    customers: int | None = None
    attempts: int | None = None


class Crowd:
    """The customers of one run."""

    def __init__(self, around: Surroundings, journal: Journal, taste: Taste) -> None:
        self._around = around
        self._journal = journal
        self._taste = taste
        self._leaving = asyncio.Event()
        self.inside = 0
        self.latest_seconds = 0.0

    def close(self) -> None:
        """Let nobody in any more; those inside finish."""
        self._leaving.set()

    async def come(self, size: Size) -> None:
        """Run until everyone has come and gone."""
        if size.customers:
            await self._keep_full(size)
        else:
            await self._arrive(size)

    async def _arrive(self, size: Size) -> None:
        around = self._around
        async with asyncio.TaskGroup() as group:
            duration = size.duration_seconds or float("inf")
            for due in arrivals(size.arrivals_per_second, size.surges, duration, around.random):
                await self._wait_until(due)
                if self._leaving.is_set():
                    return
                self.latest_seconds = max(self.latest_seconds, around.clock() - due)
                group.create_task(self._shop())

    async def _wait_until(self, due: float) -> None:
        pause = due - self._around.clock()
        if pause > 0:
            try:
                await asyncio.wait_for(self._leaving.wait(), pause)
            except TimeoutError:
                return

    async def _keep_full(self, size: Size) -> None:
        tally, until = self._around.tally, size.duration_seconds or float("inf")

        async def one_after_another() -> None:
            while not self._leaving.is_set() and self._around.clock() < until:
                if size.attempts is not None and tally.started >= size.attempts:
                    return
                await self._shop()

        async with asyncio.TaskGroup() as group:
            for _ in range(size.customers or 0):
                group.create_task(one_after_another())

    async def _shop(self) -> None:
        around = self._around
        around.tally.started += 1
        self.inside += 1
        wish = invent(around.tally.started, self._taste, around.random)
        visit = (ApiVisit if wish.way == "api" else PagesVisit)(Browser(around, wish.language), around, wish)
        end = await buy(visit, around)
        if isinstance(end, Booking):
            await self._journal.write(_entry(end, wish))
            end = Outcome.CONFIRMED
        around.tally.finish(end, around.clock())
        self.inside -= 1


def _entry(booking: Booking, wish: Wish) -> Entry:
    return Entry(
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        booking_number=booking.booking_number,
        idempotency_key=booking.idempotency_key,
        screening_id=booking.screening_id,
        seats=booking.seats,
        amount_won=booking.amount_won,
        contact=wish.contact,
        edge=booking.edge,
        server=booking.server,
        longest_wait_s=booking.longest_wait_s,
    )
