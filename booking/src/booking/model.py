"""The nouns of a booking service.

Pure: values only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True)
class Theatre:
    """A cinema of the chain."""

    id: int
    name_ko: str
    name_en: str
    city_ko: str
    city_en: str


@dataclass(frozen=True)
class Film:
    """A film; `minutes` long."""

    id: int
    title_ko: str
    title_en: str
    minutes: int
    rating: str


@dataclass(frozen=True)
class Screening:
    """A film in an auditorium at a time."""

    id: int
    theatre_id: int
    film_id: int
    auditorium: str
    starts_at: datetime
    price_won: int
    seats_total: int
    seats_per_row: int
    seats_free: int


@dataclass(frozen=True)
class Hold:
    """Seats kept for one customer until a moment."""

    id: UUID
    screening_id: int
    seats: tuple[str, ...]
    amount_won: int
    expires_at: datetime


@dataclass(frozen=True)
class Order:
    """What a customer sends to buy held seats; the card's token is passed on and never stored."""

    idempotency_key: str
    hold_id: UUID
    customer_name: str
    contact: str
    card_token: str
    amount_won: int


@dataclass(frozen=True)
class Purchase:
    """A booking and its payment. States: see the tables' comments."""

    booking_id: int
    booking_number: str
    idempotency_key: str
    request_digest: str
    hold_id: UUID
    screening_id: int
    seats: tuple[str, ...]
    amount_won: int
    customer_name: str
    contact: str
    state: str
    payment_state: str
    payment_age_seconds: float
    rechecks: int


def row_name(index: int) -> str:
    """Name row 0 A, row 25 Z, row 26 AA."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


@lru_cache(maxsize=1000)
def seat_names(seats_total: int, seats_per_row: int) -> tuple[str, ...]:
    """Name the seats of an auditorium from the front left: A1, A2, ..."""
    return tuple(f"{row_name(place // seats_per_row)}{place % seats_per_row + 1}" for place in range(seats_total))


def in_seat_order(seats: Iterable[str]) -> tuple[str, ...]:
    """Order seats as they stand in the auditorium: E9 before E10, Z before AA."""

    def place(seat: str) -> tuple[int, str, int]:
        row = seat.rstrip("0123456789")
        return len(row), row, int(seat[len(row) :] or 0)

    return tuple(sorted(seats, key=place))


def seat_exists(seat: str, seats_total: int, seats_per_row: int) -> bool:
    """Tell whether an auditorium has the seat of this name."""
    found = re.fullmatch(r"([A-Z]{1,3})([1-9][0-9]{0,3})", seat)
    if not found:
        return False
    row = 0
    for letter in found[1]:
        row = row * 26 + ord(letter) - ord("A") + 1
    number = int(found[2])
    return number <= seats_per_row and (row - 1) * seats_per_row + number <= seats_total
