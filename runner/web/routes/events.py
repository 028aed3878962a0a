"""A job's story: as a list, or as a live stream of server-sent events."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from runner.web import problems, shapes
from runner.web.access import Reader
from runner.web.routes.asked import AtDesk, JobId, Limit, Told

router = APIRouter(tags=["jobs"])
STREAM = "text/event-stream"
LAST = 2**31 - 1
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EXAMPLE = (
    'id: 7\ndata: {"job_id": "...", "number": 7, ...}\n\nevent: end\ndata: {"id": "...", "state": "succeeded", ...}\n\n'
)
TEXT = {"type": "string"}
EVENT = {"type": "object", "properties": {"id": TEXT, "event": TEXT, "data": TEXT}}  # each of a stream
ANSWERS: dict[int | str, dict[str, Any]] = {
    **problems.documented(404, 422, 503, scope="read"),
    200: {
        "description": "A list of events, or their stream.",
        "content": {STREAM: {"schema": EVENT, "example": EXAMPLE}},
    },
}


@router.get("/jobs/{job_id}/events", responses=ANSWERS, response_model=list[shapes.EventAnswer])
async def show_events(
    *,
    job_id: JobId,
    _: Reader,
    desk: AtDesk,
    stories: Told,
    follow: Annotated[bool, Query(description="Stream, as `Accept: text/event-stream` does.")] = False,
    after: Annotated[int, Query(description="Only events with greater numbers.", ge=0, le=LAST)] = 0,
    limit: Limit = 500,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    last_event_id: Annotated[
        int | None, Header(description="Where a stream goes on; stands above `after`.", ge=0, le=LAST)
    ] = None,
) -> object:
    """Return the events of a job in order.

    As a stream: each event's id is its number and its data is the event; a comment comes after 15 silent seconds; when
    the job has ended and all is told, an event `end` carries the job, and the stream ends. A stream that ends without
    it was interrupted: go on with `Last-Event-ID`.
    """
    if follow or STREAM in (accept or "").lower():
        await run_in_threadpool(desk.job, job_id)  # raises NotFound while there can be an answer
        if stories.full():
            return problems.busy("Too many streams are open; try again soon, or ask without following.")
        return StreamingResponse(stories.follow(job_id, last_event_id or after), media_type=STREAM, headers=HEADERS)
    found = await run_in_threadpool(desk.events, job_id, after, limit)
    return [shapes.EventAnswer.model_validate(each) for each in found]
