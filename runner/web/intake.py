"""Take alerts: `POST /alerts` as a bare ASGI application, answered 202 only after the commit that holds the body.

Alertmanager repeats a delivery on 5xx and lost connections only, so what we cannot keep is 503 and never 429.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from runner import payloads
from runner.errors import InvalidRequest, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Message, Receive, Send], Awaitable[None]]
type Answered = asyncio.Future[StoreUnavailable | None]
type Authorised = Callable[[bytes, str], str | None]

SCOPE = "alerts"
LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 10.0  # for a body that comes in pieces
RETRY_AFTER_SECONDS = b"1"
_JSON_HEADER = (b"content-type", b"application/json")


class Keep(Protocol):
    """Takes a body to be written; `GroupCommit.offer` with `answer` below."""

    def __call__(self, token: str, content_type: str, body: bytes, ticket: Answered, /) -> bool:
        """Take a body, whose ticket is answered after the commit; False when too much waits."""


class _Problem(Exception):
    def __init__(self, status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def create_intake(authorised: Authorised, keep: Keep) -> Application:
    """Return the application for the path of alerts, whatever the path.

    `authorised(token, scope)` returns the token's name, or None when it is unknown or lacks the scope. Answers: 202
    {"alerts": n}; 400 not understood; 401 no bearer token; 403 a token that may not; 405; 413 over 1 MiB; 415 not
    JSON; 503 with Retry-After when nothing was kept. Errors: {"error": {"code", "message"}}.
    """

    async def intake(scope: Message, receive: Receive, send: Send) -> None:
        try:
            token = _check_head(scope, authorised)
            body = await _read(receive)
            if body is None:
                return  # the sender has gone
            count = await _kept(token, body, keep)
        except _Problem as problem:
            error = {"error": {"code": problem.code, "message": str(problem)}}
            await _send(send, problem.status, msgspec.json.encode(error), *problem.headers)
        else:
            await _send(send, 202, b'{"alerts":%d}' % count)

    return intake


def answer(tickets: Sequence[Answered], error: StoreUnavailable | None) -> None:
    """Answer the requests of one commit, from any thread; all tickets are of one event loop."""
    try:
        tickets[0].get_loop().call_soon_threadsafe(_resolve, tickets, error)
    except RuntimeError:
        return  # the loop has ended, and its requests with it


def _resolve(tickets: Sequence[Answered], error: StoreUnavailable | None) -> None:
    for ticket in tickets:
        if not ticket.done():  # else its sender has gone
            ticket.set_result(error)


def _check_head(scope: Message, authorised: Authorised) -> str:
    if scope["method"] != "POST":
        raise _Problem(
            405, "method_not_allowed", f"{scope['method']} is not for alerts; use POST.", (b"allow", b"POST")
        )
    token = content_type = length = b""
    for name, value in scope["headers"]:
        if name == b"authorization":
            token = value
        elif name == b"content-type":
            content_type = value
        elif name == b"content-length":
            length = value
    kind, _, secret = token.partition(b" ")
    if kind.lower() != b"bearer" or not secret:
        message = "There is no bearer token; send Authorization: Bearer with a token of scope alerts."
        raise _Problem(401, "unauthorised", message, (b"www-authenticate", b"Bearer"))
    caller = authorised(secret.strip(), SCOPE)
    if caller is None:
        message = "This token is unknown, has expired, or lacks the scope alerts; `understudy token add` makes one."
        raise _Problem(403, "forbidden", message)
    if content_type != payloads.JSON.encode() and not payloads.is_json(content_type.decode("latin-1")):
        shown = content_type[:80].decode("latin-1")
        raise _Problem(415, "unsupported_media_type", f"The content type is {shown!r}; send {payloads.JSON}.")
    if length.isdigit() and int(length[:20]) > LARGEST_BODY:
        raise _too_large()
    return caller


async def _read(receive: Receive) -> bytes | None:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
        return body
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_rest(message, receive)
    except TimeoutError:
        raise _unavailable(f"The body did not come within {BODY_SECONDS:.0f} s; nothing was kept, repeat it.") from None


async def _read_rest(message: Message, receive: Receive) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(pieces)
        message = await receive()
    return None


async def _kept(token: str, body: bytes, keep: Keep) -> int:
    try:
        alerts = payloads.deliveries(body)
    except InvalidRequest as error:
        raise _Problem(400, "invalid_request", str(error)) from error
    ticket: Answered = asyncio.get_running_loop().create_future()
    if not keep(token, payloads.JSON, body, ticket):
        raise _unavailable("Too many deliveries wait for the disk; nothing was kept of this one, repeat it.")
    failure = await ticket
    if failure is not None:
        raise _unavailable(str(failure))
    return len(alerts)


def _too_large() -> _Problem:
    return _Problem(413, "too_large", f"The body is larger than {LARGEST_BODY} bytes; send fewer alerts at once.")


def _unavailable(message: str) -> _Problem:
    return _Problem(503, "store_unavailable", message, (b"retry-after", RETRY_AFTER_SECONDS))


async def _send(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON_HEADER, length, *headers]})
    await send({"type": "http.response.body", "body": body})
