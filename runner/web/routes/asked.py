"""What routes are given: the desk, the stories, and numbers and names within bounds."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from runner.web import shapes
from runner.web.desk import Desk
from runner.web.stories import Stories

JobId = Annotated[
    str, Path(description="The job's name.", max_length=100, pattern=r"^[A-Za-z0-9_.-]+$", examples=[shapes.JOB])
]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=500)]


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _stories(request: Request) -> Stories:
    stories: Stories = request.app.state.stories
    return stories


AtDesk = Annotated[Desk, Depends(_desk)]
Told = Annotated[Stories, Depends(_stories)]
