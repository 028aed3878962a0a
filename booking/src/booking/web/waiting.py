"""The waiting room: when too many customers buy at once, the rest wait in the order in which they came.

A customer who must wait longer than a request may take gets a signed ticket with the time of arrival. Whoever comes
back with a ticket, to any server, is let in before everybody who waits there and arrived later: each worker process
has a room of its own and knows of no other. Used from one event loop only.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature, URLSafeSerializer

if TYPE_CHECKING:
    from collections.abc import Callable

_ABSENT_SECONDS = 10.0


@dataclass(frozen=True)
class Ticket:
    """A place in the queue: seconds since the epoch, and what the customer asked for, to ask it again by itself."""

    arrived_at: float
    wish: dict[str, Any] = field(default_factory=dict)


class Tickets:
    """Signs tickets, so that nobody can write an earlier arrival on one."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt="queue-ticket")

    def write(self, ticket: Ticket) -> str:
        """Return a ticket as text."""
        return str(self._serializer.dumps([round(ticket.arrived_at, 6), ticket.wish]))

    def read(self, text: str) -> Ticket | None:
        """Return the ticket, None when it is not one of ours."""
        try:
            arrived_at, wish = self._serializer.loads(text)
            return Ticket(float(arrived_at), dict(wish))
        except (BadSignature, ValueError, TypeError):
            return None


class StillWaiting(Exception):
    """Say that a customer must come back: the place in the queue, and after how many seconds."""

    def __init__(self, arrived_at: float, position: int, retry_after_seconds: float) -> None:
        super().__init__(f"position {position}")
        self.arrived_at = arrived_at
        self.position = position
        self.retry_after_seconds = retry_after_seconds


class WaitingRoom:
    """Lets at most `limit` customers buy at a time."""

    def __init__(
        self,
        limit: int,
        patience_seconds: float,
        clock: Callable[[], float] = time,
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        self._limit = limit
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._ticks = ticks
        self.active = 0
        self._queue: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = 0
        self._absent: dict[float, float] = {}  # arrival -> when last seen

    @property
    def waiting(self) -> int:
        """Return how many requests wait in this server now."""
        return sum(not entry[2].done() for entry in self._queue)

    def join(self) -> None:
        """Count a customer who is not made to wait, because the seats are held already."""
        self.active += 1

    async def enter(self, ticket: Ticket | None) -> None:
        """Wait for a place; raises StillWaiting when there is none within patience. Whoever enters must leave."""
        if self.active < self._limit and not self.waiting:
            self._absent.pop(ticket.arrived_at if ticket else 0.0, None)
            self.active += 1
            return
        arrived_at = ticket.arrived_at if ticket else self._clock()
        self._absent.pop(arrived_at, None)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._numbers += 1
        heapq.heappush(self._queue, (arrived_at, self._numbers, place))
        try:
            await asyncio.wait({place}, timeout=self._patience_seconds)
        except asyncio.CancelledError:
            if place.done():
                self.leave()
            place.cancel()
            raise
        if place.done():
            return
        place.cancel()
        self._absent[arrived_at] = self._ticks()
        position = self._position(arrived_at)
        raise StillWaiting(arrived_at, position, min(5.0, 0.5 + 0.5 * position / self._limit))

    def leave(self) -> None:
        """Give the place to the one who arrived first among those who are here."""
        self.active -= 1
        while self._queue and self.active < self._limit:
            _, _, place = heapq.heappop(self._queue)
            if not place.done():
                self.active += 1
                place.set_result(None)

    def _position(self, arrived_at: float) -> int:
        """Count from 1, those included who are between two requests."""
        now = self._ticks()
        self._absent = {arrival: seen for arrival, seen in self._absent.items() if now - seen < _ABSENT_SECONDS}
        here = sum(arrival < arrived_at for arrival, _, place in self._queue if not place.done())
        return 1 + here + sum(arrival < arrived_at for arrival in self._absent)
