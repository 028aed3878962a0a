"""The ledger: everything that came, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from runner.model import Verdict
from runner.web import problems, shapes
from runner.web.access import Reader
from runner.web.routes.asked import AtDesk, Limit

router = APIRouter(tags=["ledger"])


@router.get("/ledger", responses=problems.documented(422, 503, scope="read"))
def show_ledger(
    _: Reader,
    desk: AtDesk,
    before: Annotated[
        int | None, Query(description="Only older than this line.", ge=1, le=shapes.LARGEST_NUMBER)
    ] = None,
    limit: Limit = 50,
    verdict: Annotated[Verdict | None, Query(description="Only this verdict.")] = None,
    name: Annotated[
        str | None,
        Query(description="Only this alert, schedule or action.", max_length=200, pattern=shapes.PLAIN),
    ] = None,
) -> shapes.LedgerAnswer:
    """Return every alert, wish and firing of a schedule with its verdict, newest first."""
    found = desk.ledger(before, limit, verdict, name)
    more = found[-1].id if len(found) == limit else None
    return shapes.LedgerAnswer(lines=[shapes.LedgerLineAnswer.model_validate(each) for each in found], before=more)
