"""Put the API together on its store, and serve it until stopped.

The server runs inside this process, not in a child of a supervisor: streams that are open are ended before it stops (it
would wait for them), and there is one process less to hold and to start. See decision 0008.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import logging
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from runner.cli.desk import StoreDesk
from runner.errors import RunnerError
from runner.service.rules import RulesFiles
from runner.service.wake import wake
from runner.store.engine import open_store
from runner.store.group_commit import GroupCommit
from runner.tokens import Keyring
from runner.web.app import create_app
from runner.web.intake import answer, create_intake
from runner.web.metrics import Source, make_registry, rendered
from runner.web.stories import Stories
from runner.web.traffic import Traffic

if TYPE_CHECKING:
    import threading

    from runner.settings import Settings
    from runner.web.app import Front
    from runner.web.intake import Answered

log = logging.getLogger("runner.web")
STOP_SECONDS = 10.0  # for requests that are under way
CONNECTIONS = 1024
# Its warnings and errors go where ours go.
_SERVER_LOG = {"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}


def compose(settings: Settings) -> Front:
    """Put the application together on its store. Raises RunnerError: a sentence about what cannot be used."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    keyring = Keyring(settings.tokens_file, _now)
    rules = RulesFiles(
        settings.site, settings.policies_file, settings.calendar_file, absence_file=settings.absence_file
    )
    name = f"understudy-web-{settings.node_id}"
    store = open_store(settings.store, name)
    arrivals = open_store(settings.store, name)  # connections of its own: no question keeps an alert waiting
    ring = functools.partial(wake, settings.state_dir)
    writer: GroupCommit[Answered] = GroupCommit(arrivals, answer, ring, _now)
    desk = StoreDesk(store, rules, _now, lambda: secrets.randbits(32), ring)
    stories, traffic = Stories(desk), Traffic()
    registry = make_registry(Source(desk, traffic, stories, version()))

    def close() -> None:
        writer.close()
        arrivals.close()
        store.close()

    return create_app(
        desk,
        keyring.holder,
        intake=create_intake(keyring.holder, writer.offer, traffic.taken),
        metrics=functools.partial(rendered, registry),
        stories=stories,
        traffic=traffic,
        version=version(),
        close=close,
    )


def serve_web(settings: Settings, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises RunnerError when it cannot begin, or ends by itself."""
    uvloop.run(_serve(settings, stop))


def version() -> str:
    """Return the release of this project, or `unknown` when it is not installed."""
    try:
        return importlib.metadata.version("understudy")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


async def _serve(settings: Settings, stop: threading.Event) -> None:
    front = compose(settings)
    server = _server(front, settings)
    serving = asyncio.ensure_future(server.serve())
    asked = asyncio.ensure_future(asyncio.to_thread(stop.wait))
    await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        stop.set()
        why = serving.exception() or "the reason is in the log"
        raise RunnerError(f"The API at {settings.listen} is not served any more ({why}); start it again.")
    front.hang_up()
    server.stop()  # type: ignore[no-untyped-call]
    done, _ = await asyncio.wait({serving}, timeout=STOP_SECONDS)
    log.info("event=web_ended in_time=%s", bool(done))


def _server(front: Front, settings: Settings) -> Server:
    return Server(
        front,
        settings.host,
        settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=CONNECTIONS,
        log_level=LogLevels.error,
        log_dictconfig=_SERVER_LOG,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
    )


def _now() -> datetime:
    return datetime.now(UTC)
