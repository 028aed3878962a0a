"""Put the application together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import FastAPI

from booking import __version__
from booking.gateway import Gateway
from booking.service.programme import Programme
from booking.service.readiness import Lookout
from booking.service.settler import Settler
from booking.service.shop import Shop
from booking.settings import Settings, load
from booking.store.database import Database
from booking.web import api, operations, pages, paying
from booking.web.house import House
from booking.web.limits import BodyLimit, TimeLimit
from booking.web.logs import write_logs
from booking.web.metrics import Measured, Metrics
from booking.web.problems import Problems
from booking.web.rendering import Pages
from booking.web.waiting import Tickets, WaitingRoom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_READING_THREADS = 32


def _furnish(settings: Settings) -> House:
    database = Database(settings.database_url.get_secret_value(), settings.database_pool_size)
    gateway = Gateway(
        settings.gateway_url,
        settings.gateway_secret.get_secret_value(),
        settings.gateway_ca_file,
        settings.gateway_timeout_seconds,
    )
    shop = Shop(database, gateway, settings)
    return House(
        shop=shop,
        programme=Programme(shop),
        lookout=Lookout(shop),
        metrics=Metrics(),
        pages=Pages(secure_cookies=settings.public_url.startswith("https:")),
        room=WaitingRoom(
            settings.queue_limit, min(settings.queue_patience_seconds, settings.request_limit_seconds / 2)
        ),
        tickets=Tickets(settings.secret_key.get_secret_value()),
    )


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the ASGI application; settings come from the environment unless given."""
    chosen = settings or load()
    house = _furnish(chosen)

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        write_logs()
        # Payments wait for the gateway in their threads; people who only look around must not wait for those.
        anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * chosen.queue_limit + _READING_THREADS
        house.shop.database.open()
        settler = Settler(house.shop)
        house.lookout.start()
        settler.start()
        try:
            yield
        finally:
            settler.stop()
            house.lookout.stop()
            await anyio.to_thread.run_sync(settler.join, 4.0)
            house.shop.database.close()
            house.shop.gateway.close()

    app = FastAPI(
        title="Understudy booking",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=alive,
        redirect_slashes=False,
    )
    for router in (api, operations, pages, paying):
        app.include_router(router.create_router(house))
    problems = Problems(house)
    problems.add_to(app)
    app.add_middleware(TimeLimit, seconds=chosen.request_limit_seconds, overrun=problems.overrun)
    app.add_middleware(BodyLimit, refuse=problems.too_large)
    app.add_middleware(Measured, metrics=house.metrics, server=chosen.site_name)
    return app
