"""Buy as a mobile app does: through the JSON API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from booking.crowd.errors import CrowdError
from booking.crowd.seating import choose
from booking.crowd.shopping import Booking
from booking.crowd.tally import Outcome

if TYPE_CHECKING:
    from booking.crowd.browser import Browser, Surroundings
    from booking.crowd.wire import Reply
    from booking.crowd.wishes import Wish

_API = "/api/v1"


class ApiVisit:
    """One customer's visit through the API; see shopping.Visit."""

    def __init__(self, browser: Browser, around: Surroundings, wish: Wish) -> None:
        self._browser = browser
        self._around = around
        self._wish = wish
        self._theatre: int | None = None
        self._key = uuid4().hex
        self._contends = wish.contends

    async def arrive(self) -> None:
        """Choose a theatre, unless the screening is given."""
        if self._wish.filters.screenings:
            return
        theatres = await self._read("theatres", f"{_API}/theatres")
        wanted = self._wish.filters.theatre
        self._theatre = self._around.random.choice(theatres)["id"] if wanted is None else wanted

    async def choose_and_pay(self) -> Booking | Outcome | None:
        """Choose a screening and seats, hold them, and pay; None to choose again."""
        screening = await self._screening()
        if screening is None:
            return Outcome.SOLD_OUT
        plan = await self._read("seats", f"{_API}/screenings/{screening}/seats")
        free = (seat["seat"] for seat in plan["seats"] if seat["state"] == "free")
        seats = choose(free, self._wish.party, self._around.random)
        # Of a given screening the plan is all there is; else the list of screenings says when all is sold.
        none_free = Outcome.SOLD_OUT if len(self._wish.filters.screenings) == 1 else None
        is_anyway = not seats and self._contends
        if is_anyway:
            self._contends = False
            seats = choose((seat["seat"] for seat in plan["seats"]), self._wish.party, self._around.random)
        if not seats:
            return none_free
        held = await self._browser.ask("hold", "POST", f"{_API}/holds", {"screening_id": screening, "seats": seats})
        self._around.tally.hold(held.status)
        if held.status == 409:
            return none_free if is_anyway else None
        return await self._pay(self._fields("hold", held, 201))

    async def _screening(self) -> int | None:
        """Pick a screening that has free seats, as the list says; where none has, who contends takes any."""
        given = self._wish.filters.screenings
        if len(given) == 1:
            return given[0]
        target = f"{_API}/screenings?limit=100"
        if self._theatre is not None:
            target += f"&theatre_id={self._theatre}"
        listed = await self._read("screenings", target)
        known = [entry for entry in listed if not given or entry["id"] in given]
        chosen_from = [entry["id"] for entry in known if entry["seats_free"]]
        if not chosen_from and self._contends:
            chosen_from = [entry["id"] for entry in known]
        return self._around.random.choice(chosen_from) if chosen_from else None

    async def _pay(self, hold: dict[str, Any]) -> Booking | Outcome | None:
        wish = self._wish
        order = {
            "hold_id": hold["hold_id"],
            "customer_name": wish.name,
            "contact": wish.contact,
            "card_token": wish.card_token,
            "amount_won": hold["amount_won"],
        }
        paid = await self._browser.ask("purchase", "POST", f"{_API}/purchases", order, Idempotency_Key=self._key)
        if paid.status == 402:
            return Outcome.DECLINED
        if paid.status == 409:
            # The hold ran out, or the seats are gone: that purchase is over, the next one is another.
            self._key = uuid4().hex
            return None
        bought = self._fields("purchase", paid, 200, 201)
        return Booking(
            booking_number=bought["booking_number"],
            idempotency_key=self._key,
            screening_id=bought["screening_id"],
            seats=tuple(bought["seats"]),
            amount_won=bought["amount_won"],
            edge=paid.address,
            server=paid.server,
            longest_wait_s=round(self._browser.longest_wait_s, 3),
        )

    async def _read(self, kind: str, target: str) -> Any:
        return self._fields(kind, await self._browser.ask(kind, "GET", target), 200)

    def _fields(self, kind: str, reply: Reply, *statuses: int) -> Any:
        try:
            document = json.loads(reply.body)
        except ValueError:
            document = None
        if reply.status not in statuses or document is None:
            raise self._browser.unusable(kind, reply)
        return document


async def find_theatre(browser: Browser, wanted: str) -> int:
    """Return the number of the theatre with this number or name; CrowdError when there is none."""
    listed = await browser.ask("theatres", "GET", f"{_API}/theatres")
    theatres = json.loads(listed.body) if listed.status == 200 else []
    for theatre in theatres:
        if wanted in {str(theatre["id"]), theatre["name_ko"], theatre["name_en"]}:
            return int(theatre["id"])
    raise CrowdError(f"Of the {len(theatres)} theatres none has the number or name {wanted!r}.")
