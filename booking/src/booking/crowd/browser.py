"""One customer's browser: cookies, language, and the patience to repeat a request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urlsplit

from booking.crowd.errors import CrowdError, NoProperAnswerError, StillWaitingError
from booking.crowd.pages import Page
from booking.crowd.retrying import Verdict, fields_of, judge, pause_seconds
from booking.crowd.wire import cookie_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from random import Random

    from booking.crowd.addresses import AddressBook
    from booking.crowd.tally import Tally
    from booking.crowd.wire import Reply


_MOST_REDIRECTS = 5


class Sender(Protocol):
    """Sends one request to one address; see Wire."""

    async def send(
        self, address: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Return the answer, or a reply with status 0."""


@dataclass(frozen=True)
class Surroundings:
    """What all browsers of a crowd share; `clock` counts seconds since the crowd's start."""

    wire: Sender
    origin: str
    addresses: AddressBook
    tally: Tally
    random: Random
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    patience_seconds: float = 60.0


@dataclass(frozen=True)
class Question:
    """What a customer asks for, until it is answered."""

    kind: str
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    is_page: bool = False

    def instead(self, target: str, kind: str) -> Question:
        """Return the request for the page that this one leads to."""
        return Question(kind, "GET", target, is_page=True)

    def after_wait(self, reply: Reply) -> Question:
        """Return what is asked after a wait: the page that this one leads to, or the same with the queue ticket."""
        if self.is_page:
            leads_to = Page(reply.body).refresh()
            return self.instead(_local(leads_to), self.kind) if leads_to else self
        ticket = fields_of(reply.body).get("queue_ticket") if reply.status == 429 else None
        return replace(self, headers=self.headers | {"Queue-Ticket": str(ticket)}) if ticket else self


class Browser:
    """Asks, repeats what must be repeated, and remembers what servers ask a browser to remember."""

    def __init__(self, around: Surroundings, language: str) -> None:
        self.longest_wait_s = 0.0  # for one answer, with every new try and pause
        self._around = around
        self._address: str | None = None
        self._cookies: dict[str, str] = {}
        self._headers = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5" if language == "ko" else "en-GB,en;q=0.9"}

    async def ask(self, kind: str, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """Send a JSON request, repeated until its answer is proper; raise NoProperAnswerError or StillWaitingError.

        Header names are given with underscores. Answer times count tries and pauses after errors, not waits that the
        service asks for.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return await self._persist(Question(kind, method, target, named))
        named["Content-Type"] = "application/json"
        return await self._persist(Question(kind, method, target, named, json.dumps(body).encode()))

    async def submit(self, kind: str, method: str, target: str, fields: Iterable[tuple[str, str]]) -> Reply:
        """Send a form as a browser does, and follow where the answer leads."""
        encoded = urlencode(list(fields))
        if method == "GET":
            return await self.visit(kind, f"{target.partition('?')[0]}?{encoded}")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self._around.origin,
            "Sec-Fetch-Site": "same-origin",
        }
        return await self._follow(Question(kind, "POST", target, headers, encoded.encode(), is_page=True))

    async def visit(self, kind: str, target: str) -> Reply:
        """Open a page, and follow where the answer leads."""
        return await self._follow(Question(kind, "GET", target, is_page=True))

    async def _follow(self, question: Question) -> Reply:
        reply = await self._persist(question)
        for _ in range(_MOST_REDIRECTS):
            if reply.status not in {301, 302, 303, 307, 308}:
                return reply
            target = _local(reply.headers.get("Location", "/"))
            reply = await self._persist(question.instead(target, f"{question.kind}, redirected"))
        raise self.unusable(question.kind, reply)

    def unusable(self, kind: str, reply: Reply) -> NoProperAnswerError:
        """Count an answer that no customer can use as a failed request, and return the error to raise."""
        why = f"status {reply.status} from {reply.server or reply.address}: {reply.body[:300].decode(errors='replace')}"
        self._around.tally.fail(kind, self._around.clock(), why, answered=True)
        return NoProperAnswerError(f"{kind}: {why}")

    async def _persist(self, question: Question) -> Reply:
        around, tries, waited, moving = self._around, 0, 0.0, False
        began = around.clock()
        while True:
            reply = await self._try(question, moving=moving)
            verdict, now, tries = judge(reply.status), around.clock(), tries + 1
            if verdict is Verdict.PROPER:
                self.longest_wait_s = max(self.longest_wait_s, now - began)
                around.tally.answered(question.kind, now, now - began - waited)
                return reply
            pause = pause_seconds(reply.headers, reply.body, tries, around.random)
            if verdict is Verdict.FAILED or now - began + pause > around.patience_seconds:
                raise self._end(question.kind, reply, verdict, now - began - waited)
            moving = verdict is Verdict.REPEAT
            if verdict is Verdict.WAIT:
                around.tally.waited += 1
                waited += pause
                question = question.after_wait(reply)
            else:
                around.tally.retried += 1
            await around.sleep(pause)

    async def _try(self, question: Question, *, moving: bool) -> Reply:
        around = self._around
        self._address = around.addresses.choose(around.random, self._address, moving=moving)
        sent = self._headers | question.headers
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        reply = await around.wire.send(self._address, question.method, question.target, sent, question.body)
        around.tally.tried(reply.silence or str(reply.status), reply.address, reply.server)
        for header in reply.cookies:
            self._remember(header)
        return reply

    def _remember(self, header: str) -> None:
        match cookie_of(header):
            case (name, None):
                self._cookies.pop(name, None)
            case (name, str(value)):
                self._cookies[name] = value

    def _end(self, kind: str, reply: Reply, verdict: Verdict, seconds: float) -> CrowdError:
        around = self._around
        if verdict is Verdict.WAIT:
            around.tally.answered(kind, around.clock(), seconds)
            return StillWaitingError(
                f"{kind}: still told to wait ({reply.status}) at the end of patience.", reply.status
            )
        text = reply.body[:300].decode(errors="replace")
        why = f"{reply.silence or reply.status} from {reply.server or reply.address} after {seconds:.1f} s: {text}"
        around.tally.fail(kind, around.clock(), why)
        return NoProperAnswerError(f"{kind}: {why}")


def _local(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
