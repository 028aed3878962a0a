"""What every action of the service needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from booking.deadline import Deadline

if TYPE_CHECKING:
    from booking.gateway import Gateway
    from booking.settings import Settings
    from booking.store.database import Database

_ANSWER_SECONDS = 0.2  # to write an answer once the work is done


@dataclass(frozen=True)
class Shop:
    """The database, the gateway and the settings."""

    database: Database
    gateway: Gateway
    settings: Settings

    def deadline(self) -> Deadline:
        """Return when a request that begins now must be done."""
        return Deadline.after(self.settings.request_limit_seconds - _ANSWER_SECONDS)
