"""Whether the process lives, and whether the runner can do its work: open to everyone."""

from fastapi import APIRouter, Response

from runner.errors import StoreUnavailable
from runner.web import problems, shapes
from runner.web.routes.asked import AtDesk

router = APIRouter(tags=["health"])
NOT_READY = {
    **problems.documented(),
    503: {"model": shapes.Ready, "description": "It cannot; the problems say why."},
}


@router.get("/healthz", responses=problems.documented())
async def show_life() -> shapes.Alive:
    """Answer, which shows that the process lives. Needs no token."""
    return shapes.Alive()


@router.get("/readyz", responses=NOT_READY)
def show_readiness(desk: AtDesk, response: Response) -> shapes.Ready:
    """Tell whether the runner takes alerts and has a worker that acts on them. Needs no token."""
    try:
        found = desk.health()
    except StoreUnavailable as error:
        response.status_code = 503
        return shapes.Ready(ready=False, problems=[str(error)])
    response.status_code = 200 if found.ready else 503
    return shapes.Ready(ready=found.ready, problems=list(found.problems))
