"""Buy held seats: record, charge, confirm; the same key is one purchase, however often it is sent."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING

from booking.errors import AnswerLostError, CommitUnknownError, Refusal, UnavailableError
from booking.service import settling
from booking.store import purchases

if TYPE_CHECKING:
    from booking.deadline import Deadline
    from booking.model import Order, Purchase
    from booking.service.shop import Shop
    from booking.store.database import Connection

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RESERVE_SECONDS = 0.5  # of a request, to write the gateway's answer down
_NOT_RECORDED = (
    "The booking database takes no bookings at this moment. Nothing was charged by this request;"
    " send it again with the same Idempotency-Key in a moment."
)
DECLINED = "The payment was not made, and nothing was charged. Try another card, or choose seats again."


def digest_of(order: Order) -> str:
    """Return a fingerprint of a purchase's content, to tell a repeat from another purchase under the same key."""
    content = [str(order.hold_id), order.customer_name, order.contact, order.card_token, order.amount_won]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def new_number() -> str:
    """Make a booking number that can be read out: ten letters and digits, no two alike."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def purchase(shop: Shop, order: Order, deadline: Deadline) -> Purchase:
    """Buy; returns a purchase in state `confirmed` or `pending`.

    Raises Refusal, or UnavailableError: then this request charged nothing.
    """
    recorded, is_new = _record(shop, order, deadline)
    if recorded.state != "pending":
        return _ended(recorded)
    try:
        return _ended(_pay(shop, order, recorded, deadline, is_new=is_new))
    except (AnswerLostError, CommitUnknownError, UnavailableError):
        # The customer may have been charged, so "nothing was charged" may not be said: pending, until it is known.
        settling.mark_unknown(shop, order.idempotency_key, deadline)
        return recorded


def _record(shop: Shop, order: Order, deadline: Deadline) -> tuple[Purchase, bool]:
    number, digest = new_number(), digest_of(order)

    def begin(connection: Connection) -> tuple[Purchase, bool]:
        return purchases.begin(connection, order, number, digest)

    try:
        recorded, is_new = shop.database.write(begin, deadline)
    except CommitUnknownError:
        found = _look_again(shop, order.idempotency_key, deadline)
        if found is None:
            message = "The booking database lost this purchase. Nothing was charged; try again in a moment."
            raise UnavailableError("database_unavailable", message) from None
        return found, True
    except UnavailableError as error:
        # Whether an earlier try under this key was charged cannot be known without the database.
        raise UnavailableError(error.code, _NOT_RECORDED) from error
    if not is_new and recorded.state == "confirmed":
        return _look_again(shop, order.idempotency_key, deadline) or recorded, False
    return recorded, is_new


def _pay(shop: Shop, order: Order, recorded: Purchase, deadline: Deadline, *, is_new: bool) -> Purchase:
    """Charge and confirm. A repeat first asks what became of the payment; only an unknown one is charged."""
    key = order.idempotency_key
    payment = None if is_new else shop.gateway.find(key, deadline.remaining() - _RESERVE_SECONDS)
    if payment is None:
        seconds = deadline.remaining() - _RESERVE_SECONDS
        if seconds < 0.1:
            raise AnswerLostError("There was no time left to ask the gateway.")
        url = shop.settings.public_url
        notify_url = f"{url.rstrip('/')}/payments/notifications" if url else ""
        payment = shop.gateway.charge(key, recorded.amount_won, order.card_token, notify_url, seconds)
    try:
        settled = settling.apply(shop, key, payment, deadline)
    except CommitUnknownError:
        settled = _look_again(shop, key, deadline)
    if settled is None:
        raise AnswerLostError("The database does not know a purchase that it has recorded.")
    if settled.payment_state == "refunding":
        settling.refund(shop, key, deadline)
    return settled


def _look_again(shop: Shop, key: str, deadline: Deadline) -> Purchase | None:
    """Look a purchase up after a commit whose answer was lost; what is found then lasts."""
    try:
        return shop.database.write(lambda connection: purchases.find(connection, key, lasting=True), deadline)
    except CommitUnknownError as error:
        raise UnavailableError("database_unavailable", "The booking database does not answer; try again.") from error


def _ended(purchase: Purchase) -> Purchase:
    """Return a purchase that is confirmed, pending or cancelled since; refuse one that came to nothing."""
    if purchase.state in {"declined", "released"}:
        raise Refusal("payment_declined", DECLINED)
    return purchase


def look_up(shop: Shop, key: str, deadline: Deadline) -> Purchase:
    """Tell how a purchase stands, asking the gateway if that is open."""

    def find(connection: Connection) -> Purchase | None:
        return purchases.find(connection, key)

    found = shop.database.read(find, deadline)
    if found is None:
        raise Refusal("not_found", "There is no purchase of this key. Nothing was charged.")
    if found.state == "pending" and found.payment_age_seconds > shop.settings.gateway_timeout_seconds:
        try:
            found = settling.settle(shop, key, deadline) or found
        except (AnswerLostError, CommitUnknownError, UnavailableError):
            return found
    return _ended(found)
