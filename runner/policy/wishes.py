"""Decide about what people, schedules and the capacity plan ask for (pure)."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from runner.actions import COUNT, action_named, checked
from runner.errors import InvalidRequest
from runner.model import Decision, JobState, Verdict
from runner.policy.durations import words
from runner.policy.history import covering, ended_at, opposing
from runner.policy.policies import COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.actions import Action
    from runner.model import Variables
    from runner.policy.calendar import PlannedHour
    from runner.policy.policies import Policies
    from runner.policy.situation import Situation

BY_SCHEDULE = "schedule:"  # `by` of a schedule is this and its name; every other `by` is a person
BY_PLAN = "plan"
CALM = timedelta(minutes=10)  # how long no alert may ask for more before the plan takes servers away
AGAIN, LATEST = timedelta(minutes=1), timedelta(minutes=15)  # the plan waits after a failure; twice as long each time
HINDSIGHT = timedelta(hours=1)  # in which failures count


def decide_wish(
    action: str,
    variables: Mapping[str, object],
    by: str,
    situation: Situation,
    policies: Policies,
    *,
    insist: bool = False,
) -> Decision:
    """Decide about an action that a person or a schedule asks for.

    The brake stops a schedule, and a person who does not insist; any job of the same lock and direction stops a
    schedule. Nothing lets a removal through on a stale inventory. Raises InvalidRequest when action or variables are
    not those of the catalogue.
    """
    if action not in policies.catalogue:
        action_named(action)  # raises with the names there are
        raise InvalidRequest(f"There is no action {action!r} in this catalogue.")
    wished = policies.catalogue[action]
    given = checked(wished, variables)
    by_schedule = by.startswith(BY_SCHEDULE)
    scheduled = by.removeprefix(BY_SCHEDULE) if by_schedule else None
    approvals = _approvals(wished, scheduled, policies)
    stopped = (
        _not_ours(wished, situation)
        or (None if insist and not by_schedule else _braked(wished, situation, by_itself=by_schedule))
        or _merged(wished, given, situation, policies.catalogue, insists=not by_schedule)
        or _unsafe(wished, given, situation)
    )
    if stopped is not None:
        return stopped
    what = f"{wished.name}{f' to {given[COUNTED]} servers' if COUNTED in given else ''}"
    if approvals:
        people = "one person's approval" if approvals == 1 else f"the approval of {approvals} people"
        return _says(wished, Verdict.ASK, f"{by} asks for {what}; it waits for {people}.", given, approvals)
    return _says(wished, Verdict.RUN, f"{by} asks for {what}.", given)


def decide_plan(situation: Situation, plan: Sequence[PlannedHour], policies: Policies) -> Decision:
    """Decide whether to raise or lower the servers to `situation.planned_servers`.

    The plan raises whenever fewer are wanted. It lowers only after it came down itself, for which `plan` has to reach a
    few hours back, or the colo came back; what a person or an alert added at other times is left to them. What failed
    is tried again, later each time, or once a person acknowledges it. MERGED, HELD and RESOLVED need no record.
    """
    capacity, planned = situation.capacity, situation.planned_servers
    wanted = max(capacity.wanted, capacity.ready) if capacity else 0
    if wanted == planned or (wanted > planned and not (situation.colo_back or _came_down(situation, plan))):
        return Decision(Verdict.RESOLVED, f"The plan wants {planned} servers; {wanted} are wanted. Nothing to do.")
    action = policies.catalogue["scale_out" if wanted < planned else "scale_in"]
    given: Variables = {COUNTED: planned}
    stopped = (
        _not_ours(action, situation)
        or _braked(action, situation)
        or _merged(action, given, situation, policies.catalogue, insists=False)
        or _being_counted(action, situation)
        or _unsafe(action, given, situation)
        or _restless(action, situation, policies)
        or _failing(action, situation)
    )
    if stopped is not None:
        return stopped
    because = next((hour.reason for hour in reversed(plan) if hour.starts_at <= situation.now), "")
    if action.name == "scale_out":
        coming = [hour for hour in plan if hour.wanted >= planned and hour.ends_at > situation.now]
        because = coming[0].reason if coming else because
    elif situation.colo_back:
        because = f"the colo is back; {because}"
    before = wanted if capacity else "a number that is not known"
    return _says(action, Verdict.RUN, f"The capacity plan: from {before} to {planned} servers ({because}).", given)


def _came_down(situation: Situation, plan: Sequence[PlannedHour]) -> bool:
    return any(hour.ends_at <= situation.now and hour.wanted > situation.planned_servers for hour in plan)


def _approvals(action: Action, scheduled: str | None, policies: Policies) -> int:
    if scheduled is not None:
        return max((each.approvals for each in policies.schedules if each.name == scheduled), default=0)
    return max((each.approvals for each in policies.policies if each.action.name == action.name), default=0)


def _says(
    action: Action, verdict: Verdict, reason: str, variables: Variables | None = None, approvals: int = 0
) -> Decision:
    return Decision(
        verdict, reason, action=action.name, target=action.lock, variables=variables or {}, approvals=approvals
    )


def _not_ours(action: Action, situation: Situation) -> Decision | None:
    if action.owner == situation.site:
        return None
    owner, site = action.owner, situation.site
    reason = f"Not ours: {action.name} belongs to the runner at {owner}; this one is at {site}. Ask the one at {owner}."
    return _says(action, Verdict.NOT_OURS, reason)


def _braked(action: Action, situation: Situation, *, by_itself: bool = True) -> Decision | None:
    if situation.brake_reason is None:
        return None
    way_out = "nothing starts by itself until a person lets it off" if by_itself else "let it off first, or insist"
    return _says(action, Verdict.HELD, f"Held: the brake is on ({situation.brake_reason}); {way_out}.")


def _merged(
    action: Action, given: Variables, situation: Situation, catalogue: Mapping[str, Action], *, insists: bool
) -> Decision | None:
    sharing = [job for job in situation.active if job.action == action.name and dict(job.variables) == dict(given)]
    job = min(sharing, key=lambda each: (each.created_at, each.id), default=None)
    if job is None and not insists:
        job = covering(action, action.lock, situation)
    if job is not None:
        return _says(action, Verdict.MERGED, f"Merged into job {job.id}: {job.action} is {job.state} already.")
    job = opposing(action, situation, catalogue) if action.removes and not insists else None
    if job is None:
        return None
    return _says(action, Verdict.HELD, f"Held: job {job.id} ({job.action}) is {job.state}; nothing is removed now.")


def _being_counted(action: Action, situation: Situation) -> Decision | None:
    counting = (each for each in situation.active if each.action == COUNT and each.state is not JobState.WAITING)
    job = next(counting, None)  # one that waits for a person would stop the plan for hours
    if job is None:
        return None
    return _says(action, Verdict.HELD, f"Held: job {job.id} counts the servers that there are.")


def _unsafe(action: Action, given: Variables, situation: Situation) -> Decision | None:
    if not action.removes:
        return None
    capacity, wanted, planned = situation.capacity, given.get(COUNTED), situation.planned_servers
    if capacity is None:
        reason = f"Refused: {action.name} needs to know the servers there are, and none were ever listed."
        return _says(action, Verdict.REFUSED, reason)
    if capacity.stale:
        return _says(
            action,
            Verdict.REFUSED,
            f"Refused: the inventory is stale, {round(capacity.age_seconds)} s old; {action.name} removes nothing "
            "until the cloud answers again.",
        )
    # With the brake on the plan does not raise the number again: a person may go below it.
    if isinstance(wanted, int) and wanted < planned and situation.brake_reason is None:
        return _says(
            action,
            Verdict.REFUSED,
            f"Refused: {wanted} servers are fewer than the {planned} of the capacity plan; change the calendar or put "
            "the brake on first.",
        )
    return None


def _restless(action: Action, situation: Situation, policies: Policies) -> Decision | None:
    if not action.removes:
        return None
    adding = {each.name for each in policies.policies if each.adds and each.action.lock == action.lock}
    fired = {name: moment for name, moment in situation.last_fired.items() if name in adding}
    name, last = max(fired.items(), key=lambda each: each[1], default=(None, None))
    if last is None or last + CALM <= situation.now:
        return None
    held = _says(
        action,
        Verdict.HELD,
        f"Held: an alert of policy {name} fired {words(situation.now - last)} ago; the plan removes servers after "
        f"{words(CALM)} of quiet.",
    )
    return dataclasses.replace(held, until=last + CALM)


def _failing(action: Action, situation: Situation) -> Decision | None:
    """Hold what the plan tried in vain: a cloud that has no image or no quota has none ten seconds later either."""
    tried = [job for job in situation.recent if (job.requested_by, job.action) == (BY_PLAN, action.name)]
    tried.sort(key=lambda job: (ended_at(job), job.id), reverse=True)
    failed = list(itertools.takewhile(lambda job: job.state is JobState.FAILED and not job.acknowledged_by, tried))
    if not failed:
        return None
    last, count = failed[0], len(failed)
    until = ended_at(last) + min(AGAIN * 2 ** min(count - 1, 10), LATEST)
    if until <= situation.now:
        return None
    since = words(situation.now - ended_at(last))
    held = _says(
        action,
        Verdict.HELD,
        f"Held: job {last.id} failed {since} ago, {count} in a row; the plan tries again in "
        f"{words(until - situation.now)}, or at once when that job is acknowledged.",
    )
    return dataclasses.replace(held, until=until)
