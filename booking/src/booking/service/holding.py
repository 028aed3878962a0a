"""Keep seats for a customer while they pay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from booking.errors import NOT_HELD, CommitUnknownError, Refusal
from booking.service import checking
from booking.store import catalogue, holds

if TYPE_CHECKING:
    from booking.deadline import Deadline
    from booking.model import Hold, Screening
    from booking.service.shop import Shop
    from booking.store.database import Connection


def screening_of(shop: Shop, screening_id: int, deadline: Deadline) -> Screening:
    """Find a screening, or refuse."""
    found = shop.database.read(lambda connection: catalogue.screening(connection, screening_id), deadline)
    if found is None:
        raise Refusal("not_found", "There is no screening {number}.", {"number": screening_id})
    return found


def hold(shop: Shop, screening_id: int, wanted: list[str], deadline: Deadline) -> Hold:
    """Hold all of the seats for `hold_seconds`, or none; raises Refusal."""
    screening = screening_of(shop, screening_id, deadline)
    if screening.starts_at <= datetime.now(UTC):
        raise Refusal("screening_over", "This screening has begun; its seats are not sold any more.")
    chosen = checking.seats(wanted, screening)
    hold_id, amount_won = uuid4(), screening.price_won * len(chosen)
    seconds = shop.settings.hold_seconds

    def create(connection: Connection) -> Hold:
        return holds.create(connection, hold_id, screening_id, chosen, amount_won=amount_won, seconds=seconds)

    try:
        return shop.database.write(create, deadline)
    except CommitUnknownError:
        return find(shop, hold_id, deadline)


def find(shop: Shop, hold_id: UUID, deadline: Deadline) -> Hold:
    """Find a hold, also one that has expired, or refuse."""
    found = shop.database.read(lambda connection: holds.find(connection, hold_id), deadline)
    if found is None:
        raise Refusal("hold_expired", NOT_HELD)
    return found
