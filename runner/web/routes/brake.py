"""The brake."""

from fastapi import APIRouter

from runner.web import problems, shapes
from runner.web.access import Operator, Reader
from runner.web.routes.asked import AtDesk

router = APIRouter(tags=["brake"])


@router.get("/brake", responses=problems.documented(503, scope="read"))
def show_brake(_: Reader, desk: AtDesk) -> shapes.BrakeAnswer:
    """Return whether the brake is on, and who put it there why."""
    return shapes.BrakeAnswer.model_validate(desk.brake())


@router.put("/brake", responses=problems.documented(400, 409, 413, 422, 503, scope="operate"))
def set_brake(position: shapes.BrakeRequest, by: Operator, desk: AtDesk) -> shapes.BrakeAnswer:
    """Put the brake on, which stops all automatic action but ends nothing that runs; or let it off."""
    return shapes.BrakeAnswer.model_validate(desk.set_brake(on=position.on, by=by, reason=position.reason))
