"""The intake alone, as the benchmark and the crash test serve it: `granian --factory bench.intake.app:create`."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from runner.store.engine import open_store
from runner.store.group_commit import GroupCommit
from runner.web.intake import answer, create_intake

if TYPE_CHECKING:
    from runner.web.intake import Answered, Application, Message, Receive, Send

STORE_VARIABLE = "UNDERSTUDY_STORE_URL"
TOKEN = "a-token-of-the-benchmark-and-of-nothing-else"  # noqa: S105 - the benchmark's own


def create() -> Application:
    """Return the application on the store that the environment names."""
    store = open_store(os.environ[STORE_VARIABLE])
    writer: GroupCommit[Answered] = GroupCommit(store, answer, wake=lambda: None, clock=lambda: datetime.now(UTC))
    expected = sha256(TOKEN.encode()).digest()

    def authorised(token: bytes, _scope: str) -> str | None:
        return "bench" if hmac.compare_digest(sha256(token).digest(), expected) else None

    intake = create_intake(authorised, writer.offer)

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await intake(scope, receive, send)
            return
        if scope["type"] != "lifespan":
            raise ValueError(f"The intake speaks HTTP only, not {scope['type']}.")
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        writer.close()
        store.close()
        await send({"type": "lifespan.shutdown.complete"})

    return application
