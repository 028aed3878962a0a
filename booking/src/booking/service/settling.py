"""Bring purchases to an end by asking the gateway, never by guessing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from booking.errors import AnswerLostError, BookingError, CommitUnknownError
from booking.service.outcome import RECHECK_SECONDS, Step, step
from booking.store import purchases

if TYPE_CHECKING:
    from booking.deadline import Deadline
    from booking.gateway import Payment
    from booking.model import Purchase
    from booking.service.shop import Shop
    from booking.store.database import Connection

logger = logging.getLogger("booking.settling")
_ENDS = {Step.DECLINE: "declined", Step.RELEASE: "released", Step.REFUND: "released", Step.REFUNDED: "released"}


def apply(shop: Shop, key: str, payment: Payment | None, deadline: Deadline) -> Purchase | None:
    """Write down what the gateway said, and return the purchase as it is then; None when there is none of this key.

    Raises UnavailableError or CommitUnknownError; the answer can be had again by asking the gateway again.
    """

    def work(connection: Connection) -> Purchase | None:
        purchase = purchases.lock(connection, key)
        if purchase is None:
            return None
        chosen = step(purchase, payment, shop.settings.settle_grace_seconds)
        if chosen is Step.CONFIRM and not purchases.sell(connection, purchase):
            chosen = Step.REFUND
        _write(connection, purchase, chosen, payment.payment_id if payment else None)
        if chosen is not Step.NOTHING and chosen is not Step.WAIT:
            logger.info("purchase_settled key=%s was=%s step=%s", key, purchase.state, chosen.name.lower())
        return purchases.find(connection, key)

    return shop.database.write(work, deadline)


def _write(connection: Connection, purchase: Purchase, chosen: Step, payment_id: str | None) -> None:
    note = purchases.note_payment
    if purchase.state == "pending" and chosen in _ENDS:
        purchases.give_up(connection, purchase, _ENDS[chosen])
    match chosen:
        case Step.CONFIRM:
            note(connection, purchase, "approved", payment_id)
        case Step.DECLINE:
            note(connection, purchase, "declined", payment_id)
        case Step.RELEASE:
            note(connection, purchase, "declined", ask_after_seconds=RECHECK_SECONDS[0], rechecks=1)
        case Step.RECHECK:
            later = RECHECK_SECONDS.get(purchase.rechecks)
            rechecks = purchase.rechecks + 1
            note(connection, purchase, purchase.payment_state, payment_id, ask_after_seconds=later, rechecks=rechecks)
        case Step.REFUND:
            note(connection, purchase, "refunding", payment_id, ask_after_seconds=0)
        case Step.REFUNDED:
            note(connection, purchase, "refunded", payment_id)
        case Step.NOTHING:
            note(connection, purchase, purchase.payment_state, payment_id)
        case Step.WAIT:
            note(connection, purchase, "unknown", ask_after_seconds=1)


def mark_unknown(shop: Shop, key: str, deadline: Deadline) -> None:
    """Write down that the gateway's answer was lost, so that the settler asks soon; best effort, as it asks anyway."""

    def work(connection: Connection) -> None:
        purchase = purchases.lock(connection, key)
        if purchase and purchase.state == "pending":
            purchases.note_payment(connection, purchase, "unknown", ask_after_seconds=0.5)

    try:
        shop.database.write(work, deadline)
    except BookingError as error:
        logger.warning("unknown_not_written key=%s error=%r", key, str(error))


def refund(shop: Shop, key: str, deadline: Deadline) -> None:
    """Send a purchase's money back; when the answer is lost, the settler asks again."""
    try:
        payment = shop.gateway.refund(key, deadline.remaining())
        apply(shop, key, payment, deadline)
    except (BookingError, AnswerLostError, CommitUnknownError) as error:
        logger.warning("refund_open key=%s error=%r", key, str(error))


def settle(shop: Shop, key: str, deadline: Deadline) -> Purchase | None:
    """Ask the gateway what became of a payment and act on it. Raises AnswerLostError."""
    purchase = apply(shop, key, shop.gateway.find(key, deadline.remaining()), deadline)
    if purchase and purchase.payment_state == "refunding":
        refund(shop, key, deadline)
    return purchase
