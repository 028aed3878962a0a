"""The pages: for phones first, without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotations
from starlette.responses import RedirectResponse, Response

from booking.errors import Refusal
from booking.model import seat_names
from booking.service import holding
from booking.web import answers
from booking.web.forms import Fields, read
from booking.web.house import QUEUE_COOKIE
from booking.web.texts import SEOUL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from booking.model import Screening
    from booking.web.house import House

_DAYS = 14


@dataclass(frozen=True)
class Choice:
    """What a visitor looks for on the first page."""

    theatre_id: int | None
    film_id: int | None
    day: date


def redirect(target: str) -> Response:
    """Send the browser on to a page, with GET."""
    return RedirectResponse(target, 303, {"Cache-Control": "no-store"})


def booking_page(number: str, contact: str) -> str:
    """Return the address of a booking's page."""
    return f"/bookings/{number}?contact={quote(contact, safe='@')}"


def form_of(house: House) -> Callable[[Request], Awaitable[Fields]]:
    """Make the dependency that reads a form."""

    async def form(request: Request) -> Fields:
        return await read(request, house.shop.settings.public_url)

    return form


def create_router(house: House) -> APIRouter:
    """Make the routes from the first page to the held seats."""
    router = APIRouter(include_in_schema=False)
    _add_programme(router, house)
    _add_holding(router, house)
    return router


def _add_programme(router: APIRouter, house: House) -> None:
    @router.get("/")
    def start(
        request: Request, theatre_id: str = "", film_id: str = "", day: Annotated[str, Query(alias="date")] = ""
    ) -> Response:
        today = datetime.now(SEOUL).date()
        choice = Choice(_number(theatre_id), _number(film_id), _day(day, today))
        deadline = house.shop.deadline()
        found: list[Screening] = []
        if choice.theatre_id is not None or choice.film_id is not None:
            found = house.programme.screenings(choice.theatre_id, choice.film_id, choice.day, 200, deadline)
        names = house.programme.names(deadline, *found)
        days = [today + timedelta(days=number) for number in range(_DAYS)]
        searched = choice.theatre_id is not None or choice.film_id is not None
        return house.pages.render(
            request, "start.html", names=names, choice=choice, days=days, found=found, searched=searched
        )

    @router.get("/static/style.css")
    def style() -> Response:
        return Response(house.pages.style, headers={"Cache-Control": "public, max-age=300"}, media_type="text/css")

    @router.get("/screenings/{screening_id}")
    def screening(request: Request, screening_id: int) -> Response:
        return seat_map(house, request, screening_id)


def _add_holding(router: APIRouter, house: House) -> None:
    form = form_of(house)

    @router.post("/screenings/{screening_id}", dependencies=[Depends(form), Depends(house.admit)])
    def hold(request: Request, screening_id: int) -> Response:
        chosen = [value for name, value in request.state.form if name == "seat"]
        return _hold(house, request, screening_id, chosen)

    @router.get("/queue", dependencies=[Depends(house.admit)])
    def queue(request: Request) -> Response:
        """Do what the customer asked for before the queue; the ticket, which we signed, says what that was."""
        ticket = house.ticket(request)
        if ticket is None or not isinstance(ticket.wish.get("screening"), int):
            return redirect("/")
        return _hold(house, request, ticket.wish["screening"], [str(seat) for seat in ticket.wish.get("seats", [])])


def _hold(house: House, request: Request, screening_id: int, chosen: list[str]) -> Response:
    try:
        held = holding.hold(house.shop, screening_id, chosen, house.shop.deadline())
    except Refusal as refused:
        if refused.code == "not_found":
            raise
        answer = seat_map(house, request, screening_id, refused)
    else:
        answer = redirect(f"/holds/{held.id}")
    answer.delete_cookie(QUEUE_COOKIE)
    return answer


def seat_map(house: House, request: Request, screening_id: int, refused: Refusal | None = None) -> Response:
    """Show a screening's seats as a form, with what was wrong with the last choice."""
    deadline = house.shop.deadline()
    screening = holding.screening_of(house.shop, screening_id, deadline)
    claims = house.programme.claims(screening_id, deadline)
    places = seat_names(screening.seats_total, screening.seats_per_row)
    width = screening.seats_per_row
    rows = [places[first : first + width] for first in range(0, len(places), width)]
    return house.pages.render(
        request,
        "screening.html",
        answers.STATUS[refused.code] if refused else 200,
        screening=screening,
        names=house.programme.names(deadline, screening),
        rows=rows,
        claims=claims,
        refused=refused,
        begun=screening.starts_at <= datetime.now(UTC),
    )


def queue_page(house: House, request: Request, ticket: str, position: int, seconds: float) -> Response:
    """Show a place in the queue; the page asks again by itself, or its button does."""
    answer = house.pages.render(
        request, "queue.html", 429, position=position, again=f"{max(1, round(seconds))}; url=/queue"
    )
    answer.headers["Retry-After"] = str(max(1, round(seconds)))
    answer.set_cookie(
        QUEUE_COOKIE, ticket, max_age=600, samesite="lax", secure=house.pages.secure_cookies, httponly=True
    )
    return answer


def queue_wish(request: Request) -> dict[str, Any]:
    """Return what a customer who must wait asked for, to write on the ticket."""
    fields: Fields = getattr(request.state, "form", [])
    screening = request.path_params.get("screening_id", "")
    if not fields or not str(screening).isdigit():
        return {}
    return {"screening": int(screening), "seats": [value for name, value in fields if name == "seat"][:8]}


def new_key() -> str:
    """Make a purchase's idempotency key."""
    return uuid4().hex


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return today
