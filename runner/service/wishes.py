"""What people, schedules and the plan ask for, and what people do to jobs and to the brake.

Each function takes `now` and the name of whoever asks (`by`, the token's name). Refusals raise Refused with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.actions import COUNT
from runner.errors import NotFound, Refused
from runner.model import ENDED, Decision, Job, JobState, Verdict
from runner.policy.decide import decide_plan, decide_wish
from runner.policy.wishes import BY_PLAN, BY_SCHEDULE
from runner.service.making import ask_for, make_job, tell
from runner.service.situations import planned, situation
from runner.store import brake, jobs, ledger, outbox
from runner.store.engine import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from runner.service.rules import Rules
    from runner.store.brake import Brake
    from runner.store.engine import Store

DECIDING = "judge"  # one decision at a time, whoever decides


def submit(
    store: Store,
    action: str,
    variables: Mapping[str, object],
    by: str,
    *,
    rules: Rules,
    now: datetime,
    random: Callable[[], int],
    insist: bool = False,
) -> tuple[Decision, Job | None]:
    """Decide about a person's wish and keep the decision; see `wish`."""
    with store.write() as connection:
        return wish(connection, action, variables, by, rules=rules, now=now, random=random, insist=insist)


def wish(
    connection: Connection,
    action: str,
    variables: Mapping[str, object],
    by: str,
    *,
    rules: Rules,
    now: datetime,
    random: Callable[[], int],
    insist: bool = False,
) -> tuple[Decision, Job | None]:
    """Decide about a wish inside the caller's transaction and keep the decision.

    `by`: a person's name, or `schedule:NAME`. `insist`: a person means it also while the brake is on. Returns the job
    that was made or merged into, None when refused or held. Raises InvalidRequest for an action or variables that are
    not in the catalogue.
    """
    lock(connection, DECIDING)
    seen = situation(connection, rules, now, planned(connection, rules, now).servers)
    decision = decide_wish(action, variables, by, seen, rules.policies, insist=insist)
    job = make_job(connection, decision, by, rules=rules, now=now, random=random)
    if job is None and decision.verdict is Verdict.MERGED:
        job = _same(seen.active, decision, action, variables)
    source, name = ("schedule", by.removeprefix(BY_SCHEDULE)) if by.startswith(BY_SCHEDULE) else (f"wish of {by}", "")
    _keep(connection, decision, job, source=source, name=name or action, now=now)
    return decision, job


def follow_plan(store: Store, rules: Rules, now: datetime, random: Callable[[], int]) -> Job | None:
    """Raise or lower the servers to the capacity plan. Returns the job that was made.

    Only what led to a job or was refused is kept: the plan is looked at every few seconds.
    """
    if rules.calendar is None and rules.absence is None:
        return None
    with store.write() as connection:
        lock(connection, DECIDING)
        wanted = planned(connection, rules, now)
        decision = decide_plan(situation(connection, rules, now, wanted.servers), wanted.hours, rules.policies)
        job = make_job(connection, decision, BY_PLAN, rules=rules, now=now, random=random)
        if job is not None:
            _keep(connection, decision, job, source=BY_PLAN, name=decision.action or "", now=now)
        return job


def approve(store: Store, job_id: str, by: str, now: datetime) -> Job:
    """Approve a job that waits; with the last approval it is queued. The same person counts once.

    Where two approvals are needed, whoever asked for the job is none of the two. Raises Refused, NotFound.
    """
    with store.write() as connection:
        lock(connection, DECIDING)
        job = jobs.get(connection, job_id)
        if job.state is not JobState.WAITING:
            raise Refused(f"Job {job_id} is {job.state}; only a job that waits can be approved.")
        if by in job.approved_by:
            return job
        if job.approvals_needed >= 2 and by == job.requested_by:
            raise Refused(f"{by} asked for job {job_id}; its two approvals must come from other people.")
        given = (*job.approved_by, by)
        if len(given) < job.approvals_needed:
            tell(connection, job_id, now, f"waiting: {by} approved; {job.approvals_needed - len(given)} more needed.")
            return _kept(jobs.change(connection, job_id, {JobState.WAITING}, approved_by=given), job_id)
        moved = jobs.move(connection, job_id, {JobState.WAITING}, JobState.QUEUED, approved_by=given)
        ask_for(connection, job)
        tell(connection, job_id, now, f"queued: approved by {', '.join(given)}.")
        return _kept(moved, job_id)


def reject(store: Store, job_id: str, by: str, reason: str, now: datetime) -> Job:
    """Refuse the approval that a job waits for; it ends. Raises Refused, NotFound."""
    why = f"{by} rejected it{f': {reason}' if reason else ''}."
    with store.write() as connection:
        moved = jobs.move(connection, job_id, {JobState.WAITING}, JobState.REJECTED, ended_at=now, outcome=why)
        if moved is None:
            raise _refusal(jobs.get(connection, job_id), "only a job that waits for approval can be rejected")
        tell(connection, job_id, now, f"rejected: {why}")
        outbox.add(connection, now, "job_rejected", f"Rejected: {moved.action}", why, job_id=job_id)
        return moved


def cancel(store: Store, job_id: str, by: str, now: datetime) -> Job:
    """Cancel a job. One that did not start ends at once; one that runs is `cancelling` until nothing of it is left.

    Wake the worker afterwards. Raises Refused for a job that has ended, NotFound.
    """
    with store.write() as connection:
        why = f"{by} cancelled it before it started."
        waiting = {JobState.WAITING, JobState.QUEUED}
        moved = jobs.move(connection, job_id, waiting, JobState.CANCELLED, ended_at=now, outcome=why)
        if moved is not None:
            tell(connection, job_id, now, f"cancelled: {why}")
            return moved
        moved = jobs.move(connection, job_id, {JobState.RUNNING}, JobState.CANCELLING)
        if moved is not None:
            tell(connection, job_id, now, f"cancelling: {by} asked to stop it; its processes are being ended.")
            return moved
        job = jobs.get(connection, job_id)
        if job.state is JobState.CANCELLING:
            return job
        raise _refusal(job, "it has ended already")


def acknowledge(store: Store, job_id: str, by: str, now: datetime) -> Job:
    """Record that a person has seen how a job ended; its block period ends. Raises Refused, NotFound."""
    with store.write() as connection:
        job = jobs.get(connection, job_id)
        if job.acknowledged_by is not None:
            return job
        changed = jobs.change(connection, job_id, ENDED, acknowledged_by=by)
        if changed is None:
            raise _refusal(job, "acknowledge it when it has ended, or cancel it")
        tell(connection, job_id, now, f"{by} acknowledged it.", kind="note")
        return changed


def set_brake(
    store: Store, on: bool, reason: str, by: str, *, rules: Rules, now: datetime, random: Callable[[], int]
) -> Brake:
    """Pull or release the brake, and tell people. Raises Refused for a brake that is pulled without a reason.

    With the release the servers are counted, where that is this site's: hands may have changed them in the meantime.
    """
    if on and not reason.strip():
        raise Refused("The brake needs a reason: whoever finds it on must know why.")
    position = brake.Brake(on=on, reason=reason.strip(), by=by, at=now)
    with store.write() as connection:
        lock(connection, DECIDING)
        before = brake.get(connection)
        brake.put(connection, position)
        what = f"{by} put the brake on" if on else f"{by} let the brake off"
        outbox.add(connection, now, "brake", f"{what}.", reason.strip() or what)
        counting = rules.catalogue.get(COUNT)
        if before is not None and before.on and not on and counting is not None and counting.owner == rules.site:
            wish(connection, COUNT, {}, by, rules=rules, now=now, random=random)
    return position


def _same(active: tuple[Job, ...], decision: Decision, action: str, variables: Mapping[str, object]) -> Job | None:
    sharing = [job for job in active if job.action == action]
    exact = [job for job in sharing if dict(job.variables) == dict(variables)]
    named = [job for job in active if job.id in decision.reason]
    return next(iter([*named, *exact, *sharing]), None)


def _keep(
    connection: Connection, decision: Decision, job: Job | None, *, source: str, name: str, now: datetime
) -> None:
    entry = ledger.Entry(
        at=now,
        source=source,
        name=name,
        verdict=decision.verdict,
        reason=decision.reason,
        policy=decision.policy,
        action=decision.action,
        target=decision.target,
        until=decision.until,
        job_id=job.id if job else None,
    )
    ledger.add(connection, entry)


def _kept(job: Job | None, job_id: str) -> Job:
    if job is None:
        raise NotFound(f"Job {job_id} changed at this moment; look at it again.")
    return job


def _refusal(job: Job, why: str) -> Refused:
    return Refused(f"Job {job.id} is {job.state}; {why}.")
