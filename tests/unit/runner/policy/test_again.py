"""A signal that was stopped once is not lost, and a repeat does not act twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.model import AlertStatus, Decision, Verdict
from runner.policy.again import decided_anew
from tests.unit.runner.policy.examples import NOW, alert, policies

MINUTES = timedelta(minutes=1)


def anew(last: Decision, minutes_ago: int = 1, status: AlertStatus = AlertStatus.FIRING) -> bool:
    return decided_anew(alert(status=status), last, NOW - minutes_ago * MINUTES, NOW, policies())


@pytest.mark.parametrize("verdict", [Verdict.HELD, Verdict.MERGED, Verdict.REFUSED])
def test_an_alert_that_was_stopped_and_still_fires_is_decided_anew(verdict: Verdict) -> None:
    assert anew(Decision(verdict, "because"))
    assert not anew(Decision(verdict, "because"), status=AlertStatus.RESOLVED)


def test_a_hold_lasts_until_its_end() -> None:
    assert not anew(Decision(Verdict.HELD, "because", until=NOW + MINUTES))
    assert anew(Decision(Verdict.HELD, "because", until=NOW))


def test_an_alert_that_became_a_job_is_decided_anew_only_after_its_policys_cool_down() -> None:
    run = Decision(Verdict.RUN, "because", policy="crowd")
    assert not anew(run, minutes_ago=2)
    assert anew(run, minutes_ago=3)
    assert not anew(Decision(Verdict.RUN, "because", policy="was-dead"), minutes_ago=300)


@pytest.mark.parametrize("verdict", [Verdict.NO_MATCH, Verdict.NOT_OURS, Verdict.RESOLVED])
def test_what_is_nobodys_task_stays_a_repeat(verdict: Verdict) -> None:
    assert not anew(Decision(verdict, "because"), minutes_ago=300)
