"""What is on: theatres and films, remembered for a few seconds, and screenings."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from booking.store import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from booking.deadline import Deadline
    from booking.model import Film, Screening, Theatre
    from booking.service.shop import Shop

_FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Names:
    """Theatres and films by their number, in the order to show them."""

    theatres: dict[int, Theatre]
    films: dict[int, Film]
    at: float

    def know(self, screenings: Iterable[Screening]) -> bool:
        """Tell whether theatre and film of each screening are among them."""
        return all(each.theatre_id in self.theatres and each.film_id in self.films for each in screenings)


class Programme:
    """Reads the programme; names change rarely and are asked for by every page."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._lock = threading.Lock()
        self._names: Names | None = None

    def names(self, deadline: Deadline, *screenings: Screening) -> Names:
        """Return theatres and films, at most a few seconds old, and those of the given screenings in any case."""
        names = self._names
        if names and monotonic() - names.at < _FRESH_SECONDS and names.know(screenings):
            return names
        read = self._shop.database.read
        theatres = {theatre.id: theatre for theatre in read(catalogue.theatres, deadline)}
        films = {film.id: film for film in read(catalogue.films, deadline)}
        with self._lock:
            self._names = Names(theatres, films, monotonic())
            return self._names

    def screenings(
        self, theatre_id: int | None, film_id: int | None, day: date | None, limit: int, deadline: Deadline
    ) -> list[Screening]:
        """List screenings to come, soonest first."""
        return self._shop.database.read(
            lambda connection: catalogue.screenings(connection, theatre_id, film_id, day, limit), deadline
        )

    def claims(self, screening_id: int, deadline: Deadline) -> dict[str, str]:
        """Return the seats of a screening that are held or sold."""
        return self._shop.database.read(lambda connection: catalogue.claims(connection, screening_id), deadline)
