"""Put bookings of the old side back, each in one transaction, by the rules of a sale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking.deadline import Deadline
from booking.errors import BookingError
from booking.sides import reading
from booking.sides.comparison import compare
from booking.sides.outcome import LeftError, Outcome, Result, from_finding, unpaid
from booking.store import orphans, returned

if TYPE_CHECKING:
    from booking.service.shop import Shop
    from booking.sides.comparison import Booking
    from booking.store.database import Connection

_LIMIT_SECONDS = 10.0
_GATEWAY_SECONDS = 2.0
_TRIES = 3  # a seat may be held or sold between the look and the claim


def put_back(shop: Shop, booking: Booking) -> Outcome:
    """Put a confirmed booking back if its seats are free and the gateway has its money; repeats change nothing."""
    for _ in range(_TRIES):
        try:
            return shop.database.write(
                lambda connection: _put_back(shop, booking, connection), Deadline.after(_LIMIT_SECONDS)
            )
        except LeftError as left:
            if left.outcome.result is not Result.OPEN:
                return left.outcome
            outcome = left.outcome
        except BookingError as error:  # also a commit whose answer was lost: the next look tells
            outcome = Outcome(Result.OPEN, booking.booking_number, f"{booking} is not put back yet: {error}")
    return outcome


def _put_back(shop: Shop, booking: Booking, connection: Connection) -> Outcome:
    number = booking.booking_number
    orphans.keep(connection, booking.idempotency_key)
    there = reading.new_side(connection, [booking], reading.now(connection))
    finding = next(iter(compare([booking], there)), None)
    if finding is None:
        orphans.release(connection, booking.idempotency_key)
        return Outcome(Result.ALREADY, number, f"{booking} is on the new side.")
    if left := from_finding(finding):
        raise LeftError(left)
    # While the answer is awaited, nobody else can send the money back as an orphan's; no seat is locked yet.
    if left := unpaid(booking, shop.gateway.find(booking.idempotency_key, _GATEWAY_SECONDS)):
        raise LeftError(left)
    screening_id = reading.showings(connection, {booking.showing})[booking.showing]
    row = returned.insert(connection, booking, screening_id, state="confirmed", payment_state="approved")
    if row is None or not returned.claim(connection, booking, screening_id, row):
        raise LeftError(Outcome(Result.OPEN, number, f"{booking} met a customer who wants its seats: repeat it."))
    orphans.release(connection, booking.idempotency_key)
    return Outcome(Result.BACK, number, f"{booking} is back.")
