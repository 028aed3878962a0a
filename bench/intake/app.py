"""The intake alone, as the benchmark and the crash test serve it: `granian --factory bench.intake.app:create`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner import tokens
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
    bench = tokens.Token("bench", frozenset({tokens.ALERTS}), tokens.digest_of(TOKEN.encode()))

    def identify(presented: bytes) -> tokens.Token | None:
        return tokens.holder((bench,), presented, datetime.now(UTC))

    intake = create_intake(identify, writer.offer)

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
