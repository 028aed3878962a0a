"""How many burst servers there are."""

from fastapi import APIRouter

from runner.web import problems, shapes
from runner.web.access import Reader
from runner.web.routes.asked import AtDesk

router = APIRouter(tags=["capacity"])


@router.get("/capacity", responses=problems.documented(503, scope="read"))
def show_capacity(_: Reader, desk: AtDesk) -> shapes.CapacityAnswer:
    """Return how many burst servers are wanted and ready, and how old that knowledge is."""
    found = desk.capacity()
    if found is None:
        return shapes.CapacityAnswer(known=False)
    return shapes.CapacityAnswer(
        known=True, wanted=found.wanted, ready=found.ready, age_seconds=found.age_seconds, stale=found.stale
    )
