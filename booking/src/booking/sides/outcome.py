"""What became of a booking that was to be put back or paid back.

Pure: values, and the decision what the gateway's word means for one that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from booking.sides.comparison import Kind

if TYPE_CHECKING:
    from booking.gateway import Payment
    from booking.sides.comparison import Booking, Finding


class Result(StrEnum):
    """How it ended. OPEN: not now, repeat it. STAYS: it is sold, and keeps its money. FITS: it can be put back."""

    BACK = "back"
    ALREADY = "already"
    HELD = "held"
    CONFLICT = "conflict"
    REFUNDED = "refunded"
    NOTHING_CHARGED = "nothing_charged"
    STAYS = "stays"
    FITS = "fits"
    OPEN = "open"


SETTLED = frozenset({Result.BACK, Result.ALREADY, Result.REFUNDED, Result.NOTHING_CHARGED})


@dataclass(frozen=True)
class Outcome:
    """One booking's end, with a sentence."""

    result: Result
    booking_number: str
    sentence: str


class LeftError(Exception):
    """End a transaction without a trace, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome


def from_finding(finding: Finding) -> Outcome | None:
    """Return why a booking cannot be put back now; None when it can."""
    if finding.kind is Kind.FITS:
        return None
    result = Result.HELD if finding.kind is Kind.HELD else Result.CONFLICT
    return Outcome(result, finding.booking.booking_number, finding.sentence)


def unpaid(booking: Booking, payment: Payment | None) -> Outcome | None:
    """Return why a booking cannot be put back although its seats are free; None when the gateway has its money."""
    if payment is not None and payment.state == "approved" and payment.amount_won in {None, booking.amount_won}:
        return None
    if payment is None:
        why = "the gateway knows no payment of it"
    elif payment.state == "refunded":
        why = "its money has gone back since; tell the customer"
    elif payment.state == "approved":
        why = f"the gateway took {payment.amount_won} won for it"
    else:
        why = f"its payment is {payment.state} at the gateway"
    return Outcome(Result.CONFLICT, booking.booking_number, f"{booking} is not put back: {why}.")
