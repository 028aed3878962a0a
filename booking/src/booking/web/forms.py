"""Read forms that our own pages send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

Fields = list[tuple[str, str]]


async def read(request: Request, public_url: str) -> Fields:
    """Return a form's fields; raises HTTPException 400 for what no form of ours sends, 403 for other sites' forms."""
    if not same_origin(request, public_url):
        raise HTTPException(403, "This form was not sent from our own pages.")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise HTTPException(400, "Send a form.")
    body = await request.body()
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError as error:  # UnicodeDecodeError is one
        raise HTTPException(400, "The form's text cannot be read.") from error
    request.state.form = fields
    return fields


def same_origin(request: Request, public_url: str) -> bool:
    """Tell whether a browser says that the form comes from our own pages (Origin, else Sec-Fetch-Site)."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc in {request.headers.get("host"), urlsplit(public_url).netloc or None}


def one(fields: Fields, name: str) -> str:
    """Return a field's value, empty when it is missing."""
    return next((value for key, value in fields if key == name), "")
