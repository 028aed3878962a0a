"""What both ways of buying share: the booking as the customer holds it, and the patience to choose again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from booking.crowd.errors import NoProperAnswerError, StillWaitingError
from booking.crowd.tally import Outcome

if TYPE_CHECKING:
    from booking.crowd.browser import Surroundings

MOST_CHOICES = 25


@dataclass(frozen=True)
class Booking:
    """A confirmed booking as the customer sees it, and the longest wait for an answer on the way with every try."""

    booking_number: str
    idempotency_key: str
    screening_id: int
    seats: tuple[str, ...]
    amount_won: int
    edge: str
    server: str
    longest_wait_s: float


class Visit(Protocol):
    """One way to buy: each try at choosing seats ends in a booking or an outcome, or None to choose again."""

    async def arrive(self) -> None:
        """Look around until the customer knows what is on."""

    async def choose_and_pay(self) -> Booking | Outcome | None:
        """Choose a screening and seats, hold them, and pay."""


async def buy(visit: Visit, around: Surroundings) -> Booking | Outcome:
    """Go through a visit; seats that others took meanwhile are chosen again while the customer is patient."""
    began = around.clock()
    try:
        await visit.arrive()
        for _ in range(MOST_CHOICES):
            end = await visit.choose_and_pay()
            if end is not None:
                return end
            if around.clock() - began > around.patience_seconds:
                break
    except NoProperAnswerError:
        pass
    except StillWaitingError as waiting:
        return Outcome.PENDING if waiting.status == 202 else Outcome.GAVE_UP
    except (KeyError, TypeError, ValueError) as error:
        around.tally.fail("answer's shape", around.clock(), repr(error), answered=True)
    return Outcome.GAVE_UP
