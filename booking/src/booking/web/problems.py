"""Answer what went wrong: JSON to programs, a page to people."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from booking.errors import AnswerLostError, CommitUnknownError, Refusal, UnavailableError
from booking.web import answers
from booking.web.house import StillWaiting
from booking.web.pages import queue_page, queue_wish
from booking.web.paying import pending_page
from booking.web.waiting import Ticket

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.types import Scope

    from booking.web.house import House

logger = logging.getLogger("booking.web")
_RETRY_SECONDS = 1
_MACHINES = ("/api/", "/healthz", "/readyz", "/metrics", "/payments/")
_UNAVAILABLE = "The booking service cannot take bookings at this moment. Nothing was charged; try again in a moment."
_BUSY = "The answer took too long, and nothing was charged. Try again in a moment."


def for_programs(path: str) -> bool:
    """Tell whether a path is asked for by programs."""
    return path.startswith(_MACHINES)


class Problems:
    """The handlers of errors."""

    def __init__(self, house: House) -> None:
        self._house = house

    def add_to(self, app: FastAPI) -> None:
        """Register the handlers."""
        for error, handler in {
            Refusal: self.refused,
            UnavailableError: self.unavailable,
            CommitUnknownError: self.unavailable,
            AnswerLostError: self.unavailable,
            StillWaiting: self.waiting,
            HTTPException: self.http,
            RequestValidationError: self.invalid,
            psycopg.DataError: self.invalid_data,
            Exception: self.unexpected,
        }.items():
            app.add_exception_handler(error, handler)

    def _say(self, request: Request, status: int, code: str, message: str, retry: float | None = None) -> Response:
        if for_programs(request.url.path):
            return answers.failure(status, code, message, retry)
        return self._house.pages.message(request, status, _title(status), message, retry)

    async def refused(self, request: Request, error: Exception) -> Response:
        """Answer a refusal."""
        assert isinstance(error, Refusal)  # noqa: S101 - as registered
        if for_programs(request.url.path):
            return answers.refusal(error)
        text = self._house.pages.language(request).say(error.template, **error.values)
        status = answers.STATUS[error.code]
        return self._house.pages.message(request, status, _title(status), text)

    async def unavailable(self, request: Request, error: Exception) -> Response:
        """Answer that the service cannot work now."""
        code = error.code if isinstance(error, UnavailableError) else "database_unavailable"
        message = error.message if isinstance(error, UnavailableError) else _UNAVAILABLE
        if not for_programs(request.url.path):
            message = _UNAVAILABLE
        return self._say(request, 503, code, message, _RETRY_SECONDS)

    async def waiting(self, request: Request, error: Exception) -> Response:
        """Answer that too many customers buy at once, with a ticket that keeps the place."""
        assert isinstance(error, StillWaiting)  # noqa: S101 - as registered
        seconds = error.retry_after_seconds
        if for_programs(request.url.path):
            ticket = self._house.tickets.write(Ticket(error.arrived_at))
            message = "Many customers are buying at this moment. Repeat this request with the Queue-Ticket header."
            return answers.failure(429, "waiting", message, seconds, queue_ticket=ticket, position=error.position)
        held = self._house.ticket(request)
        wish = queue_wish(request) or (held.wish if held else {})
        ticket = self._house.tickets.write(Ticket(error.arrived_at, wish))
        return queue_page(self._house, request, ticket, error.position, seconds)

    async def http(self, request: Request, error: Exception) -> Response:
        """Answer what the framework found: an unknown path, a method that does not fit, a body that cannot be read."""
        assert isinstance(error, HTTPException)  # noqa: S101 - as registered
        codes = {404: "not_found", 405: "method_not_allowed", 403: "forbidden"}
        message = "This page does not exist." if error.status_code == 404 else str(error.detail)
        return self._say(request, error.status_code, codes.get(error.status_code, "bad_request"), message)

    async def invalid(self, request: Request, error: Exception) -> Response:
        """Answer input of the wrong shape, naming the first thing that is wrong."""
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
        first = error.errors()[0]
        if not for_programs(request.url.path):
            return self._say(request, 404, "not_found", "This page does not exist.")
        if first["type"] == "json_invalid":
            return self._say(request, 400, "bad_request", "The body is not JSON.")
        place = ".".join(str(part) for part in first["loc"])[:100]
        return self._say(request, 422, "invalid_input", f"{place}: {first['msg']}.")

    async def invalid_data(self, request: Request, _: Exception) -> Response:
        """Answer text that a database cannot hold, such as a NUL character."""
        return self._say(request, 422, "invalid_input", "The input contains characters that cannot be stored.")

    async def unexpected(self, request: Request, _: Exception) -> Response:
        """Answer a fault of ours; the framework logs it."""
        return self._say(request, 500, "internal", "Something went wrong on our side. Nothing more is known yet.")

    def too_large(self, scope: Scope) -> Response:
        """Answer a body over the limit."""
        return self._say(Request(scope), 413, "too_large", "The request is larger than 64 KiB.")

    def overrun(self, scope: Scope) -> Response:
        """Answer for a handler that takes too long; a payment that may have been made is pending, not failed."""
        request = Request(scope)
        logger.warning("request_overrun method=%s path=%s", request.method, request.url.path)
        if request.method == "POST" and request.url.path == "/api/v1/purchases":
            return answers.pending()
        if request.method == "POST" and "/payments/" in request.url.path and not for_programs(request.url.path):
            return pending_page(self._house, request)
        return self._say(request, 503, "busy", _BUSY, _RETRY_SECONDS)


def _title(status: int) -> str:
    titles = {404: "Not found", 409: "Not any more", 402: "Not paid", 503: "Please try again in a moment"}
    return titles.get(status, "This did not work")
