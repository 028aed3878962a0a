"""Make a decision into what follows from it: a job with the first line of its story, and word to whoever must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model import Decision, Job, JobEvent, JobState, Verdict
from runner.service.situations import COUNTED
from runner.store import capacity, events, jobs, outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from runner.service.rules import Rules


def make_job(
    connection: Connection, decision: Decision, by: str, *, rules: Rules, now: datetime, random: Callable[[], int]
) -> Job | None:
    """Make the job that a decision asks for; None for a verdict that asks for none.

    `random` gives any integers: the last part of the job's name. A job that waits for approval is told to people.
    """
    if decision.verdict not in {Verdict.RUN, Verdict.ASK} or decision.action is None:
        return None
    action = rules.catalogue[decision.action]
    waits = decision.verdict is Verdict.ASK and decision.approvals > 0
    job = Job(
        id=_free_id(connection, action.name, now, random),
        action=action.name,
        target=decision.target or action.lock,
        variables=decision.variables,
        state=JobState.WAITING if waits else JobState.QUEUED,
        reason=decision.reason,
        requested_by=by,
        created_at=now,
        approvals_needed=decision.approvals if waits else 0,
    )
    jobs.add(connection, job, action.lock)
    tell(connection, job.id, now, f"{job.state}: {decision.reason}")
    if waits:
        body = f"{decision.reason}\nApprove it with: understudy approve {job.id}"
        outbox.add(connection, now, "approval_wanted", f"Approval wanted: {job.action}", body, job_id=job.id)
    else:
        ask_for(connection, job)
    return job


def ask_for(connection: Connection, job: Job) -> None:
    """Record how many servers are wanted from now on, when the job is about that."""
    wanted = job.variables.get(COUNTED)
    if isinstance(wanted, int):
        capacity.want(connection, wanted)


def tell(connection: Connection, job_id: str, now: datetime, text: str, kind: str = "state") -> None:
    """Add one line to a job's story."""
    events.append(connection, job_id, [JobEvent(job_id=job_id, number=0, at=now, kind=kind, text=text)])


def _free_id(connection: Connection, action: str, now: datetime, random: Callable[[], int]) -> str:
    while True:
        found = jobs.new_id(action, now, random())
        if not jobs.exists(connection, found):
            return found
