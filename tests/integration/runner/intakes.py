"""An intake over a store, in the tests' own process, and a sender to it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from runner import tokens
from runner.store import inbox
from runner.store.engine import Store
from runner.store.group_commit import GroupCommit
from runner.web.intake import Answered, Application, answer, create_intake
from tests.integration.runner.intake_examples import DEADLINE_SECONDS, HEADERS

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: Any = None


async def post(
    intake: Application, *pieces: bytes, headers: dict[str, str] = HEADERS, method: str = "POST", stays: bool = True
) -> Answer:
    """Send a body in pieces; without `stays` the sender hangs up after them."""
    answered = Answer()
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1 or not stays}
        for index, piece in enumerate(pieces)
    ]
    messages.append({"type": "http.disconnect"})
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answered.body = json.loads(message["body"])
            assert answered.headers["content-length"] == str(len(message["body"]))

    head = [(name.encode(), value.encode()) for name, value in headers.items()]
    await intake({"type": "http", "method": method, "headers": head}, receive, send)
    return answered


HOLDERS = {
    b"good": tokens.Token("colo", frozenset({"alerts"}), b""),
    b"curious": tokens.Token("ann", frozenset({"read"}), b""),
}


@dataclasses.dataclass
class Running:
    store: Store
    writer: GroupCommit[Answered]
    intake: Application
    woken: list[int]
    offered: list[int]

    def bodies(self) -> list[bytes]:
        with self.store.read() as connection:
            return [each.body for each in inbox.unjudged(connection, 10_000)]


@contextmanager
def serving(store: Store) -> Iterator[Running]:
    woken: list[int] = []
    offered: list[int] = []
    writer: GroupCommit[Answered] = GroupCommit(store, answer, wake=lambda: woken.append(1), clock=lambda: NOON)

    def keep(token: str, content_type: str, body: bytes, ticket: Answered) -> bool:
        offered.append(len(body))
        return writer.offer(token, content_type, body, ticket)

    try:
        yield Running(store, writer, create_intake(HOLDERS.get, keep), woken, offered)
    finally:
        assert writer.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await work()

    asyncio.run(limited())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)
