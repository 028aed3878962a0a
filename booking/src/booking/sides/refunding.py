"""Pay back what cannot be put back: recorded on the new side in its end state, then refunded as if cancelled there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking.deadline import Deadline
from booking.errors import BookingError
from booking.service import bookings, settling
from booking.sides import reading
from booking.sides.comparison import Action, Kind, compare
from booking.sides.outcome import LeftError, Outcome, Result
from booking.store import orphans, purchases, returned

if TYPE_CHECKING:
    from booking.gateway import Payment
    from booking.model import Purchase
    from booking.service.shop import Shop
    from booking.sides.comparison import Booking, Finding
    from booking.store.database import Connection

_LIMIT_SECONDS = 10.0
_GATEWAY_SECONDS = 2.0
_PAYMENT_STATES = {"approved": "refunding", "refunded": "refunded", "declined": "declined"}


def pay_back(shop: Shop, listed: Finding, *, although_it_fits: bool = False) -> Outcome:
    """Send a booking's money back, once however often it is asked, and record that on the new side.

    What still fits is paid back only when told so; what the new side has sold keeps its money.
    """
    booking = listed.booking
    try:
        _record(shop, booking, although_it_fits=although_it_fits)
        purchase = _look(shop, booking)
        if listed.kind is Kind.CANCELLED_ON_OLD_SIDE and purchase and purchase.state == "confirmed":
            bookings.cancel(shop, purchase.booking_number, booking.contact, Deadline.after(_LIMIT_SECONDS))
        elif purchase and purchase.payment_state == "refunding":
            settling.refund(shop, booking.idempotency_key, Deadline.after(_LIMIT_SECONDS))
        return _told(booking, _look(shop, booking))
    except LeftError as left:
        return left.outcome
    except BookingError as error:
        return Outcome(Result.OPEN, booking.booking_number, f"{booking} is not paid back yet: {error}")


def _record(shop: Shop, booking: Booking, *, although_it_fits: bool) -> None:
    """Bring the booking to the new side as cancelled or released, unless a purchase of its key is there."""

    def work(connection: Connection) -> None:
        orphans.keep(connection, booking.idempotency_key)
        there = reading.new_side(connection, [booking], reading.now(connection))
        if booking.idempotency_key in there.bookings:
            return orphans.release(connection, booking.idempotency_key)
        payment = shop.gateway.find(booking.idempotency_key, _GATEWAY_SECONDS)
        taken = payment is not None and payment.state == "approved"
        finding = next(iter(compare([booking], there)), None)
        _refuse(booking, finding, although_it_fits=although_it_fits or not taken)
        _insert(connection, booking, payment)
        return orphans.release(connection, booking.idempotency_key)

    shop.database.write(work, Deadline.after(_LIMIT_SECONDS))


def _refuse(booking: Booking, finding: Finding | None, *, although_it_fits: bool) -> None:
    """Leave alone what can still be put back, and what only a person can settle."""
    if finding and finding.action is Action.PERSON:
        raise LeftError(Outcome(Result.OPEN, booking.booking_number, finding.sentence))
    if finding and finding.action is Action.REINSERT and not although_it_fits:
        sentence = f"{finding.sentence} It is not paid back: reinsert it, or name it with --number."
        raise LeftError(Outcome(Result.FITS, booking.booking_number, sentence))


def _insert(connection: Connection, booking: Booking, payment: Payment | None) -> None:
    screening_id = reading.showings(connection, {booking.showing}).get(booking.showing)
    if screening_id is None:
        sentence = f"{booking} cannot be recorded, as the new side lacks its screening: add that, then repeat."
        raise LeftError(Outcome(Result.OPEN, booking.booking_number, sentence))
    state = "cancelled" if booking.confirmed_at else "released"
    payment_state = _PAYMENT_STATES[payment.state] if payment else "declined"
    returned.insert(connection, booking, screening_id, state=state, payment_state=payment_state)


def _look(shop: Shop, booking: Booking) -> Purchase | None:
    return shop.database.read(
        lambda connection: purchases.find(connection, booking.idempotency_key), Deadline.after(_LIMIT_SECONDS)
    )


def _told(booking: Booking, purchase: Purchase | None) -> Outcome:
    """Say how the purchase stands now."""
    number = booking.booking_number
    if purchase is None:
        sentence = (
            f"{booking} could not be recorded: its number is another purchase's on the new side. Refund it by hand."
        )
        return Outcome(Result.OPEN, number, sentence)
    if purchase.state == "confirmed":
        return Outcome(Result.STAYS, number, f"{booking} is sold on the new side: its money stays.")
    if purchase.payment_state == "refunded":
        return Outcome(Result.REFUNDED, number, f"{booking} is paid back.")
    if purchase.payment_state == "declined":
        return Outcome(Result.NOTHING_CHARGED, number, f"{booking}: the gateway has taken nothing for it.")
    return Outcome(Result.OPEN, number, f"{booking}: its payment is {purchase.payment_state}; the servers ask again.")
