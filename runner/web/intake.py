"""Take alerts: `POST /alerts` as a bare ASGI application, answered 202 only after the commit that holds the body.

Alertmanager repeats a delivery on 5xx and lost connections only, so what we cannot keep is 503 and never 429.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from runner import payloads
from runner.errors import InvalidRequest, StoreUnavailable
from runner.web.callers import NOT_KNOWN, NOTHING_SENT, lacks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    from runner.web.callers import Identify

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Message, Receive, Send], Awaitable[None]]
type Answered = asyncio.Future[StoreUnavailable | None]
type Observe = Callable[[int, float], None]

logger = logging.getLogger("runner.web")
SCOPE = "alerts"
LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 10.0  # for a body that comes in pieces
RETRY_AFTER_SECONDS = b"1"
FAULT = "Something went wrong on our side; the runner's log tells what."
_JSON_HEADER = (b"content-type", b"application/json")
_BEARER = (b"www-authenticate", b"Bearer")


class Keep(Protocol):
    """Takes a body to be written; `GroupCommit.offer` with `answer` below."""

    def __call__(self, token: str, content_type: str, body: bytes, ticket: Answered, /) -> bool:
        """Take a body, whose ticket is answered after the commit; False when too much waits."""


class _Problem(Exception):
    def __init__(self, status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def create_intake(identify: Identify, keep: Keep, observe: Observe = lambda _status, _seconds: None) -> Application:
    """Return the application for the path of alerts, whatever the path.

    `identify(token)` returns the token's holder, or None when it is unknown or expired. `observe` is told the status
    and the seconds of each answer. Answers: 202 {"alerts": n}; 400 not understood; 401 no token, or not a known one;
    403 a token that may not; 405; 413 over 1 MiB; 415 not JSON; 500 our fault; 503 with Retry-After when nothing was
    kept. Errors: {"error": {"code", "message"}}.
    """

    async def intake(scope: Message, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 202
        try:
            token = _check_head(scope, identify)
            body = await _read(receive)
            if body is None:
                return  # the sender has gone
            count = await _kept(token, body, keep)
        except _Problem as problem:
            status = await _refuse(send, problem)
        except Exception:
            logger.exception("event=fault path=%s", scope.get("path"))
            status = await _refuse(send, _Problem(500, "internal", FAULT))
        else:
            await _send(send, 202, b'{"alerts":%d}' % count)
        observe(status, time.perf_counter() - began)

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


def _check_head(scope: Message, identify: Identify) -> str:
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
    caller = _caller(token, identify)
    if content_type != payloads.JSON.encode() and not payloads.is_json(content_type.decode("latin-1")):
        shown = content_type[:80].decode("latin-1")
        raise _Problem(415, "unsupported_media_type", f"The content type is {shown!r}; send {payloads.JSON}.")
    if length.isdigit() and int(length[:20]) > LARGEST_BODY:
        raise _too_large()
    return caller


def _caller(authorization: bytes, identify: Identify) -> str:
    kind, _, secret = authorization.partition(b" ")
    if kind.lower() != b"bearer" or not secret:
        raise _Problem(401, "unauthorised", NOTHING_SENT, _BEARER)
    caller = identify(secret.strip())
    if caller is None:
        raise _Problem(401, "unauthorised", NOT_KNOWN, _BEARER)
    if not caller.may(SCOPE):
        raise _Problem(403, "forbidden", lacks(caller, SCOPE))
    return caller.name


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


async def _refuse(send: Send, problem: _Problem) -> int:
    error = {"error": {"code": problem.code, "message": str(problem)}}
    await _send(send, problem.status, msgspec.json.encode(error), *problem.headers)
    return problem.status


async def _send(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON_HEADER, length, *headers]})
    await send({"type": "http.response.body", "body": body})
