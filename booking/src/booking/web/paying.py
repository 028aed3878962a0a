"""The pages from held seats to a booking, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotations
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotations

from booking.errors import NOT_RECEIVED, TIME_OVER, Refusal
from booking.model import Order
from booking.service import bookings, checking, holding, purchasing
from booking.web import answers
from booking.web.forms import one
from booking.web.pages import booking_page, form_of, new_key, redirect

if TYPE_CHECKING:
    from booking.model import Purchase
    from booking.web.forms import Fields
    from booking.web.house import House


def create_router(house: House) -> APIRouter:
    """Make the routes from the held seats to the cancelled booking."""
    router = APIRouter(include_in_schema=False)
    _add_paying(router, house)
    _add_bookings(router, house)
    return router


def _add_paying(router: APIRouter, house: House) -> None:
    form = form_of(house)

    @router.get("/holds/{hold_id}")
    def hold(request: Request, hold_id: str) -> Response:
        return _hold_page(house, request, _uuid(hold_id))

    @router.post("/holds/{hold_id}/payments/{key}", dependencies=[Depends(form), Depends(house.count)])
    def pay(request: Request, hold_id: str, key: str) -> Response:
        held, fields = _uuid(hold_id), request.state.form
        try:
            bought = purchasing.purchase(house.shop, _order(fields, held, key), house.shop.deadline())
        except Refusal as refused:
            house.metrics.purchases.labels(refused.code).inc()
            if refused.code not in {"payment_declined", "invalid_input"}:
                raise
            return _hold_page(house, request, held, refused, fields)
        house.metrics.purchases.labels(bought.state).inc()
        return _bought_page(house, request, bought)

    @router.get("/holds/{hold_id}/payments/{key}")
    def paid(request: Request, hold_id: str, key: str) -> Response:
        held = _uuid(hold_id)
        try:
            found = purchasing.look_up(house.shop, checking.idempotency_key(key), house.shop.deadline())
        except Refusal as refused:
            # What has not come in may still be on its way. Under its own key it is paid once, whichever is first.
            late = refused.code == "not_found"
            told = Refusal("not_found", NOT_RECEIVED) if late else refused
            return _hold_page(house, request, held, told, key=key if late else None)
        return _bought_page(house, request, found)


def _bought_page(house: House, request: Request, bought: Purchase) -> Response:
    if bought.state == "pending":
        return pending_page(house, request)
    return redirect(booking_page(bought.booking_number, bought.contact))


def pending_page(house: House, request: Request) -> Response:
    """Say that the payment is being looked after; the page asks again by itself."""
    again = f"{answers.PENDING_SECONDS}; url={request.url.path}"
    answer = house.pages.render(request, "pending.html", 202, again=again, target=request.url.path)
    answer.headers["Retry-After"] = str(answers.PENDING_SECONDS)
    return answer


def _order(fields: Fields, hold_id: UUID, key: str) -> Order:
    amount = one(fields, "amount_won")
    if not (amount.isascii() and amount.isdigit() and len(amount) < 10):
        raise Refusal("wrong_amount", "The amount is missing. Nothing was charged.")
    return Order(
        idempotency_key=checking.idempotency_key(key),
        hold_id=hold_id,
        customer_name=checking.name(one(fields, "customer_name")),
        contact=checking.contact(one(fields, "contact")),
        card_token=checking.card_token(one(fields, "card_token")),
        amount_won=int(amount),
    )


def _hold_page(  # noqa: PLR0917 - what was refused, typed and kept are three things
    house: House,
    request: Request,
    hold_id: UUID,
    refused: Refusal | None = None,
    fields: Fields | None = None,
    key: str | None = None,
) -> Response:
    """Show held seats with the form to pay: with the key that is given, or a new one after what came to nothing."""
    deadline = house.shop.deadline()
    held = holding.find(house.shop, hold_id, deadline)
    if held.expires_at <= datetime.now(UTC) and refused is None:
        raise Refusal("hold_expired", TIME_OVER)
    screening = holding.screening_of(house.shop, held.screening_id, deadline)
    return house.pages.render(
        request,
        "hold.html",
        answers.STATUS[refused.code] if refused else 200,
        held=held,
        screening=screening,
        names=house.programme.names(deadline, screening),
        key=key or new_key(),
        refused=refused,
        typed=dict(fields or []),
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal("not_found", "This page does not exist.") from error


def _add_bookings(router: APIRouter, house: House) -> None:
    form = form_of(house)

    @router.get("/lookup")
    def lookup(request: Request, number: str = "", contact: str = "") -> Response:
        if not number:
            return house.pages.render(request, "lookup.html", refused=None, number="", contact="")
        try:
            found, _ = bookings.find(house.shop, number, contact, house.shop.deadline())
        except Refusal as refused:
            status = answers.STATUS[refused.code]
            return house.pages.render(request, "lookup.html", status, refused=refused, number=number, contact=contact)
        return redirect(booking_page(found.booking_number, contact))

    @router.get("/bookings/{number}")
    def booking(request: Request, number: str, contact: str = "") -> Response:
        return _booking_page(house, request, number, contact)

    @router.post("/bookings/{number}/cancel", dependencies=[Depends(form)])
    def cancel(request: Request, number: str) -> Response:
        contact = one(request.state.form, "contact")
        try:
            bookings.cancel(house.shop, number, contact, house.shop.deadline())
        except Refusal as refused:
            if refused.code == "not_found":
                raise
            return _booking_page(house, request, number, contact, refused)
        return redirect(booking_page(number, contact))


def _booking_page(
    house: House, request: Request, number: str, contact: str, refused: Refusal | None = None
) -> Response:
    deadline = house.shop.deadline()
    found, screening = bookings.find(house.shop, number, contact, deadline)
    return house.pages.render(
        request,
        "booking.html",
        answers.STATUS[refused.code] if refused else 200,
        booking=replace(found, contact=contact),
        screening=screening,
        names=house.programme.names(deadline, screening),
        can_cancel=found.state == "confirmed" and screening.starts_at > datetime.now(UTC),
        refused=refused,
    )
