"""The JSON API's requests and answers, as its OpenAPI document describes them. Owns pydantic here."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import Literal
from uuid import UUID  # noqa: TC003 - pydantic reads the annotations

from pydantic import BaseModel, ConfigDict, Field


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HoldRequest(_Request):
    """Seats to keep while paying."""

    screening_id: int = Field(ge=1, le=2**63 - 1)
    seats: list[str] = Field(min_length=1, max_length=8)


class PurchaseRequest(_Request):
    """A hold to pay for."""

    hold_id: UUID
    customer_name: str = Field(max_length=400)
    contact: str = Field(max_length=400)
    card_token: str = Field(max_length=400)
    amount_won: int = Field(ge=1, le=2**31 - 1)


class CancelRequest(_Request):
    """The contact that the booking was made with."""

    contact: str = Field(max_length=400)


class Theatre(BaseModel):
    """A cinema."""

    id: int
    name_ko: str
    name_en: str
    city_ko: str
    city_en: str


class Film(BaseModel):
    """A film."""

    id: int
    title_ko: str
    title_en: str
    minutes: int
    rating: str


class Screening(BaseModel):
    """A film in an auditorium at a time."""

    id: int
    theatre_id: int
    film_id: int
    auditorium: str
    starts_at: datetime
    price_won: int
    seats_total: int
    seats_free: int


class Seat(BaseModel):
    """A seat of a screening."""

    seat: str
    state: Literal["free", "held", "sold"]


class SeatMap(BaseModel):
    """All seats of a screening, from the front left."""

    screening: Screening
    seats: list[Seat]


class Hold(BaseModel):
    """Seats kept until `expires_at`."""

    hold_id: UUID
    screening_id: int
    seats: list[str]
    amount_won: int
    expires_at: datetime


class Purchase(BaseModel):
    """A booking."""

    booking_number: str
    state: Literal["confirmed", "cancelled"]
    screening_id: int
    seats: list[str]
    amount_won: int
    idempotency_key: str


class Pending(BaseModel):
    """The payment's outcome is not known yet: send the same request with the same key again."""

    state: Literal["pending"]
    retry_after_seconds: float


class Booking(BaseModel):
    """A booking with its screening."""

    booking_number: str
    state: Literal["confirmed", "cancelled"]
    screening: Screening
    seats: list[str]
    amount_won: int
    customer_name: str


class Cancelled(BaseModel):
    """A cancelled booking; the money is on its way back."""

    state: Literal["cancelled"]
    refunded_won: int


class Problem(BaseModel):
    """What went wrong; some codes bring more fields."""

    code: str
    message: str


class Failure(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem
