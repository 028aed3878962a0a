"""Whatever comes: no exception, the same answer twice, and never a number outside of the bounds."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from runner.model import ENDED, Alert, AlertStatus, Capacity, Job, JobState, Verdict
from runner.policy.decide import decide
from runner.policy.situation import Situation
from tests.unit.runner.policy.examples import ACTIONS, NOW, job, policies

POLICIES = policies()
MOMENTS = some.integers(-4000, 100).map(lambda seconds: NOW + timedelta(seconds=seconds))
NAMES = some.sampled_from(["BookingSlow", "BookingIdle", "WasDead", "NewRelease", "Watchdog"]) | some.text(max_size=20)
LABELS = some.dictionaries(some.text(max_size=9) | some.sampled_from(["instance", "severity"]), some.text(max_size=9))
CAPACITIES = some.builds(
    Capacity,
    wanted=some.integers(0, 12),
    ready=some.integers(0, 12),
    age_seconds=some.floats(0, 1e6),
    stale=some.booleans(),
)


@some.composite
def alerts(draw: some.DrawFn) -> Alert:
    more: tuple[dict[str, str], ...] = ({}, {"severity": "page"}, {"instance": "w"})
    labels = {**draw(LABELS), **draw(some.sampled_from(more))}
    if draw(some.booleans()):
        labels["alertname"] = draw(NAMES)
    status = draw(some.sampled_from(AlertStatus))
    return Alert("f", status, labels, {}, draw(MOMENTS), draw(some.none() | MOMENTS), "alertmanager")


@some.composite
def jobs(draw: some.DrawFn, states: frozenset[JobState]) -> Job:
    made = job(draw(some.sampled_from(sorted(ACTIONS))), draw(some.sampled_from(sorted(states))))
    return dataclasses.replace(
        made,
        created_at=draw(MOMENTS),
        started_at=draw(some.none() | MOMENTS),
        ended_at=draw(some.none() | MOMENTS),
        acknowledged_by=draw(some.none() | some.just("kim")),
    )


SITUATIONS = some.builds(
    Situation,
    now=some.just(NOW),
    site=some.sampled_from(["cloud", "cloud", "colo"]),
    brake_reason=some.none() | some.text(max_size=5),
    active=some.lists(jobs(frozenset(JobState) - ENDED), max_size=2).map(tuple),
    recent=some.lists(jobs(ENDED), max_size=2).map(tuple),
    capacity=some.none() | CAPACITIES,
    planned_servers=some.integers(0, 9),
    last_fired=some.dictionaries(some.sampled_from(["crowd", "crowd-left", "gone"]), MOMENTS),
)


@settings(max_examples=300)
@given(alerts(), SITUATIONS)
def test_a_decision_is_made_for_every_alert_and_is_the_same_twice(alert: Alert, here: Situation) -> None:
    decision = decide(alert, here, POLICIES)
    assert decision == decide(alert, here, POLICIES)
    assert decision.reason
    assert decision.verdict is not Verdict.REPEAT
    assert (decision.verdict is Verdict.ASK) == (decision.approvals > 0)
    if decision.verdict in {Verdict.RUN, Verdict.ASK}:
        assert here.site == "cloud"
        assert here.brake_reason is None
    if decision.until is not None:
        assert decision.verdict is Verdict.HELD
        assert decision.until > here.now


@settings(max_examples=300)
@given(some.sampled_from(["BookingSlow", "BookingIdle"]), some.none() | CAPACITIES, some.integers(0, 9))
def test_wanted_is_always_between_floor_or_plan_and_ceiling(name: str, known: Capacity | None, planned: int) -> None:
    alert = Alert("f", AlertStatus.FIRING, {"alertname": name, "severity": "page"}, {}, NOW, None, "alertmanager")
    decision = decide(alert, Situation(NOW, "cloud", capacity=known, planned_servers=planned), POLICIES)
    if decision.verdict is not Verdict.RUN:
        return
    wanted = decision.variables["wanted_servers"]
    assert isinstance(wanted, int)
    there = max(known.wanted, known.ready) if known else max(1, planned)
    if name == "BookingSlow":
        assert min(max(1, planned), 6) <= wanted <= 6
        assert there < wanted
    else:
        assert known is not None
        assert not known.stale
        assert max(1, planned, there - 1) == wanted < there
