"""What a worker does to jobs: claim, begin an attempt, end. Each checks first that the job is still this worker's."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.errors import Refused
from runner.model import Capacity, Ending, Job, JobState
from runner.service.making import tell
from runner.service.situations import COUNTED
from runner.store import capacity, jobs, nodes, outbox
from runner.store.jobs import HOLDING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from runner.actions import Action
    from runner.model import Variables
    from runner.store.engine import Store

MOST_ATTEMPTS = 20  # a job whose every attempt ends with the worker's own end must not go on for ever
INTERRUPTED = "It was interrupted in the middle"


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """A node as it lives now. What it holds is its own only as long as its epoch is the store's."""

    node: str
    epoch: int


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What an attempt came to, in values that the job engine can keep. `results`: of set_stats."""

    ending: str  # of model.Ending
    summary: str
    attempt: int
    results: Variables = dataclasses.field(default_factory=dict)


def claim(store: Store, job_id: str, holder: Holder, now: datetime) -> Job | None:
    """Take a queued job and its lock; None when another job holds the lock, or the job is not queued any more.

    Raises Refused when the node has lost its place.
    """
    with store.write() as connection:
        check(connection, holder)
        queued = {JobState.QUEUED}
        job = jobs.move(connection, job_id, queued, JobState.RUNNING, started_at=now, node=holder.node)
        if job is not None:
            tell(connection, job_id, now, f"running: {holder.node} has the lock.")
            outbox.add(connection, now, "job_started", f"Started: {job.action}", job.reason, job_id=job_id)
        return job


def begin(
    store: Store, job_id: str, before: int, *, action: Action | None, holder: Holder, now: datetime
) -> Job | Told:
    """Begin an attempt, or tell why none begins. `before`: how many attempts are known to have ended.

    An attempt that began and whose end nobody knows was interrupted: only an action that may repeat begins again.
    Nothing of it may be left when this is called. Raises Refused when the node has lost its place, NotFound.
    """
    with store.write() as connection:
        check(connection, holder)
        job = jobs.get(connection, job_id)
        why = _why_not(job, before, action)
        if why is not None:
            ending, summary = why
            jobs.change(connection, job_id, HOLDING, node=holder.node)
            return Told(ending, summary, job.attempt)
        begun = jobs.change(connection, job_id, HOLDING, attempt=job.attempt + 1, node=holder.node)
        if begun is None:
            raise Refused(f"Job {job_id} is {job.state}; it cannot begin.")
        told = f"attempt {begun.attempt} on {holder.node}"
        # The attempt before may have ended in a way that allows another, or nobody knows how it ended.
        once_more = ", after an interruption" if job.attempt != before else ", again" if before else ""
        tell(connection, job_id, now, f"running: {told}{once_more}.")
        return begun


def finish(store: Store, job_id: str, told: Told, holder: Holder, now: datetime) -> Job | None:
    """End a job by what its last attempt came to. None when it has ended before.

    Raises Refused when the node has lost its place or the job is another node's: then nothing is recorded.
    """
    with store.write() as connection:
        check(connection, holder)
        job = jobs.get(connection, job_id)
        if job.state not in HOLDING:
            return None
        if job.node != holder.node:
            raise Refused(f"Job {job_id} is {job.node}'s now; {holder.node} records nothing about it.")
        to = _state_after(job, told)
        ended = jobs.move(connection, job_id, {job.state}, to, ended_at=now, outcome=told.summary)
        if ended is None:
            raise Refused(f"Job {job_id} cannot go from {job.state} to {to}.")
        tell(connection, job_id, now, f"{to}: {told.summary}")
        _observe(connection, ended, told, now)
        kind = {JobState.SUCCEEDED: "job_succeeded", JobState.FAILED: "job_failed"}.get(to)
        if kind is not None:
            body = f"{told.summary}\nIt began because: {job.reason}\nRead it with: understudy show {job_id}"
            outbox.add(connection, now, kind, f"{to.capitalize()}: {job.action}", body, job_id=job_id)
        return ended


def inherit(connection: Connection, former: str, heir: str, now: datetime) -> tuple[Job, ...]:
    """Give the jobs that a fenced node was running to another; return them."""
    inherited = tuple(job for job in jobs.active(connection) if job.state in HOLDING and job.node == former)
    for job in inherited:
        jobs.change(connection, job.id, HOLDING, node=heir)
        tell(connection, job.id, now, f"{heir} takes it over from {former}, which does not answer.", kind="note")
    return inherited


def expire(store: Store, now: datetime, after: timedelta) -> int:
    """End the jobs that nobody approved in time; return how many."""
    with store.read() as connection:
        old = [
            job for job in jobs.active(connection) if job.state is JobState.WAITING and job.created_at + after <= now
        ]
    for job in old:
        why = f"Nobody approved it within {after.total_seconds() / 3600:g} hours; ask for it again when it is wanted."
        with store.write() as connection:
            waiting = {JobState.WAITING}
            if jobs.move(connection, job.id, waiting, JobState.REJECTED, ended_at=now, outcome=why) is not None:
                tell(connection, job.id, now, f"rejected: {why}")
                outbox.add(connection, now, "job_rejected", f"Not approved: {job.action}", why, job_id=job.id)
    return len(old)


def check(connection: Connection, holder: Holder) -> None:
    """Raise Refused when another node took this one's place, or the same node began a new life."""
    found = nodes.get(connection, holder.node)
    if found is None or found.until is None or found.epoch != holder.epoch:
        raise Refused(f"{holder.node} has lost its place (epoch {holder.epoch}); it must begin anew.")


def _why_not(job: Job, before: int, action: Action | None) -> tuple[str, str] | None:
    if job.state is JobState.CANCELLING:
        return Ending.CANCELLED, "It was stopped; no process of it is left."
    if action is None:
        return Ending.FAILED, f"There is no action {job.action!r} in this release's catalogue."
    if job.attempt == before:
        return None
    if not action.repeatable:
        return Ending.FAILED, f"{INTERRUPTED} and {job.action} may not repeat: see what it left, then ask again."
    if job.attempt >= MOST_ATTEMPTS:
        return Ending.FAILED, f"{INTERRUPTED} {job.attempt} times; see the log for what ends the worker."
    return None


def _state_after(job: Job, told: Told) -> JobState:
    if told.ending == Ending.SUCCEEDED:
        return JobState.SUCCEEDED
    if told.ending == Ending.CANCELLED and job.state is JobState.CANCELLING:
        return JobState.CANCELLED
    return JobState.FAILED


def _observe(connection: Connection, job: Job, told: Told, now: datetime) -> None:
    """Keep what a job about servers has seen: `ready_servers` and its neighbours in the playbook's set_stats."""
    asked, succeeded = job.variables.get(COUNTED), job.state is JobState.SUCCEEDED
    known, settled = capacity.get(connection, now), capacity.settled(connection)
    ready, stale = told.results.get("ready_servers"), bool(told.results.get("inventory_stale", False))
    allowed = told.results.get("allowed_servers")  # unlimited and unknown are the same here: nothing is told
    allowed = allowed if isinstance(allowed, int) else None
    if isinstance(asked, int):
        # What failed is not wanted any more: the next alert asks for the same again, not for more on top. What was
        # wanted before it still is, or a server that is lost and could not be replaced at once would be forgotten.
        kept = min(settled, asked)
        if isinstance(ready, int):
            wanted = asked if succeeded else max(ready, kept)
            capacity.put(connection, Capacity(wanted, ready, 0.0, stale=stale, allowed=allowed), now)
        elif succeeded and not stale:
            capacity.put(connection, Capacity(asked, asked, 0.0, stale=False, allowed=allowed), now)
        elif known is not None:
            capacity.want(connection, max(known.ready, kept))
    elif isinstance(ready, int):
        settled = _still_wanted(settled, known.ready if known else 0, ready, told.results.get("lost_servers"))
        wanted = _on_its_way(connection, settled)
        capacity.put(connection, Capacity(wanted, ready, 0.0, stale=stale, allowed=allowed), now, settled)


def _still_wanted(settled: int, before: int, ready: int, lost: object) -> int:
    """Return how many of the `settled` servers are wanted after a count that found `ready`, where `before` were ready.

    A server that the cloud lists and calls dead is lost (`lost` of them), and the edges' alert has it replaced. So it
    is with one that was missing already: a job could not replace it. Any other that the cloud lists no more was
    removed by somebody, and is not wanted.
    """
    missing = max(lost if isinstance(lost, int) else 0, settled - before)
    return max(ready, min(settled, ready + missing))


def _on_its_way(connection: Connection, otherwise: int) -> int:
    """Return the number of servers that the newest job on its way is asked for."""
    found = [job for job in jobs.active(connection) if job.state is not JobState.WAITING and COUNTED in job.variables]
    newest = max(found, key=lambda job: (job.created_at, job.id), default=None)
    return int(newest.variables[COUNTED]) if newest else otherwise


def as_told(values: Mapping[str, object]) -> Told:
    """Read what the job engine kept of an attempt."""
    return Told(**values)  # type: ignore[arg-type]
