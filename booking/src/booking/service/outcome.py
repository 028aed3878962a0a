"""Decide what a gateway's answer means for a purchase.

Pure: the purchase's states and the gateway's word in, a step out.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from booking.gateway import Payment
    from booking.model import Purchase

# After which looks the gateway is asked again: a payment request may be on its way when it says that it knows none.
RECHECK_SECONDS = {0: 60.0, 1: 600.0}


class Step(Enum):
    """What to do with a purchase."""

    CONFIRM = "the money is there: sell the seats"
    DECLINE = "the card was refused: the seats go back to the hold"
    RELEASE = "there is no payment: the seats go back to the hold, and the gateway is asked again later"
    REFUND = "there is money without a booking: it goes back"
    REFUNDED = "the money is back"
    RECHECK = "still no payment: ask again later, or for the last time"
    WAIT = "it is too early to tell"
    NOTHING = "all is as it should be"


def step(purchase: Purchase, payment: Payment | None, grace_seconds: float) -> Step:
    """Return the next step; `payment` is what the gateway says now, None when it does not know the purchase."""
    if payment is None:
        return _without_payment(purchase, grace_seconds)
    if payment.state == "declined":
        return Step.DECLINE if purchase.state == "pending" else Step.RECHECK
    if payment.state == "refunded":
        # A confirmed booking whose money went back is for a person to look at: the audit reports it.
        ended = purchase.state == "confirmed" or purchase.payment_state == "refunded"
        return Step.NOTHING if ended else Step.REFUNDED
    return _with_money(purchase, payment)


def _with_money(purchase: Purchase, payment: Payment) -> Step:
    if purchase.state == "pending":
        right = payment.amount_won is None or payment.amount_won == purchase.amount_won
        return Step.CONFIRM if right else Step.REFUND
    if purchase.state == "confirmed":
        return Step.NOTHING
    return Step.REFUND


def _without_payment(purchase: Purchase, grace_seconds: float) -> Step:
    if purchase.state == "pending":
        return Step.RELEASE if purchase.payment_age_seconds >= grace_seconds else Step.WAIT
    return Step.RECHECK if purchase.state in {"released", "declined"} else Step.NOTHING
