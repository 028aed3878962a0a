"""Who may come in: a token on every request but two, and bodies of a bounded size."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from runner.web import problems
from runner.web.callers import NOT_KNOWN, NOTHING_SENT, lacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from runner.web.callers import Caller, Identify

LARGEST_BODY_BYTES = 64 * 1024
OPEN = frozenset({"/healthz", "/readyz"})
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="token", description="Made with `understudy token add NAME --scope SCOPE`."
)


class Gate:
    """Let requests with a known token in, and note the caller in the request's state."""

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self._app = app
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        caller = self._identify(token.strip()) if scheme.lower() == b"bearer" and token.strip() else None
        if caller is None:
            message = NOT_KNOWN if given else NOTHING_SENT
            refusal = problems.failure(401, "unauthorised", message, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def needs(scope: str) -> Callable[..., str]:
    """Return a dependency that answers 403 without the scope, and gives the caller's name."""

    def check(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None) -> str:
        caller: Caller = request.state.caller
        if not caller.may(scope):
            raise HTTPException(403, lacks(caller, scope))
        return caller.name

    return check


Reader = Annotated[str, Depends(needs("read"))]
Operator = Annotated[str, Depends(needs("operate"))]
Approver = Annotated[str, Depends(needs("approve"))]


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Answer 413 to bodies over the limit, told by their header or found while reading."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        refusal = problems.failure(413, "too_large", f"The body is larger than {LARGEST_BODY_BYTES} bytes.")
        if not told.isdigit() or int(told) > LARGEST_BODY_BYTES:
            await refusal(scope, receive, send)
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
            await refusal(scope, receive, send)
