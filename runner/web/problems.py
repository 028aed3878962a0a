"""Answer what went wrong, in one shape."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from runner.errors import InvalidRequest, NotFound, Refused, RunnerError, StoreUnavailable
from runner.web import shapes
from runner.web.intake import FAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

logger = logging.getLogger("runner.web")
RETRY_SECONDS = 1
_KNOWN: Mapping[type[RunnerError], tuple[int, str]] = {
    Refused: (409, "refused"),
    InvalidRequest: (422, "invalid_request"),
    NotFound: (404, "not_found"),
    StoreUnavailable: (503, "store_unavailable"),
}
_CODES = {400: "bad_request", 401: "unauthorised", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
_ABOUT = {
    400: "The body is not JSON.",
    401: "There is no token, or it is not known or has expired.",
    403: "The token lacks the scope that this needs.",
    404: "There is no such thing.",
    409: "It is understood and must not be done now; the message is the reason.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "Something in it is not understood; the message names it.",
    500: "Our fault; the runner's log tells what.",
    503: "The store cannot be used now: nothing was kept, and it may be repeated.",
}


def in_json(answers: Mapping[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Return documented answers for a route whose other answers are not JSON."""
    schema = {"$ref": f"#/components/schemas/{shapes.Failure.__name__}"}
    return {
        status: {
            **{name: value for name, value in answer.items() if name != "model"},
            "content": {"application/json": {"schema": schema}},
        }
        for status, answer in answers.items()
    }


def documented(*statuses: int, scope: str | None = None) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for answers in the error shape; those of tokens and faults belong to every route."""
    always = {401, 403, 500} if scope else {500}
    found: dict[int | str, dict[str, Any]] = {
        status: {"model": shapes.Failure, "description": _ABOUT[status]} for status in sorted(always | {*statuses})
    }
    if scope:
        found[403]["description"] = f"The token lacks the scope {scope}."
    if 503 in found:
        found[503]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return found


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error answer."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def fault() -> Response:
    """Return the answer to an exception that nobody expected."""
    return failure(500, "internal", FAULT)


def busy(message: str, code: str = "busy") -> Response:
    """Return the answer for what may be repeated soon."""
    return failure(503, code, message, {"Retry-After": str(RETRY_SECONDS)})


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
        return busy(str(error), "store_unavailable")
    return failure(status, code, str(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    message = "There is no such address; /openapi.json lists them." if error.status_code == 404 else str(error.detail)
    headers = error.headers
    if error.status_code == 405:
        message = "This address does not take that method; the Allow header names those it takes."
        headers = _allowed(request) or headers
    return failure(error.status_code, _CODES.get(error.status_code, "bad_request"), message, headers)


def _allowed(request: Request) -> dict[str, str] | None:
    """Name all methods of an address: each of its routes knows only its own."""
    path = getattr(request.scope.get("route"), "path", None)
    methods = request.app.openapi()["paths"].get(path)
    return {"Allow": ", ".join(sorted(method.upper() for method in methods))} if methods else None


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return failure(400, "bad_request", "The body is not JSON.")
    place = ".".join(str(part) for part in first["loc"])[:100]
    return failure(422, "invalid_request", f"{place}: {first['msg']}.")


async def _unexpected(_: Request, __: Exception) -> Response:
    return fault()  # whoever serves the application logs it: see app.Front
