"""Whether a repeat of an alert is decided anew, because what stopped or satisfied it the first time is over (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.model import Alert, AlertStatus, Verdict
from runner.policy.policies import NOTHING, Policies

if TYPE_CHECKING:
    from datetime import datetime

    from runner.model import Decision

STOPPED = frozenset({Verdict.HELD, Verdict.MERGED, Verdict.REFUSED})


def decided_anew(alert: Alert, last: Decision, decided_at: datetime, now: datetime, policies: Policies) -> bool:
    """Tell whether an alert that still fires is decided anew; `last` is what was decided about its identity before.

    An alert that was held, merged or refused and still fires is a signal that nobody answered yet. One that led to a
    job is decided anew when its policy has a cool-down and that is over: the crowd is still there after the first step.
    Everything else stays a repeat, so a policy without a cool-down acts once per alert.
    """
    if alert.status is not AlertStatus.FIRING:
        return False
    if last.verdict in STOPPED:
        return last.until is None or last.until <= now
    if last.verdict not in {Verdict.RUN, Verdict.ASK}:
        return False
    cooldown = next((each.cooldown for each in policies.policies if each.name == last.policy), NOTHING)
    return cooldown > NOTHING and decided_at + cooldown <= now
