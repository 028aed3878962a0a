"""Buy as a person with a browser does: through the pages, whatever fields their forms have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from booking.crowd.pages import Form, Page
from booking.crowd.seating import choose
from booking.crowd.shopping import Booking
from booking.crowd.tally import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from booking.crowd.browser import Browser, Surroundings
    from booking.crowd.wire import Reply
    from booking.crowd.wishes import Wish

_SCREENING = re.compile(r"^/screenings/(\d+)(?:[/?#]|$)")
_BOOKING = re.compile(r"^/bookings/([^/?#]+)")
_KEY = re.compile(r"/payments/([^/?#]+)")
_NOT_SOLD_OUT = "a[href]:not(.full)"
_MOST_DAYS = 3


class PagesVisit:
    """One customer's visit through the pages; see shopping.Visit."""

    def __init__(self, browser: Browser, around: Surroundings, wish: Wish) -> None:
        self._browser = browser
        self._around = around
        self._wish = wish
        self._screenings: list[int] = list(wish.filters.screenings)
        self._contends = wish.contends

    async def arrive(self) -> None:
        """Open the first page and choose a theatre and a day, unless the screening is given."""
        if self._screenings:
            return
        first = await self._browser.visit("page start", "/")
        form = self._form("page start", first, lambda form: form.method == "GET" and bool(form.choices))
        for day in range(_MOST_DAYS):
            listed = await self._browser.submit("page screenings", "GET", form.action or "/", self._choices(form, day))
            if listed.status != 200:
                raise self._browser.unusable("page screenings", listed)
            page = Page(listed.body)
            self._screenings = _numbers(page.links(_NOT_SOLD_OUT))
            if self._screenings:
                return
        if self._contends:
            self._screenings = _numbers(page.links())

    def _choices(self, form: Form, day: int) -> Iterable[tuple[str, str]]:
        """Choose a theatre, any film, and today or a day after it."""
        yield from form.fields
        wanted = self._wish.filters.theatre
        for name, options in form.choices.items():
            if "theatre" in name:
                numbers = [value for value, _ in options if value]
                yield name, self._around.random.choice(numbers) if wanted is None else str(wanted)
            elif "date" in name or "day" in name:
                days = [value for value, _ in options if value]
                yield name, days[min(day, len(days) - 1)] if days else ""
            else:
                yield name, options[0][0] if options else ""

    async def choose_and_pay(self) -> Booking | Outcome | None:
        """Choose a screening and seats, hold them, and pay; None to choose again."""
        if not self._screenings:
            return Outcome.SOLD_OUT
        screening = self._around.random.choice(self._screenings)
        plan = await self._browser.visit("page seats", f"/screenings/{screening}")
        page = Page(plan.body)
        form = self._seats(plan, page)
        boxes = {value: name for name, value in form.boxes} if form else {}
        seats = choose(boxes, self._wish.party, self._around.random)
        if not seats:
            self._screenings.remove(screening)
        if form and not seats and self._contends:
            # As from a page that was opened before the seats were gone.
            self._contends = False
            boxes = {value: name for name, value in form.taken}
            seats = choose(boxes, self._wish.party, self._around.random)
        if form is None or not seats:
            return None
        ticked = [(boxes[seat], seat) for seat in seats]
        held = await self._browser.submit("page hold", "POST", form.action or plan.target, [*form.fields, *ticked])
        self._around.tally.hold(held.status)
        if held.status == 409:
            return None
        return await self._pay(held, screening, seats)

    def _seats(self, plan: Reply, page: Page) -> Form | None:
        """Find the form with the seats; a page that says why there is none (the film has begun) is an answer too."""
        for form in page.forms():
            if form.method == "POST" and (form.boxes or form.taken):
                return form
        if plan.status == 200 and page.text("[role=alert]"):
            return None
        raise self._browser.unusable("page seats", plan)

    async def _pay(self, held: Reply, screening: int, seats: tuple[str, ...]) -> Booking | Outcome | None:
        form = self._form("page hold", held, lambda form: form.method == "POST" and bool(form.blanks))
        typed = [(name, self._typed(name)) for name in form.blanks]
        fields, target = [*form.fields, *typed], form.action or held.target
        paid = await self._browser.submit("page purchase", "POST", target, fields)
        if paid.status == 404 and any(each.action == form.action for each in Page(paid.body).forms()):
            # It did not come in, says the page, and shows the same form again: a person presses the button once more.
            paid = await self._browser.submit("page purchase", "POST", target, fields)
        if paid.status == 402:
            return Outcome.DECLINED
        if paid.status == 409:
            return None
        number, key = _BOOKING.match(paid.target), _KEY.search(form.action)
        known = dict(fields)
        if paid.status != 200 or number is None or key is None:
            raise self._browser.unusable("page purchase", paid)
        return Booking(
            booking_number=number[1],
            idempotency_key=key[1],
            screening_id=screening,
            seats=seats,
            amount_won=int(known.get("amount_won", 0)),
            edge=paid.address,
            server=paid.server,
            longest_wait_s=round(self._browser.longest_wait_s, 3),
        )

    def _typed(self, name: str) -> str:
        if "card" in name:
            return self._wish.card_token
        return self._wish.contact if "contact" in name else self._wish.name

    def _form(self, kind: str, reply: Reply, fits: Callable[[Form], bool]) -> Form:
        if reply.status == 200:
            for form in Page(reply.body).forms():
                if fits(form):
                    return form
        raise self._browser.unusable(kind, reply)


def _numbers(links: Iterable[str]) -> list[int]:
    """Return the numbers of the screenings that links lead to."""
    return sorted({int(found[1]) for link in links if (found := _SCREENING.match(link))})
