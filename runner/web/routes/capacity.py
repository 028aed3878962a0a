"""How many burst servers there are."""

import dataclasses

from fastapi import APIRouter

from runner.web import problems, shapes
from runner.web.access import Reader
from runner.web.routes.asked import AtDesk

router = APIRouter(tags=["capacity"])


@router.get("/capacity", responses=problems.documented(503, scope="read"))
def show_capacity(_: Reader, desk: AtDesk) -> shapes.CapacityAnswer:
    """Return how many burst servers are wanted, ready and allowed by the quota, and how old that knowledge is."""
    found = desk.capacity()
    if found is None:
        return shapes.CapacityAnswer(known=False)
    return shapes.CapacityAnswer(known=True, **dataclasses.asdict(found))
