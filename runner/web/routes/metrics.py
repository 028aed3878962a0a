"""The metrics, for Prometheus."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from runner.web import problems
from runner.web.access import Reader

router = APIRouter(tags=["metrics"])
ANSWERS: dict[int | str, dict[str, Any]] = {
    **problems.in_json(problems.documented(scope="read")),
    200: {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
}


@router.get("/metrics", responses=ANSWERS, response_class=PlainTextResponse)
def show_metrics(_: Reader, request: Request) -> Response:
    """Return the metrics in Prometheus's text format, made from the store at this moment."""
    content: bytes = request.app.state.metrics()
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")
