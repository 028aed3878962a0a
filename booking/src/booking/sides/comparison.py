"""Compare what two databases hold of the same bookings after a failover.

Pure: what each side holds in, findings out. The old side is the leader of before, the new side the one that sells now.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations when a kept list is read
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OWED = frozenset({"started", "unknown", "approved", "refunding"})  # payments that may have taken money


class Kind(StrEnum):
    """What a booking of the old side is to the new one."""

    FITS = "fits"
    HELD = "held"
    CONFLICT = "conflict"
    SCREENING_OVER = "screening_over"
    SCREENING_UNKNOWN = "screening_unknown"
    NUMBER_TAKEN = "number_taken"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    PAYMENT_WITHOUT_BOOKING = "payment_without_booking"
    OTHER_CONTENT = "other_content"
    OTHER_NUMBER = "other_number"
    CANCELLED_ON_OLD_SIDE = "cancelled_on_old_side"
    STATE_DIFFERS = "state_differs"


class Action(StrEnum):
    """What settles a finding."""

    REINSERT = "reinsert"
    REFUND = "refund"
    PERSON = "person"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Showing:
    """A screening as both sides know it: their row numbers may differ."""

    theatre: str
    auditorium: str
    film: str
    starts_at: datetime

    def __str__(self) -> str:
        return f"{self.film} in {self.theatre}/{self.auditorium} at {self.starts_at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Booking:
    """A booking with its payment as one side holds it: all that is needed to act when that side is gone."""

    booking_number: str
    idempotency_key: str
    request_digest: str
    hold_id: str
    showing: Showing
    seats: tuple[str, ...]
    amount_won: int
    customer_name: str
    contact: str
    state: str
    created_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    payment_state: str
    gateway_payment_id: str | None

    def __str__(self) -> str:
        return f"Booking {self.booking_number} (seats {', '.join(self.seats)}, {self.showing}, {self.amount_won} won)"


@dataclass(frozen=True)
class Claim:
    """Who has a seat on the new side: a booking, or a hold until a moment (None: without end)."""

    booking_number: str | None = None
    hold_id: str | None = None
    held_until: datetime | None = None


@dataclass(frozen=True)
class NewSide:
    """What the new side holds of the bookings that differ, at the moment `at`.

    `bookings` by idempotency key; `numbers`: booking number to idempotency key; `refunded`: keys whose money went back.
    """

    at: datetime
    bookings: Mapping[str, Booking]
    numbers: Mapping[str, str]
    showings: frozenset[Showing]
    claims: Mapping[tuple[Showing, str], Claim]
    refunded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """A booking that differs, what settles it, and a sentence for who must settle it.

    `new_number`: the new side's booking that has the seat, or the new side's number of the same purchase.
    """

    kind: Kind
    action: Action
    sentence: str
    booking: Booking
    new_number: str = ""


def only_on_old_side(findings: Iterable[Finding]) -> int:
    """Count the findings whose booking the new side has not at all."""
    both = {Kind.OTHER_CONTENT, Kind.OTHER_NUMBER, Kind.CANCELLED_ON_OLD_SIDE, Kind.STATE_DIFFERS}
    return sum(finding.kind not in both for finding in findings)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings of every kind, also those of which there are none."""
    counted = Counter(finding.kind for finding in findings)
    return {str(kind): counted[kind] for kind in Kind}


def compare(old: Iterable[Booking], new: NewSide) -> tuple[Finding, ...]:
    """Return a finding for each booking of the old side that differs, by its time.

    A purchase that came to nothing on the old side, without money, is none.
    """
    return tuple(_findings(sorted(old, key=lambda booking: (booking.created_at, booking.idempotency_key)), new))


def _findings(old: Iterable[Booking], new: NewSide) -> Iterator[Finding]:
    for booking in old:
        known = new.bookings.get(booking.idempotency_key)
        found = _on_both(booking, known) if known else _only_here(booking, new)
        if found:
            yield found


def _on_both(old: Booking, new: Booking) -> Finding | None:
    """Judge a purchase that both sides have under the same key."""
    number = new.booking_number
    if old.request_digest != new.request_digest:
        sentence = (
            f"{old} and booking {number} of the new side were bought under one key, with different content, and paid "
            "once: ask the customer which one is meant, then cancel or sell the other by hand."
        )
        return Finding(Kind.OTHER_CONTENT, Action.PERSON, sentence, old, number)
    if old.booking_number != number:
        told = old.state in {"confirmed", "cancelled"}
        sentence = f"{old} was bought again on the new side with the same key, and is booking {number} there" + (
            ": tell the customer the new number." if told else "; its first number was never told."
        )
        return Finding(Kind.OTHER_NUMBER, Action.PERSON if told else Action.NOTHING, sentence, old, number)
    return _other_state(old, new) if old.state != new.state else None


def _other_state(old: Booking, new: Booking) -> Finding:
    if old.state == "cancelled" and new.state in {"confirmed", "pending"}:
        sentence = (
            f"{old} was cancelled on the old side and is {new.state} on the new one: refund cancels it there too."
        )
        return Finding(Kind.CANCELLED_ON_OLD_SIDE, Action.REFUND, sentence, old, new.booking_number)
    action, what = Action.NOTHING, "nothing is to be done."
    if old.state == "confirmed" and new.state in {"released", "declined"}:
        action, what = Action.PERSON, "its seats are free again and its money goes back by itself; tell the customer."
    elif new.state == "pending":
        what = "the new side asks the gateway and settles it by itself."
    sentence = f"{old} is {old.state} on the old side and {new.state} on the new one: {what}"
    return Finding(Kind.STATE_DIFFERS, action, sentence, old, new.booking_number)


def _only_here(old: Booking, new: NewSide) -> Finding | None:
    """Judge a purchase that the new side never saw."""
    if old.state == "confirmed":
        return _confirmed_only_here(old, new)
    if old.state == "cancelled":
        sentence = (
            f"{old} was bought and cancelled on the old side: refund records it, and sees that its money is back."
        )
        return Finding(Kind.CANCELLED, Action.REFUND, sentence, old)
    if old.state == "pending" or old.payment_state in OWED:
        sentence = (
            f"{old} is {old.state} on the old side, its payment {old.payment_state}, and the new side knows nothing of "
            "it: refund asks the gateway, and sends back what was taken."
        )
        return Finding(Kind.PAYMENT_WITHOUT_BOOKING, Action.REFUND, sentence, old)
    return None


def _confirmed_only_here(old: Booking, new: NewSide) -> Finding:
    if old.booking_number in new.numbers:
        sentence = f"{old} has a number that the new side gave to another purchase: refund it by hand, at the gateway."
        return Finding(Kind.NUMBER_TAKEN, Action.PERSON, sentence, old, old.booking_number)
    if old.idempotency_key in new.refunded:
        sentence = f"{old} was confirmed on the old side, and its money has gone back since: tell the customer."
        return Finding(Kind.REFUNDED, Action.REFUND, sentence, old)
    if old.showing not in new.showings:
        sentence = f"{old} is for a screening that the new side does not have: add the screening there, then reinsert."
        return Finding(Kind.SCREENING_UNKNOWN, Action.REINSERT, sentence, old)
    return _seats_asked_for(old, new)


def _seats_asked_for(old: Booking, new: NewSide) -> Finding:
    claims = {seat: claim for seat in old.seats if (claim := new.claims.get((old.showing, seat)))}
    sold = {seat: claim.booking_number for seat, claim in claims.items() if claim.booking_number}
    if sold:
        seats, numbers = ", ".join(sorted(sold)), ", ".join(sorted(set(sold.values())))
        sentence = f"{old} does not fit: {seats} was sold since, to booking {numbers}. Refund it."
        return Finding(Kind.CONFLICT, Action.REFUND, sentence, old, numbers)
    if old.showing.starts_at <= new.at:
        sentence = f"{old} is for a screening that has begun, and its seats were not sold since: refund it."
        return Finding(Kind.SCREENING_OVER, Action.REFUND, sentence, old)
    if held := {seat: claim for seat, claim in claims.items() if _held_by_another(old, claim, new.at)}:
        until = [claim.held_until for claim in held.values()]
        when = "while a payment is open" if None in until else f"until {max(filter(None, until)):%H:%M:%S} UTC"
        sentence = f"{old} waits: {', '.join(sorted(held))} is held by a customer {when}. Reinsert it afterwards."
        return Finding(Kind.HELD, Action.REINSERT, sentence, old)
    return Finding(Kind.FITS, Action.REINSERT, f"{old} fits: its seats are free on the new side.", old)


def _held_by_another(old: Booking, claim: Claim, at: datetime) -> bool:
    """Tell whether a hold keeps a seat from a booking; its own hold does not, unless a payment is open for it."""
    if claim.held_until is None:
        return True
    return claim.held_until > at and claim.hold_id != old.hold_id
