"""The JSON API, /api/v1."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - FastAPI reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotations

from booking.errors import Refusal
from booking.model import Order, seat_names
from booking.service import bookings, checking, holding, purchasing
from booking.web import answers, shapes

if TYPE_CHECKING:
    from booking.web.house import House

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
BookingNumber = Annotated[str, Path(max_length=40)]
Contact = Annotated[str, Query(max_length=400)]
_FAILS: dict[int | str, dict[str, Any]] = {
    status: {"model": shapes.Failure} for status in (400, 404, 409, 413, 422, 429, 500, 503)
}
_PAYMENT: dict[int | str, dict[str, Any]] = {202: {"model": shapes.Pending}, 402: {"model": shapes.Failure}}
_TICKET: dict[str, Any] = {
    "name": "Queue-Ticket",
    "in": "header",
    "description": "the `queue_ticket` of a 429, to keep the place in the queue",
    "schema": {"type": "string"},
}


def create_router(house: House) -> APIRouter:
    """Make the API's routes."""
    router = APIRouter(prefix="/api/v1", responses=_FAILS)
    _add_programme(router, house)
    _add_buying(router, house)
    _add_bookings(router, house)
    return router


def _add_programme(router: APIRouter, house: House) -> None:
    @router.get("/theatres", response_model=list[shapes.Theatre])
    def theatres() -> Response:
        """List the theatres."""
        found = house.programme.names(house.shop.deadline()).theatres.values()
        return answers.as_json([answers.names(theatre) for theatre in found])

    @router.get("/films", response_model=list[shapes.Film])
    def films() -> Response:
        """List the films."""
        found = house.programme.names(house.shop.deadline()).films.values()
        return answers.as_json([answers.names(film) for film in found])

    @router.get("/screenings", response_model=list[shapes.Screening])
    def screenings(
        theatre_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        film_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        day: Annotated[date | None, Query(alias="date")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        """List screenings that have not begun, soonest first."""
        found = house.programme.screenings(theatre_id, film_id, day, limit, house.shop.deadline())
        return answers.as_json([answers.screening(screening) for screening in found])

    @router.get("/screenings/{screening_id}/seats", response_model=shapes.SeatMap)
    def seats(screening_id: Number) -> Response:
        """Show which seats are free."""
        deadline = house.shop.deadline()
        screening = holding.screening_of(house.shop, screening_id, deadline)
        claims = house.programme.claims(screening_id, deadline)
        states = [
            {"seat": seat, "state": claims.get(seat, "free")}
            for seat in seat_names(screening.seats_total, screening.seats_per_row)
        ]
        return answers.as_json({"screening": answers.screening(screening), "seats": states})


def _add_buying(router: APIRouter, house: House) -> None:
    @router.post(
        "/holds",
        status_code=201,
        response_model=shapes.Hold,
        dependencies=[Depends(house.admit)],
        openapi_extra={"parameters": [_TICKET]},
    )
    def hold(wish: shapes.HoldRequest) -> Response:
        """Keep 1 to 8 seats while the customer pays. 429 with a queue ticket when too many buy at once."""
        held = holding.hold(house.shop, wish.screening_id, wish.seats, house.shop.deadline())
        return answers.as_json(answers.hold(held), 201)

    @router.post(
        "/purchases",
        status_code=201,
        response_model=shapes.Purchase,
        responses=_PAYMENT,
        dependencies=[Depends(house.count)],
    )
    def purchase(wish: shapes.PurchaseRequest, idempotency_key: Annotated[str, Header()] = "") -> Response:
        """Pay for held seats. Repeat the same request with the same key until the answer is not 202, 429 or 503."""
        order = Order(
            idempotency_key=checking.idempotency_key(idempotency_key),
            hold_id=wish.hold_id,
            customer_name=checking.name(wish.customer_name),
            contact=checking.contact(wish.contact),
            card_token=checking.card_token(wish.card_token),
            amount_won=wish.amount_won,
        )
        return _told(house, order)

    @router.get("/purchases/{idempotency_key}", response_model=shapes.Purchase, responses=_PAYMENT)
    def find_purchase(idempotency_key: str) -> Response:
        """Tell how a purchase stands."""
        key = checking.idempotency_key(idempotency_key)
        found = purchasing.look_up(house.shop, key, house.shop.deadline())
        return answers.pending() if found.state == "pending" else answers.as_json(answers.purchase(found))


def _told(house: House, order: Order) -> Response:
    """Buy, and count the outcome."""
    try:
        bought = purchasing.purchase(house.shop, order, house.shop.deadline())
    except Refusal as refused:
        house.metrics.purchases.labels(refused.code).inc()
        raise
    house.metrics.purchases.labels(bought.state).inc()
    return answers.pending() if bought.state == "pending" else answers.as_json(answers.purchase(bought), 201)


def _add_bookings(router: APIRouter, house: House) -> None:
    @router.get("/bookings/{number}", response_model=shapes.Booking)
    def find_booking(number: BookingNumber, contact: Contact) -> Response:
        """Look a booking up; the contact it was made with is the proof that it is yours."""
        found, screening = bookings.find(house.shop, number, contact, house.shop.deadline())
        document = {
            "booking_number": found.booking_number,
            "state": found.state,
            "screening": answers.screening(screening),
            "seats": list(found.seats),
            "amount_won": found.amount_won,
            "customer_name": found.customer_name,
        }
        return answers.as_json(document)

    @router.post("/bookings/{number}/cancel", response_model=shapes.Cancelled)
    def cancel(number: BookingNumber, wish: shapes.CancelRequest) -> Response:
        """Cancel a booking and send the money back. May be repeated."""
        cancelled = bookings.cancel(house.shop, number, wish.contact, house.shop.deadline())
        return answers.as_json({"state": "cancelled", "refunded_won": cancelled.amount_won})
