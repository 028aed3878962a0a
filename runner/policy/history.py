"""What earlier jobs say about the next one: merged into, cool-down, block period (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from runner.actions import Action
    from runner.model import Job
    from runner.policy.policies import Policy
    from runner.policy.situation import Situation


def covering(action: Action, target: str, situation: Situation) -> Job | None:
    """Return the job on its way that a signal for `action` is merged into: the oldest of that action and target.

    A step is measured from what is wanted now, so a job of the same action covers every step that was asked for while
    it is on its way. Another action of the same lock does something else, and covers nothing: what is asked for waits.
    """
    return _oldest(job for job in situation.active if (job.action, job.target) == (action.name, target))


def opposing(action: Action, situation: Situation, catalogue: Mapping[str, Action]) -> Job | None:
    """Return the oldest job on its way that does the opposite to the same lock."""
    return _oldest(
        job
        for job in situation.active
        if (other := catalogue.get(job.action)) is not None and other.lock == action.lock and other.undo == action.name
    )


def held_by_cooldown(policy: Policy, target: str, situation: Situation) -> tuple[datetime, datetime] | None:
    """Return when the action last ran on the target and when its cool-down ends, or None when that is over."""
    last = _last_run(policy, target, situation.recent)
    if last is None:
        return None
    ended = ended_at(last)
    until = ended + policy.cooldown
    return (ended, until) if until > situation.now else None


def held_by_block_period(policy: Policy, target: str, situation: Situation) -> tuple[Job, datetime, datetime] | None:
    """Return the run that blocks the target, its end, and the end of the block; None when over or acknowledged."""
    last = _last_run(policy, target, situation.recent)
    if last is None or last.acknowledged_by is not None:
        return None
    ended = ended_at(last)
    until = ended + policy.blocked_for
    return (last, ended, until) if until > situation.now else None


def ended_at(job: Job) -> datetime:
    """Return when a job ended; a job without that moment counts from its start, or from when it was made."""
    return job.ended_at or job.started_at or job.created_at


def _last_run(policy: Policy, target: str, jobs: Iterable[Job]) -> Job | None:
    # A job that never started (rejected, cancelled while it waited) did nothing that needs time to take effect.
    ran = [job for job in jobs if (job.action, job.target) == (policy.action.name, target) and job.started_at]
    return max(ran, key=lambda job: (ended_at(job), job.id), default=None)


def _oldest(jobs: Iterable[Job]) -> Job | None:
    return min(jobs, key=lambda job: (job.created_at, job.id), default=None)
