"""Jobs: list, show, ask for one, and what people do to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from runner.model import JobState, Verdict
from runner.web import problems, shapes
from runner.web.access import Approver, Operator, Reader
from runner.web.routes.asked import AtDesk, JobId, Limit

router = APIRouter(tags=["jobs"])
SHOWN = problems.documented(404, 422, 503, scope="read")
DONE = problems.documented(404, 409, 422, 503, scope="operate")
SUBMITTED = {
    **problems.documented(400, 409, 413, 422, 503, scope="operate"),
    200: {"model": shapes.SubmitAnswer, "description": "A job that is on its way covers the wish."},
    201: {"description": "A job was made."},
    202: {"model": shapes.SubmitAnswer, "description": "A job was made; it waits for approval."},
}
STATUS = {Verdict.RUN: 201, Verdict.ASK: 202}


@router.get("/jobs", responses=SHOWN)
def list_jobs(
    _: Reader,
    desk: AtDesk,
    state: Annotated[list[JobState] | None, Query(description="Only these states; may stand several times.")] = None,
    before: Annotated[
        str | None, Query(description="Only older than this job.", max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")
    ] = None,
    limit: Limit = 50,
) -> shapes.JobsAnswer:
    """Return jobs, newest first."""
    found = desk.jobs(state or (), before, limit)
    more = found[-1].id if len(found) == limit else None
    return shapes.JobsAnswer(jobs=[shapes.JobAnswer.model_validate(each) for each in found], before=more)


@router.post("/jobs", responses=SUBMITTED, status_code=201, response_model=shapes.SubmitAnswer)
def submit_job(wish: shapes.JobRequest, by: Operator, desk: AtDesk, response: Response) -> object:
    """Ask for an action. The decision is kept in the ledger, a refusal too.

    A wish that leads to no job is answered 409 with the verdict as the error's code: `refused`, `held` or `not_ours`.
    """
    decision, job = desk.submit(wish.action, wish.variables, by, insist=wish.insist)
    if job is None:
        return problems.failure(409, str(decision.verdict), decision.reason)
    response.status_code = STATUS.get(decision.verdict, 200)
    response.headers["Location"] = f"/jobs/{job.id}"
    return shapes.SubmitAnswer(
        decision=shapes.DecisionAnswer.model_validate(decision), job=shapes.JobAnswer.model_validate(job)
    )


@router.get("/jobs/{job_id}", responses=SHOWN)
def show_job(job_id: JobId, _: Reader, desk: AtDesk) -> shapes.JobAnswer:
    """Return one job."""
    return shapes.JobAnswer.model_validate(desk.job(job_id))


@router.post("/jobs/{job_id}/cancel", responses=DONE)
def cancel_job(job_id: JobId, by: Operator, desk: AtDesk) -> shapes.JobAnswer:
    """Stop a job. One that runs is `cancelling` until no process of it is left; only then it is `cancelled`."""
    return shapes.JobAnswer.model_validate(desk.cancel(job_id, by))


@router.post("/jobs/{job_id}/acknowledge", responses=DONE)
def acknowledge_job(job_id: JobId, by: Operator, desk: AtDesk) -> shapes.JobAnswer:
    """Tell that a person has seen how a job ended; this releases its block period."""
    return shapes.JobAnswer.model_validate(desk.acknowledge(job_id, by))


@router.post("/jobs/{job_id}/approve", responses=problems.documented(404, 409, 422, 503, scope="approve"))
def approve_job(job_id: JobId, by: Approver, desk: AtDesk) -> shapes.JobAnswer:
    """Approve a job that waits. With the last approval that it needs it is queued."""
    return shapes.JobAnswer.model_validate(desk.approve(job_id, by))


@router.post("/jobs/{job_id}/reject", responses=problems.documented(400, 404, 409, 413, 422, 503, scope="approve"))
def reject_job(job_id: JobId, refusal: shapes.RejectRequest, by: Approver, desk: AtDesk) -> shapes.JobAnswer:
    """Refuse the approval that a job waits for; it ends."""
    return shapes.JobAnswer.model_validate(desk.reject(job_id, by, refusal.reason))
