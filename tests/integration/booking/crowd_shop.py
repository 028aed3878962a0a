"""A small shop in memory that speaks the booking service's API and pages, and fails when told to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

from aiohttp import web

NEVER_CAME = 1  # answer that the payment is being looked after, and forget it; the page asks again by itself
DROP = 0  # do the work, then close the connection without an answer

BUSY = {
    202: {"state": "pending", "retry_after_seconds": 0.05},
    429: {"code": "waiting", "queue_ticket": "place-1", "position": 1, "retry_after_seconds": 0.05},
    503: {"error": {"code": "database_unavailable", "message": "Nothing was charged."}},
}


@dataclass
class Shop:
    """One screening for each number, with rows of ten seats."""

    screenings: dict[int, list[str]]
    faults: dict[str, list[int]] = field(default_factory=dict)
    taken: dict[tuple[int, str], str] = field(default_factory=dict)
    holds: dict[str, dict[str, Any]] = field(default_factory=dict)
    wanted: list[tuple[str, ...]] = field(default_factory=list)
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    address: str = ""

    def sold(self) -> list[tuple[int, str]]:
        return [(b["screening_id"], seat) for b in self.bookings.values() for seat in b["seats"]]

    def seats(self, screening: int) -> list[dict[str, str]]:
        return [
            {"seat": seat, "state": "sold" if (screening, seat) in self.taken else "free"}
            for seat in self.screenings[screening]
        ]

    def hold(self, screening: int, seats: list[str]) -> dict[str, Any] | None:
        self.wanted.append(tuple(seats))
        if any((screening, seat) in self.taken for seat in seats):
            return None
        number = f"h{len(self.holds)}"
        self.taken |= {(screening, seat): number for seat in seats}
        self.holds[number] = {
            "hold_id": number,
            "screening_id": screening,
            "seats": seats,
            "amount_won": 15_000 * len(seats),
        }
        return self.holds[number]

    def pay(self, key: str, hold_id: str, card: str) -> dict[str, Any] | None:
        if key in self.bookings:
            return self.bookings[key]
        if card == "tok_declined":
            return None
        hold = self.holds[hold_id]
        booking = {"booking_number": f"B{len(self.bookings)}", "idempotency_key": key, "state": "confirmed", **hold}
        self.bookings[key] = booking
        return booking


SHOP = web.AppKey("shop", Shop)


def _api(shop: Shop) -> list[web.RouteDef]:
    async def theatres(_: web.Request) -> web.Response:
        return web.json_response(
            [{"id": 1, "name_ko": "부하", "name_en": "load"}, {"id": 2, "name_ko": "x", "name_en": "x"}]
        )

    async def screenings(request: web.Request) -> web.Response:
        known = shop.screenings if request.query.get("theatre_id", "1") == "1" else {}
        free = {number: sum(seat["state"] == "free" for seat in shop.seats(number)) for number in known}
        return web.json_response([{"id": number, "seats_free": free[number]} for number in known])

    async def seats(request: web.Request) -> web.Response:
        return web.json_response({"screening": {}, "seats": shop.seats(int(request.match_info["number"]))})

    async def holds(request: web.Request) -> web.Response:
        asked = await request.json()
        hold = shop.hold(asked["screening_id"], asked["seats"])
        return web.json_response(hold, status=201) if hold else web.json_response({"error": {}}, status=409)

    async def purchases(request: web.Request) -> web.Response:
        asked = await request.json()
        key = request.headers["Idempotency-Key"]
        booking = shop.pay(key, asked["hold_id"], asked["card_token"])
        return web.json_response(booking, status=201) if booking else web.json_response({"error": {}}, status=402)

    return [
        web.get("/api/v1/theatres", theatres),
        web.get("/api/v1/screenings", screenings),
        web.get("/api/v1/screenings/{number}/seats", seats),
        web.post("/api/v1/holds", holds),
        web.post("/api/v1/purchases", purchases),
    ]


@web.middleware
async def _troubled(request: web.Request, handler: Any) -> web.StreamResponse:
    shop = request.app[SHOP]
    shop.asked.append((request.method, request.path, dict(request.headers)))
    planned = shop.faults.get(f"{request.method} {request.path}", [])
    fault = planned.pop(0) if planned else None
    if fault in BUSY:
        headers = {"Retry-After": "0.05", "X-Understudy-Server": "troubled"}
        return web.json_response(BUSY[fault], status=fault, headers=headers)
    if fault == NEVER_CAME:
        page = _page(f'<meta http-equiv=refresh content="0; url={request.path}">')
        page.set_status(202)
        return page
    if fault:
        return web.Response(status=fault)
    answer: web.StreamResponse = await handler(request)
    if fault == DROP and request.transport:
        request.transport.abort()
    answer.headers["X-Understudy-Server"] = "fake"
    return answer


@contextmanager
def open_shop(
    shop: Shop, *more: web.RouteDef, hosts: tuple[str, ...] = ("127.0.0.1",), tls: ssl.SSLContext | None = None
) -> Iterator[Shop]:
    """Serve a shop on loopback addresses from a thread of its own; `address` names the first of them."""
    loop = asyncio.new_event_loop()
    app = web.Application(middlewares=[_troubled])
    app[SHOP] = shop
    app.add_routes([*_api(shop), *more])
    runner = web.AppRunner(app)
    loop.run_until_complete(runner.setup())
    port = 0
    for host in hosts:
        loop.run_until_complete(web.TCPSite(runner, host, port, ssl_context=tls).start())
        port = runner.addresses[0][1]
    shop.address = f"{'https' if tls else 'http'}://{hosts[0]}:{port}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield shop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(runner.cleanup())
        loop.close()


def _page(content: str) -> web.Response:
    return web.Response(text=f"<!doctype html><title>x</title>{content}", content_type="text/html")


def _see(target: str) -> web.Response:
    return web.Response(status=303, headers={"Location": target})


def _form_to_pay(hold: dict[str, Any]) -> str:
    return (
        f"<form method=post action='/holds/{hold['hold_id']}/payments/key-of-{hold['hold_id']}'>"
        f"<input type=hidden name=amount_won value={hold['amount_won']}><input name=customer_name>"
        "<input type=email name=contact><input name=card_token></form>"
    )


def pages(shop: Shop) -> list[web.RouteDef]:
    """Return the pages: forms with a token, as a browser without JavaScript needs them."""

    async def start(request: web.Request) -> web.Response:
        known = shop.screenings if request.query.get("theatre") == "1" else ()
        links = "".join(f'<a href="/screenings/{number}">{number}</a>' for number in known)
        return _page(
            '<form action="/"><select name="theatre"><option value="1">load</option><option value="2">x</option>'
            "</select>"
            f'<select name="date"><option>2026-12-24</option></select></form>{links}'
        )

    async def seats(request: web.Request) -> web.Response:
        number = request.match_info["number"]
        boxes = "".join(
            f"<input type=checkbox name=seats value={seat['seat']} {'' if seat['state'] == 'free' else 'disabled'}>"
            for seat in shop.seats(int(number))
        )
        return _page(
            f'<form method=post action="/holds"><input type=hidden name=t value="{escape("a&b")}">'
            f"<input type=hidden name=screening_id value={number}>{boxes}</form>"
        )

    async def hold(request: web.Request) -> web.Response:
        form = await request.post()
        if form["t"] != "a&b" or "Origin" not in request.headers:
            return web.Response(status=403)
        made = shop.hold(int(str(form["screening_id"])), [str(seat) for seat in form.getall("seats")])
        return _see(f"/holds/{made['hold_id']}") if made else web.Response(status=409)

    async def show_hold(request: web.Request) -> web.Response:
        return _page(_form_to_pay(shop.holds[request.match_info["number"]]))

    async def not_received(request: web.Request) -> web.Response:
        page = _page(_form_to_pay(shop.holds[request.match_info["number"]]))
        page.set_status(404)
        return page

    async def pay(request: web.Request) -> web.Response:
        form = await request.post()
        booking = shop.pay(request.match_info["key"], request.match_info["number"], str(form["card_token"]))
        if booking is None:
            return web.Response(status=402)
        return _see(f"/bookings/{booking['booking_number']}?contact=x")

    async def show_booking(request: web.Request) -> web.Response:
        return _page(f"<h1>{request.match_info['number']}</h1>")

    return [
        web.get("/", start),
        web.get("/screenings/{number}", seats),
        web.post("/holds", hold),
        web.get("/holds/{number}", show_hold),
        web.post("/holds/{number}/payments/{key}", pay),
        web.get("/holds/{number}/payments/{key}", not_received),
        web.get("/bookings/{number}", show_booking),
    ]
