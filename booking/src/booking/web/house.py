"""What the web part of a server shares: the shop, and what stands around it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotations

from booking.web.waiting import StillWaiting, Ticket, Tickets, WaitingRoom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from booking.service.programme import Programme
    from booking.service.readiness import Lookout
    from booking.service.shop import Shop
    from booking.web.metrics import Metrics
    from booking.web.rendering import Pages

QUEUE_COOKIE = "queue_ticket"


@dataclass(frozen=True)
class House:
    """Everything that a request handler needs."""

    shop: Shop
    programme: Programme
    lookout: Lookout
    metrics: Metrics
    pages: Pages
    room: WaitingRoom
    tickets: Tickets

    def ticket(self, request: Request) -> Ticket | None:
        """Return the queue ticket that a request brings, in a header or a cookie."""
        text = request.headers.get("queue-ticket") or request.cookies.get(QUEUE_COOKIE)
        return self.tickets.read(text) if text else None

    async def admit(self, request: Request) -> AsyncIterator[None]:
        """Let a customer who begins to buy in, or raise StillWaiting; a dependency of handlers."""
        self.metrics.waiting.set(self.room.waiting + 1)
        try:
            await self.room.enter(self.ticket(request))
        finally:
            self.metrics.waiting.set(self.room.waiting)
        with self._inside():
            yield

    async def count(self) -> AsyncIterator[None]:
        """Let a customer in who holds seats already; a dependency of handlers."""
        with self.counted():
            yield

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Take a place without waiting for one."""
        self.room.join()
        with self._inside():
            yield

    @contextmanager
    def _inside(self) -> Iterator[None]:
        self.metrics.active.set(self.room.active)
        try:
            yield
        finally:
            self.room.leave()
            self.metrics.active.set(self.room.active)


__all__ = ["QUEUE_COOKIE", "House", "StillWaiting"]
