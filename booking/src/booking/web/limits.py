"""Limits of a request: how large its body, and how long its answer takes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY_BYTES = 64 * 1024


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Answer 413 to bodies over the limit, told by their header or found while reading."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Scope], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > LARGEST_BODY_BYTES:
            await self._refuse(scope)(scope, receive, send)
            return
        size, begun = 0, False

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LARGEST_BODY_BYTES:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            if begun or size <= LARGEST_BODY_BYTES:  # else it is the framework's answer to our error
                begun = True
                await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, counted, noted)
        if not begun and size > LARGEST_BODY_BYTES:
            await self._refuse(scope)(scope, receive, send)


class TimeLimit:
    """Answer when the application has not begun to within the limit; it ends on its own, unheard."""

    def __init__(self, app: ASGIApp, seconds: float, overrun: Callable[[Scope], Response]) -> None:
        self._app = app
        self._seconds = seconds
        self._overrun = overrun
        self._unheard: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = over = False

        async def heard(message: Message) -> None:
            nonlocal begun
            if not over:
                begun = True
                await send(message)

        task = asyncio.ensure_future(self._app(scope, receive, heard))
        done, _ = await asyncio.wait({task}, timeout=self._seconds)
        if done or begun:
            await task
            return
        over = True
        self._unheard.add(task)
        task.add_done_callback(self._forget)
        await self._overrun(scope)(scope, receive, send)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._unheard.discard(task)
        if not task.cancelled():
            task.exception()
