"""Answer what went wrong, in one shape."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from runner.errors import InvalidRequest, NotFound, Refused, RunnerError, StoreUnavailable
from runner.web import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

logger = logging.getLogger("runner.web")
_RETRY_SECONDS = 1
_KNOWN: Mapping[type[RunnerError], tuple[int, str]] = {
    Refused: (409, "refused"),
    InvalidRequest: (422, "invalid_request"),
    NotFound: (404, "not_found"),
    StoreUnavailable: (503, "store_unavailable"),
}
_CODES = {400: "bad_request", 401: "unauthorised", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for answers in the error shape; 401 and 403 belong to every route."""
    return {status: {"model": shapes.Failure} for status in (401, 403, *statuses)}


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error answer."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def add_to(app: FastAPI) -> None:
    """Register the handlers of errors."""
    for error in _KNOWN:
        app.add_exception_handler(error, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _known(request: Request, error: Exception) -> Response:
    status, code = next(_KNOWN[kind] for kind in _KNOWN if isinstance(error, kind))
    if status == 503:
        logger.warning("event=store_unavailable path=%s error=%r", request.url.path, str(error))
        return failure(status, code, str(error), {"Retry-After": str(_RETRY_SECONDS)})
    return failure(status, code, str(error))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    message = "There is no such address; /openapi.json lists them." if error.status_code == 404 else str(error.detail)
    if error.status_code == 405:
        message = "This address does not take that method; the Allow header names those it takes."
    return failure(error.status_code, _CODES.get(error.status_code, "bad_request"), message, error.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return failure(400, "bad_request", "The body is not JSON.")
    place = ".".join(str(part) for part in first["loc"])[:100]
    return failure(422, "invalid_request", f"{place}: {first['msg']}.")


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("event=fault path=%s error=%s", request.url.path, type(error).__name__)
    return failure(500, "internal", "Something went wrong on our side; the runner's log tells what.")
