"""The API as one ASGI application: alerts go straight to the intake, everything else through the gate to its route."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from runner.web import problems
from runner.web.access import BodyLimit, Gate
from runner.web.routes import alerts, brake, capacity, events, health, jobs, ledger, metrics, plan
from runner.web.traffic import INTAKE

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from runner.web.callers import Identify
    from runner.web.desk import Desk
    from runner.web.intake import Application
    from runner.web.stories import Stories
    from runner.web.traffic import Traffic

logger = logging.getLogger("runner.web")
THREADS = 8  # that wait for the store: fewer than it has connections
ROUTERS = (alerts, jobs, events, ledger, capacity, plan, brake, health, metrics)
ABOUT = """What the runner was told, what it decided, and what it does; and the wishes of people.

Every request but `/healthz` and `/readyz` carries a token (`Authorization: Bearer ...`) with the scope that the address
needs: `alerts`, `read`, `operate` or `approve`; `admin` covers all. Every error has the same shape, with a code for
programs and a sentence for people. Times are UTC."""


def create_app(
    desk: Desk,
    identify: Identify,
    *,
    intake: Application,
    metrics: Callable[[], bytes],
    stories: Stories,
    traffic: Traffic,
    version: str,
    close: Callable[[], None] = lambda: None,
) -> Front:
    """Return the application. `close` is called when it ends, after the last request."""
    api = api_of(desk, metrics, stories, version)
    return Front(intake, Gate(BodyLimit(api), identify), stories, traffic, close)


def api_of(desk: Desk, metrics: Callable[[], bytes], stories: Stories, version: str) -> FastAPI:
    """Return the routes and their OpenAPI document, without anybody at the door."""
    api = FastAPI(
        title="Understudy runner",
        description=ABOUT,
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.desk, api.state.metrics, api.state.stories = desk, metrics, stories
    problems.add_to(api)
    for each in ROUTERS:
        api.include_router(each.router)
    return api


class Front:
    """Tell alerts from the rest, count answers, and let no fault out as anything but 500 and a line in the log."""

    def __init__(
        self, intake: Application, asked: ASGIApp, stories: Stories, traffic: Traffic, close: Callable[[], None]
    ) -> None:
        self._intake, self._asked = intake, asked
        self._stories, self._traffic, self._close = stories, traffic, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request, or the messages of the process's life."""
        if scope["type"] == "http":
            if scope["path"] == INTAKE and scope["method"] == "POST":
                await self._intake(scope, receive, send)
            else:
                await self._ask(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise ValueError(f"The runner speaks HTTP only, not {scope['type']}.")

    def hang_up(self) -> None:
        """End the streams that are open, which the server would wait for; call it before the server is stopped."""
        self._stories.hang_up()

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._asked(scope, receive, noted)
        except Exception:
            logger.exception("event=fault path=%s", scope["path"])
            if not status:
                await problems.fault()(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._traffic.answered(route, scope["method"], status)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                current_default_thread_limiter().total_tokens = THREADS
                await send({"type": "lifespan.startup.complete"})
            else:
                self._stories.close()
                self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return
