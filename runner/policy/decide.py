"""Decide about one alert: run, ask, merge, hold or refuse, each with its reason (pure).

The checks come in the order of `_CHECKS`; the first that says something decides. docs/reference/policies.md lists them.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runner.errors import InvalidRequest
from runner.model import Alert, AlertStatus, Decision, Verdict
from runner.policy.durations import words
from runner.policy.history import covering, held_by_block_period, held_by_cooldown, opposing
from runner.policy.policies import COUNTED, Policies, Policy, spoken_of, target_of
from runner.policy.servers import Bounds, base_of, stepped, wanted_of
from runner.policy.wishes import decide_plan, decide_wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.model import Variables
    from runner.policy.situation import Situation

__all__ = ["decide", "decide_plan", "decide_wish"]


@dataclasses.dataclass(frozen=True, slots=True)
class _Case:
    """One alert that a policy speaks of, with everything that counts for it."""

    alert: Alert
    policy: Policy
    target: str
    situation: Situation
    policies: Policies

    def says(
        self, verdict: Verdict, reason: str, variables: Variables | None = None, until: datetime | None = None
    ) -> Decision:
        policy, asks = self.policy, verdict is Verdict.ASK
        return Decision(
            verdict,
            reason,
            policy=policy.name,
            action=policy.action.name,
            target=self.target,
            variables=variables or {},
            approvals=policy.approvals if asks else 0,
            until=until,
        )


def decide(alert: Alert, situation: Situation, policies: Policies) -> Decision:
    """Decide about one alert. Never raises for an alert of any content; the same input has the same decision.

    Among the policies whose matchers fit, the first that waits for the alert's status counts.
    """
    matching = spoken_of(alert, policies)
    policy = next((each for each in matching if each.on is alert.status), None)
    if policy is None:
        return _nothing_to_do(alert, matching, policies)
    try:
        target = target_of(policy, alert.labels)
    except InvalidRequest as error:
        reason = f"Refused: {error}. Give the rule that label, or the policy another target."
        return Decision(Verdict.REFUSED, reason, policy=policy.name, action=policy.action.name)
    case = _Case(alert, policy, target, situation, policies)
    for check in _CHECKS:
        if (decision := check(case)) is not None:
            return decision
    return _allowed(case)


def _nothing_to_do(alert: Alert, matching: tuple[Policy, ...], policies: Policies) -> Decision:
    heartbeat = policies.heartbeat
    if heartbeat and alert.name == heartbeat.alertname:
        silence = words(heartbeat.silent_after)
        return Decision(Verdict.NO_MATCH, f"{alert.name} is the heartbeat; its silence for {silence} is the alarm.")
    if not matching:
        return Decision(Verdict.NO_MATCH, f"No policy speaks of the alert {alert.name or '(without a name)'}.")
    policy = matching[0]
    if alert.status is AlertStatus.RESOLVED:
        reason = f"{alert.name} is over; policy {policy.name} has nothing to do at its end."
        return Decision(Verdict.RESOLVED, reason, policy=policy.name, action=policy.action.name)
    reason = f"{alert.name} fires; policy {policy.name} acts when it is over, not before."
    return Decision(Verdict.NO_MATCH, reason, policy=policy.name, action=policy.action.name)


def _not_ours(case: _Case) -> Decision | None:
    site, owner = case.situation.site, case.policy.site
    if site == owner:
        return None
    return case.says(
        Verdict.NOT_OURS,
        f"Not ours: {case.policy.action.name} belongs to the runner at {owner}; this one is at {site}.",
    )


def _over(case: _Case) -> Decision | None:
    alert = case.alert
    ended = alert.ends_at
    over = ended is not None and alert.starts_at < ended <= case.situation.now
    if alert.status is AlertStatus.RESOLVED or ended is None or not over:
        return None
    return case.says(Verdict.RESOLVED, f"{alert.name} was over at {_clock(case, ended)}, before anything was started.")


def _braked(case: _Case) -> Decision | None:
    brake = case.situation.brake_reason
    if brake is None:
        return None
    return case.says(
        Verdict.HELD, f"Held: the brake is on ({brake}); nothing starts by itself until a person lets it off."
    )


def _merged(case: _Case) -> Decision | None:
    policy, policies = case.policy, case.policies
    job = covering(policy.action, case.target, case.situation)
    if job is not None:
        wanted = f" for {job.variables[COUNTED]} servers" if COUNTED in job.variables else ""
        return case.says(
            Verdict.MERGED, f"Merged into job {job.id}: {job.action}{wanted} on {job.target} is {job.state}."
        )
    job = opposing(policy.action, case.situation, policies.catalogue)
    if job is None or not policy.action.removes:
        return None  # what adds does not wait for a judgment after a removal: it queues behind it
    return case.says(
        Verdict.HELD, f"Held: job {job.id} ({job.action}) is {job.state}; nothing is removed while servers are added."
    )


def _cooling(case: _Case) -> Decision | None:
    policy, now = case.policy, case.situation.now
    held = held_by_cooldown(policy, case.target, case.situation)
    if held is None:
        return None
    ended, until = held
    return case.says(
        Verdict.HELD,
        f"Held: {policy.action.name} ran {words(now - ended)} ago; the cool-down is {words(policy.cooldown)}, "
        f"until {_clock(case, until)}.",
        until=until,
    )


def _blocked(case: _Case) -> Decision | None:
    policy, now = case.policy, case.situation.now
    held = held_by_block_period(policy, case.target, case.situation)
    if held is None:
        return None
    job, ended, until = held
    return case.says(
        Verdict.HELD,
        f"Held: {policy.action.name} on {case.target} ran {words(now - ended)} ago (job {job.id}); the block period is "
        f"{words(policy.blocked_for)}, until {_clock(case, until)} or until a person acknowledges that job.",
        until=until,
    )


def _unquiet(case: _Case) -> Decision | None:
    policy, now = case.policy, case.situation.now
    if not policy.action.removes or not policy.quiet:
        return None
    fired = [
        (case.situation.last_fired[each.name], each)
        for each in case.policies.policies
        if not each.action.removes and each.action.lock == policy.action.lock and each.name in case.situation.last_fired
    ]
    last, adding = max(fired, key=lambda each: each[0], default=(None, None))
    if last is None or adding is None or last + policy.quiet <= now:
        return None
    until = last + policy.quiet
    return case.says(
        Verdict.HELD,
        f"Held: an alert of policy {adding.name} fired {words(now - last)} ago; {policy.action.name} needs "
        f"{words(policy.quiet)} of quiet, until {_clock(case, until)}.",
        until=until,
    )


def _unknown(case: _Case) -> Decision | None:
    if not case.policy.action.removes:
        return None
    capacity, name = case.situation.capacity, case.policy.action.name
    if capacity is None:
        return case.says(
            Verdict.REFUSED, f"Refused: {name} needs to know the servers there are, and none were ever listed."
        )
    if not capacity.stale:
        return None
    return case.says(
        Verdict.REFUSED,
        f"Refused: the inventory is stale, {round(capacity.age_seconds)} s old; {name} removes nothing until the "
        "cloud answers again.",
    )


def _bounded(case: _Case) -> Decision | None:
    policy, situation = case.policy, case.situation
    if not policy.counts:
        return None
    if policy.replaces:
        return _none_wanted(case)
    bounds = Bounds(policy.floor or 0, policy.ceiling or 0, situation.planned_servers)
    base, wanted = base_of(situation, bounds), _wanted(case)
    if (wanted < base) if policy.action.removes else (wanted > base):
        return None
    if not policy.action.removes:
        return case.says(
            Verdict.REFUSED,
            f"Refused: {base} servers are wanted already; the ceiling of policy {policy.name} is {bounds.ceiling}.",
        )
    return case.says(
        Verdict.REFUSED,
        f"Refused: {base} servers are wanted and no fewer may be: the floor of policy {policy.name} is {bounds.floor}, "
        f"the capacity plan wants {bounds.planned}.",
    )


def _none_wanted(case: _Case) -> Decision | None:
    if wanted_of(case.situation):
        return None
    if case.situation.capacity is None:
        return case.says(
            Verdict.REFUSED,
            "Refused: how many servers are wanted is not known, as none were ever listed; nothing is replaced. "
            "Let them be counted: understudy submit count_servers.",
        )
    return case.says(Verdict.REFUSED, "Refused: no burst server is wanted, so what is lost is not replaced.")


# not ours, over, brake, merged, cool-down, block period, quiet, stale inventory, floor and ceiling: in this order.
_CHECKS: tuple[Callable[[_Case], Decision | None], ...] = (
    _not_ours,
    _over,
    _braked,
    _merged,
    _cooling,
    _blocked,
    _unquiet,
    _unknown,
    _bounded,
)


def _allowed(case: _Case) -> Decision:
    policy, alert = case.policy, case.alert
    variables: Variables = dict(policy.variables)
    what = f"{policy.action.name} on {case.target}"
    if policy.counts:
        bounds = Bounds(policy.floor or 0, policy.ceiling or 0, case.situation.planned_servers)
        base, wanted = base_of(case.situation, bounds), _wanted(case)
        variables = {COUNTED: wanted}
        what = f"{policy.action.name} from {base} to {wanted} servers{bounds.limit(base + (policy.step or 0), wanted)}"
        if policy.replaces:
            limit = bounds.limit(wanted_of(case.situation), wanted)
            what = f"{policy.action.name} replaces what is lost of the {wanted} servers that are wanted{limit}"
    because = f"{alert.name} {'fires' if alert.status is AlertStatus.FIRING else 'is over'} (policy {policy.name})"
    if policy.approvals:
        people = "one person's approval" if policy.approvals == 1 else f"the approval of {policy.approvals} people"
        return case.says(Verdict.ASK, f"{because}: {what} waits for {people}.", variables)
    return case.says(Verdict.RUN, f"{because}: {what}.", variables)


def _wanted(case: _Case) -> int:
    policy = case.policy
    bounds = Bounds(policy.floor or 0, policy.ceiling or 0, case.situation.planned_servers)
    return stepped(case.situation, bounds, policy.step or 0)


def _clock(case: _Case, moment: datetime) -> str:
    """Write a moment in the file's time zone; with its date when it is not today."""
    local, today = moment.astimezone(case.policies.time_zone), case.situation.now.astimezone(case.policies.time_zone)
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M:%S}"
