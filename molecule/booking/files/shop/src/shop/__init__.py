"""A shop with one theatre, kept in memory. Releases 7, 8 and 9 are broken on purpose: see BROKEN."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BROKEN = {"7": "a cancelled seat is not free again", "8": "cannot migrate", "9": "never becomes ready"}
RELEASE = version("shop")
STATE = Path("/var/lib/was")


def migrate() -> None:
    """Pretend to bring a database to this release; keep that it was done."""
    if RELEASE == "8" or sys.argv[1:] != ["--really"] or not Path(os.environ["SHOP_SECRET_FILE"]).read_text():
        sys.exit("there is no such column")
    (STATE / f"migrated-{RELEASE}").touch()


class Shop:
    """One screening with two seats."""

    def __init__(self) -> None:
        """Start with free seats."""
        self.seats = {"A1": "free", "A2": "free"}

    def listing(self) -> dict[str, Any]:
        """Return the screening as lists show it."""
        return {"id": 1, "theatre_id": 1, "seats_free": sum(state == "free" for state in self.seats.values())}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:  # noqa: PLR0911 - one case per path
        """Answer one request of the API."""
        match [method, *path.strip("/").split("/")[2:]]:
            case ["GET", "theatres"]:
                return 200, [{"id": 1}]
            case ["GET", "screenings"]:
                return 200, [self.listing()]
            case ["GET", "screenings", "1", "seats"]:
                return 200, {
                    "screening": self.listing(),
                    "seats": [{"seat": s, "state": v} for s, v in self.seats.items()],
                }
            case ["POST", "holds"]:
                self.seats |= dict.fromkeys(body["seats"], "held")
                return 201, {"hold_id": "h1", "seats": body["seats"], "amount_won": 15000}
            case ["POST", "purchases"]:
                self.seats = {seat: "sold" if state == "held" else state for seat, state in self.seats.items()}
                return 201, {"booking_number": "B1", "state": "confirmed"}
            case ["GET", "bookings", "B1"]:
                return 200, {
                    "state": "confirmed",
                    "seats": [seat for seat, state in self.seats.items() if state == "sold"],
                }
            case ["POST", "bookings", "B1", "cancel"]:
                if RELEASE != "7":
                    self.seats = dict.fromkeys(self.seats, "free")
                return 200, {"state": "cancelled", "refunded_won": 15000}
            case _:
                return 404, {}


def create_app() -> Callable[..., Awaitable[None]]:
    """Return the ASGI application."""
    shop = Shop()

    async def application(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        said: Any
        if scope["path"] == "/readyz":
            status, said = (503, {"missing": "everything"}) if RELEASE == "9" else (200, {"ready": True})
        elif scope["path"] == "/":
            status, said = 200, {"release": RELEASE, "greeting": os.environ["SHOP_GREETING"], "worker": os.getpid()}
        else:
            status, said = shop.answer(scope["method"], scope["path"], json.loads(body or b"{}"))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    return application
