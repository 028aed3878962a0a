"""People insist, schedules and the plan do not; nobody removes servers on a stale inventory."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from runner.errors import InvalidRequest
from runner.model import Decision, Job, JobState, Verdict
from runner.policy.calendar import PlannedHour
from runner.policy.decide import decide_plan, decide_wish
from runner.policy.situation import Situation
from tests.unit.runner.policy.examples import FILE, NOW, capacity, job, policies, situation

FIVE = {"wanted_servers": 5}


def wish(
    here: Situation, action: str = "scale_out", wanted: int = 5, by: str = "kim", *, insist: bool = False
) -> Decision:
    return decide_wish(action, {"wanted_servers": wanted}, by, here, policies(), insist=insist)


def test_a_person_gets_what_was_asked_for() -> None:
    decision = wish(situation())
    assert (decision.verdict, decision.reason) == (Verdict.RUN, "kim asks for scale_out to 5 servers.")
    assert (decision.action, decision.target, decision.variables) == ("scale_out", "capacity", FIVE)


def test_the_brake_stops_schedules_and_people_but_not_a_person_who_insists() -> None:
    here = situation(brake_reason="works")
    assert wish(here, by="schedule:evening").verdict is Verdict.HELD
    assert wish(here, by="schedule:evening", insist=True).verdict is Verdict.HELD
    held = wish(here)
    assert (held.verdict, held.reason) == (Verdict.HELD, "Held: the brake is on (works); let it off first, or insist.")
    assert wish(here, insist=True).verdict is Verdict.RUN


def test_the_same_wish_twice_is_one_job_and_another_number_queues_for_a_person_only() -> None:
    here = situation(active=(job(variables=FIVE),))
    assert wish(here).verdict is Verdict.MERGED
    assert wish(here, wanted=6).verdict is Verdict.RUN
    assert wish(here, wanted=6, by="schedule:evening").verdict is Verdict.MERGED
    assert wish(here, "scale_in", 1, by="schedule:night").verdict is Verdict.HELD


def test_a_wish_for_the_other_sites_action_is_not_ours() -> None:
    assert wish(situation(site="colo")).verdict is Verdict.NOT_OURS


@pytest.mark.parametrize("by", ["kim", "schedule:night"])
def test_nobody_removes_servers_that_are_not_known(by: str) -> None:
    for unknown in (None, capacity(stale=True)):
        assert wish(situation(capacity=unknown), "scale_in", 1, by).verdict is Verdict.REFUSED
    assert wish(situation(), "scale_in", 1, by).verdict is Verdict.RUN


def test_a_person_goes_below_the_plan_only_with_the_brake_on() -> None:
    here = situation(planned_servers=2)
    decision = wish(here, "scale_in", 1)
    assert decision.verdict is Verdict.REFUSED
    assert "1 servers are fewer than the 2 of the capacity plan" in decision.reason
    assert wish(dataclasses.replace(here, brake_reason="works"), "scale_in", 1, insist=True).verdict is Verdict.RUN
    assert wish(here, "scale_in", 2).verdict is Verdict.RUN


def test_approvals_come_from_the_policy_or_the_schedule() -> None:
    for by, approvals in (("kim", 2), ("schedule:nightly", 1)):
        decision = decide_wish("bake_image", {}, by, situation(), policies())
        assert (decision.verdict, decision.approvals) == (Verdict.ASK, approvals)


def test_a_wish_that_the_catalogue_does_not_know_is_invalid() -> None:
    with pytest.raises(InvalidRequest, match="There is no action 'dance'"):
        decide_wish("dance", {}, "kim", situation(), policies())
    with pytest.raises(InvalidRequest, match="the most is 200"):
        wish(situation(), wanted=201)


def hours(*wanted: int) -> tuple[PlannedHour, ...]:
    """Return hours of which the second is the one that is now."""
    first = NOW - timedelta(minutes=100)
    return tuple(PlannedHour(first + timedelta(hours=n), count, f"hour {n}") for n, count in enumerate(wanted))


def test_the_plan_raises_to_its_number() -> None:
    decision = decide_plan(situation(planned_servers=6), hours(0, 6), policies())
    assert (decision.verdict, decision.variables) == (Verdict.RUN, {"wanted_servers": 6})
    assert decision.reason == "The capacity plan: from 3 to 6 servers (hour 1)."


def test_the_plan_starts_from_nothing_when_nothing_was_ever_observed() -> None:
    decision = decide_plan(situation(capacity=None, planned_servers=2), hours(0, 2), policies())
    assert decision.action == "scale_out"


def test_the_plan_lowers_only_after_it_came_down_itself() -> None:
    decision = decide_plan(situation(planned_servers=1), hours(3, 1), policies())
    assert (decision.action, decision.variables) == ("scale_in", {"wanted_servers": 1})
    for left_alone in (hours(1, 1), hours(0, 1), hours(1, 1, 6)):
        assert decide_plan(situation(planned_servers=1), left_alone, policies()).verdict is Verdict.RESOLVED
    assert decide_plan(situation(planned_servers=3), hours(6, 3), policies()).verdict is Verdict.RESOLVED


def test_the_plan_lowers_nothing_while_alerts_ask_for_more_or_the_inventory_is_stale() -> None:
    fired = {"crowd": NOW - timedelta(minutes=4)}
    held = decide_plan(situation(planned_servers=1, last_fired=fired), hours(3, 1), policies())
    assert (held.verdict, held.until) == (Verdict.HELD, NOW + timedelta(minutes=6))
    idle = {"crowd-left": NOW, "crowd": NOW - timedelta(minutes=10)}
    assert decide_plan(situation(planned_servers=1, last_fired=idle), hours(3, 1), policies()).verdict is Verdict.RUN
    stale = situation(planned_servers=1, capacity=capacity(stale=True))
    assert decide_plan(stale, hours(3, 1), policies()).verdict is Verdict.REFUSED


def test_brake_site_and_jobs_on_their_way_stop_the_plan() -> None:
    for here, verdict in (
        (situation(brake_reason="works"), Verdict.HELD),
        (situation(site="colo"), Verdict.NOT_OURS),
        (situation(active=(job(),)), Verdict.MERGED),
    ):
        raised = dataclasses.replace(here, planned_servers=6)
        assert decide_plan(raised, hours(0, 6), policies(FILE)).verdict is verdict


def test_the_plan_waits_for_a_count_and_a_count_is_no_opposite_of_a_removal() -> None:
    counting = situation(planned_servers=6, active=(job("count_servers"),))
    held = decide_plan(counting, hours(0, 6), policies())
    assert (held.verdict, held.reason) == (
        Verdict.HELD,
        "Held: job job-count_servers counts the servers that there are.",
    )
    waiting = dataclasses.replace(counting, active=(job("count_servers", JobState.WAITING),))
    assert decide_plan(waiting, hours(0, 6), policies()).verdict is Verdict.RUN
    removed = decide_wish("scale_in", {"wanted_servers": 6}, "schedule:night", counting, policies())
    assert removed.verdict is Verdict.RUN
    assert decide_plan(
        situation(active=(job("count_servers"),), planned_servers=3), hours(3, 3), policies()
    ).verdict is (Verdict.RESOLVED)


def test_when_the_colo_is_back_what_stood_in_for_it_goes_whatever_the_hours_say() -> None:
    here = situation(planned_servers=1)
    assert decide_plan(here, hours(1, 1), policies()).verdict is Verdict.RESOLVED
    back = dataclasses.replace(here, colo_back=True)
    decision = decide_plan(back, hours(1, 1), policies())
    assert (decision.action, decision.variables) == ("scale_in", {"wanted_servers": 1})
    assert decision.reason == "The capacity plan: from 3 to 1 servers (the colo is back; hour 1)."
    crowded = dataclasses.replace(back, last_fired={"crowd": NOW - timedelta(minutes=4)})
    assert decide_plan(crowded, hours(1, 1), policies()).verdict is Verdict.HELD


def failed(minutes_ago: float, **changes: Any) -> Job:
    ended_at = NOW - timedelta(minutes=minutes_ago)
    return job(state=JobState.FAILED, id=f"j{minutes_ago:g}", requested_by="plan", ended_at=ended_at, **changes)


def plan_to_six(*recent: Job) -> Decision:
    return decide_plan(situation(planned_servers=6, recent=recent), hours(0, 6), policies())


def test_the_plan_waits_after_a_failure_and_twice_as_long_after_the_next() -> None:
    held = plan_to_six(failed(0.5))
    assert (held.verdict, held.until) == (Verdict.HELD, NOW + timedelta(seconds=30))
    assert "job j0.5 failed 30s ago, 1 in a row; the plan tries again in 30s" in held.reason
    assert plan_to_six(failed(1)).verdict is Verdict.RUN
    assert plan_to_six(failed(4), failed(1)).until == NOW + timedelta(minutes=1)
    many = [failed(number + 1) for number in range(30)]
    assert plan_to_six(*many).until == NOW + timedelta(minutes=14)


def test_failures_of_others_before_a_success_or_acknowledged_do_not_make_the_plan_wait() -> None:
    well = job(state=JobState.SUCCEEDED, requested_by="plan", ended_at=NOW - timedelta(minutes=2))
    for recent in (
        (dataclasses.replace(failed(0.5), requested_by="kim"),),
        (dataclasses.replace(failed(0.5), action="scale_in"),),
        (failed(0.5, acknowledged_by="kim"),),
        (failed(3), failed(4), failed(5), well),
    ):
        assert plan_to_six(*recent).verdict is Verdict.RUN


def test_another_action_of_the_same_lock_does_not_swallow_what_a_schedule_asks_for() -> None:
    baking = situation(active=(job("bake_database_image"),))
    assert decide_wish("bake_image", {}, "schedule:nightly", baking, policies()).verdict is Verdict.ASK
    again = situation(active=(job("bake_image"),))
    assert decide_wish("bake_image", {}, "schedule:nightly", again, policies()).verdict is Verdict.MERGED


def test_the_return_is_not_refused_where_no_burst_server_was_ever_listed() -> None:
    for known in (None, capacity(stale=True)):
        decision = decide_wish("fail_back_to_colo", {}, "kim", situation(capacity=known), policies())
        assert (decision.verdict, decision.target) == (Verdict.RUN, "site")
