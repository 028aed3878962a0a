"""The capacity plan."""

from typing import Annotated

from fastapi import APIRouter, Query

from runner.web import problems, shapes
from runner.web.access import Reader
from runner.web.routes.asked import AtDesk

router = APIRouter(tags=["capacity"])


@router.get("/plan", responses=problems.documented(422, 503, scope="read"))
def show_plan(
    _: Reader,
    desk: AtDesk,
    hours: Annotated[int, Query(description="How many hours to look ahead.", ge=1, le=24 * 14)] = 24,
) -> shapes.PlanAnswer:
    """Return how many burst servers the calendar wants now and in the next hours, and how ready the next one is."""
    return shapes.PlanAnswer.model_validate(desk.plan(hours))
