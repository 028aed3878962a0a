"""The thread in each server that settles what customers left open."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING

from booking.deadline import Deadline
from booking.errors import BookingError
from booking.service import settling
from booking.store import holds, orphans, purchases

if TYPE_CHECKING:
    from booking.service.shop import Shop
    from booking.store.database import Connection

logger = logging.getLogger("booking.settler")
_BATCH = 20
_LEASE_SECONDS = 10.0


def settle_due(shop: Shop) -> int:
    """Settle payments that are due and that no other server has taken; returns how many were taken."""
    deadline = Deadline.after(_LEASE_SECONDS / 2)
    keys = shop.database.write(lambda connection: purchases.due(connection, _BATCH, _LEASE_SECONDS), deadline)
    for key in keys:
        if not deadline.remaining():
            break
        try:
            settling.settle(shop, key, shop.deadline())
        except BookingError as error:
            logger.warning("still_open key=%s error=%r", key, str(error))
    return len(keys)


def compare_with_gateway(shop: Shop) -> None:
    """Find payments that the database lost, and send their money back once the customer had time to come back."""
    settings = shop.settings
    position = shop.database.write(
        lambda connection: orphans.take_turn(connection, settings.compare_interval_seconds), shop.deadline()
    )
    if position is None:
        return
    while True:
        payments, following = shop.gateway.listed(position, 2.0)
        if not payments:
            break
        references = [payment.reference for payment in payments if payment.state == "approved"]
        position = following
        shop.database.write(partial(orphans.note, references=references, position=position), shop.deadline())
    for reference in shop.database.write(
        lambda connection: orphans.ripe(connection, settings.orphan_seconds), shop.deadline()
    ):
        if shop.database.write(partial(_send_back, shop, reference), shop.deadline()):
            logger.warning("orphan_refunded key=%s", reference)
    shop.database.write(holds.forget_old, shop.deadline())


def _send_back(shop: Shop, reference: str, connection: Connection) -> bool:
    """Refund an orphan while nobody can bring its booking back; False when somebody has."""
    if not orphans.take(connection, reference):
        return False
    shop.gateway.refund(reference, 2.0)
    return True


class Settler(threading.Thread):
    """Settles until it is told to stop."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(name="settler", daemon=True)
        self._shop = shop
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin no other payment."""
        self._stopping.set()

    def run(self) -> None:
        """Settle what is due, then wait; a database or gateway that is away is tried again."""
        while not self._stopping.wait(self._shop.settings.settle_interval_seconds):
            try:
                while settle_due(self._shop) == _BATCH and not self._stopping.is_set():
                    pass
                compare_with_gateway(self._shop)
            except BookingError as error:
                logger.warning("settler_waits error=%r", str(error))
            except Exception:
                logger.exception("settler_failed")
