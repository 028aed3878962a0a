"""Each guard refuses where it must, lets through where it may, and says why."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from runner.model import AlertStatus, Capacity, Decision, JobState, Verdict
from runner.policy.decide import decide
from runner.policy.situation import Situation
from tests.unit.runner.policy.examples import FILE, NOW, alert, capacity, ended, job, policies, situation


def slow(here: Situation, text: str = FILE) -> Decision:
    return decide(alert(), here, policies(text))


def idle(here: Situation, text: str = FILE) -> Decision:
    return decide(alert("BookingIdle"), here, policies(text))


def test_an_alert_that_a_policy_speaks_of_becomes_a_job_with_its_reason() -> None:
    decision = slow(situation())
    assert decision == Decision(
        Verdict.RUN,
        "BookingSlow fires (policy crowd): scale_out from 3 to 5 servers.",
        policy="crowd",
        action="scale_out",
        target="capacity",
        variables={"wanted_servers": 5},
    )


def test_an_alert_that_no_policy_speaks_of_does_nothing() -> None:
    decision = decide(alert("DiskFull"), situation(), policies())
    assert decision == Decision(Verdict.NO_MATCH, "No policy speaks of the alert DiskFull.")
    assert decide(alert(severity="info"), situation(), policies()).verdict is Verdict.NO_MATCH


def test_the_first_policy_that_matches_wins() -> None:
    twice = FILE.replace("name: crowd-left", "name: second").replace('"BookingIdle"', '"BookingSlow"')
    assert slow(situation(), twice).policy == "crowd"


def test_the_heartbeat_is_known_as_such() -> None:
    decision = decide(alert("Watchdog"), situation(), policies())
    assert decision.reason == "Watchdog is the heartbeat; its silence for 3m is the alarm."


def test_the_other_sites_runner_only_keeps_a_record() -> None:
    decision = slow(situation(site="colo"))
    assert decision.verdict is Verdict.NOT_OURS
    assert decision.reason == "Not ours: scale_out belongs to the runner at cloud; this one is at colo."
    assert slow(situation(site="colo"), FILE.replace("step: +2", "step: +2\n    owner: colo")).verdict is Verdict.RUN


def test_the_end_of_an_alert_does_nothing_unless_its_policy_says_so() -> None:
    over = decide(alert(status=AlertStatus.RESOLVED), situation(), policies())
    assert (over.verdict, over.policy) == (Verdict.RESOLVED, "crowd")
    assert decide(alert("NewRelease"), situation(), policies()).verdict is Verdict.NO_MATCH
    assert decide(alert("NewRelease", AlertStatus.RESOLVED), situation(), policies()).verdict is Verdict.ASK


def test_an_alert_that_ended_before_it_was_judged_starts_nothing() -> None:
    late = dataclasses.replace(alert(), ends_at=NOW - timedelta(seconds=5))
    decision = decide(late, situation(), policies())
    assert (decision.verdict, decision.reason) == (
        Verdict.RESOLVED,
        "BookingSlow was over at 17:39:55, before anything was started.",
    )
    later = dataclasses.replace(alert(), ends_at=NOW + timedelta(seconds=5))
    assert decide(later, situation(), policies()).verdict is Verdict.RUN


def test_the_brake_holds_everything() -> None:
    decision = slow(situation(brake_reason="kim: network works"))
    assert decision.verdict is Verdict.HELD
    assert "the brake is on (kim: network works)" in decision.reason


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING])
def test_a_signal_during_a_job_of_its_action_is_merged(state: JobState) -> None:
    decision = slow(situation(active=(job(state=state, variables={"wanted_servers": 5}),)))
    assert decision.verdict is Verdict.MERGED
    assert decision.reason == f"Merged into job job-scale_out: scale_out for 5 servers on capacity is {state}."


def test_a_job_of_another_lock_or_target_merges_nothing() -> None:
    assert slow(situation(active=(job("bake_image"),))).verdict is Verdict.RUN
    other = situation(active=(job("recover_was", target="was-2"),))
    assert decide(alert("WasDead", instance="was-1"), other, policies()).verdict is Verdict.RUN


def test_an_addition_queues_behind_a_removal_and_a_removal_is_held_during_an_addition() -> None:
    assert slow(situation(active=(job("scale_in"),))).verdict is Verdict.RUN
    decision = idle(situation(active=(job("scale_out"),)))
    assert decision.verdict is Verdict.HELD
    assert "nothing is removed while servers are added" in decision.reason


def test_the_cool_down_holds_and_says_until_when() -> None:
    decision = slow(situation(recent=(ended(seconds_ago=70),)))
    assert decision.verdict is Verdict.HELD
    assert decision.reason == "Held: scale_out ran 1m10s ago; the cool-down is 3m, until 17:41:50."
    assert decision.until == NOW + timedelta(seconds=110)


def test_the_cool_down_is_over_at_its_very_end_and_counts_only_jobs_that_ran() -> None:
    assert slow(situation(recent=(ended(seconds_ago=180),))).verdict is Verdict.RUN
    assert slow(situation(recent=(ended("scale_in"),))).verdict is Verdict.RUN
    assert slow(situation(recent=(ended(started_at=None),))).verdict is Verdict.RUN


def test_one_recovery_per_target_and_block_period_until_acknowledged() -> None:
    dead = alert("WasDead", instance="was-1")
    before = ended("recover_was", 600, target="was-1")
    decision = decide(dead, situation(recent=(before,)), policies())
    assert decision.verdict is Verdict.HELD
    assert "recover_was on was-1 ran 10m ago" in decision.reason
    assert decision.until == NOW + timedelta(minutes=20)
    acknowledged = dataclasses.replace(before, acknowledged_by="kim")
    elsewhere = dataclasses.replace(before, target="was-2")
    for let_through in (acknowledged, elsewhere, ended("recover_was", 1800, target="was-1")):
        assert decide(dead, situation(recent=(let_through,)), policies()).verdict is Verdict.RUN


def test_a_target_whose_label_is_missing_is_refused() -> None:
    decision = decide(alert("WasDead"), situation(), policies())
    assert decision.verdict is Verdict.REFUSED
    assert "needs the label instance" in decision.reason


def test_a_removal_needs_quiet_from_every_alert_that_adds() -> None:
    decision = idle(situation(last_fired={"crowd": NOW - timedelta(minutes=4)}))
    assert decision.verdict is Verdict.HELD
    assert decision.reason == (
        "Held: an alert of policy crowd fired 4m ago; scale_in needs 10m of quiet, until 17:46:00."
    )
    long_ago = {"crowd": NOW - timedelta(minutes=10), "crowd-left": NOW, "was-dead": NOW}
    assert idle(situation(last_fired=long_ago)).verdict is Verdict.RUN


def test_a_stale_inventory_lets_servers_be_added_but_not_removed() -> None:
    stale = situation(capacity=capacity(stale=True, age_seconds=95.4))
    assert slow(stale).verdict is Verdict.RUN
    decision = idle(stale)
    assert decision.verdict is Verdict.REFUSED
    assert "the inventory is stale, 95 s old" in decision.reason


def test_unknown_is_not_empty() -> None:
    assert slow(situation(capacity=None)).variables == {"wanted_servers": 3}
    assert slow(situation(capacity=None, planned_servers=4)).variables == {"wanted_servers": 6}
    assert idle(situation(capacity=None)).verdict is Verdict.REFUSED


def test_the_ceiling_caps_and_then_refuses() -> None:
    capped = slow(situation(capacity=capacity(5)))
    assert capped.variables == {"wanted_servers": 6}
    assert capped.reason.endswith("scale_out from 5 to 6 servers (the ceiling; the step asked for 7).")
    full = slow(situation(capacity=capacity(6)))
    assert full.verdict is Verdict.REFUSED
    assert full.reason == "Refused: 6 servers are wanted already; the ceiling of policy crowd is 6."


def test_nothing_goes_below_the_floor_or_the_plan() -> None:
    assert idle(situation()).variables == {"wanted_servers": 2}
    for here in (situation(capacity=capacity(1)), situation(planned_servers=3)):
        decision = idle(here)
        assert decision.verdict is Verdict.REFUSED
        assert "no fewer may be" in decision.reason
    assert slow(situation(capacity=capacity(0), planned_servers=5)).variables == {"wanted_servers": 5}


def test_a_removal_takes_no_more_than_its_step_even_above_the_ceiling() -> None:
    assert idle(situation(capacity=capacity(20))).variables == {"wanted_servers": 19}


def test_more_servers_than_wanted_are_counted_from_what_is_there() -> None:
    assert idle(situation(capacity=capacity(0, ready=4))).variables == {"wanted_servers": 3}


def test_a_policy_with_approvals_asks() -> None:
    decision = slow(situation(), FILE.replace("cooldown: 3m", "cooldown: 3m\n    approvals: 1", 1))
    assert (decision.verdict, decision.approvals) == (Verdict.ASK, 1)
    assert decision.reason.endswith("scale_out from 3 to 5 servers waits for one person's approval.")


def test_a_storm_of_different_alerts_is_one_job() -> None:
    here, made = situation(), 0
    for number in range(500):
        if decide(alert(instance=f"was-{number}"), here, policies()).verdict is Verdict.RUN:
            made += 1
            here = situation(active=(job(),))
    assert made == 1


def test_a_lost_colo_is_not_merged_into_the_preparation_of_a_failover() -> None:
    text = """
policies:
  - {name: colo-lost, match: ['alertname="SiteDark"'], action: fail_over_to_cloud, approvals: 1}
"""
    preparing = situation(active=(job("prepare_failover"),))
    assert decide(alert("SiteDark"), preparing, policies(text)).verdict is Verdict.ASK
    under_way = situation(active=(job("fail_over_to_cloud"),))
    assert decide(alert("SiteDark"), under_way, policies(text)).verdict is Verdict.MERGED


def lost(here: Situation) -> Decision:
    return decide(alert("BurstServerDown", instance="cloud-burst1"), here, policies())


@pytest.mark.parametrize(
    ("known", "planned", "asked", "limit"),
    [
        (capacity(3), 0, 3, ""),
        (capacity(3, ready=0), 0, 3, ""),
        (capacity(9), 0, 9, ""),  # beyond the ceiling: nothing is added
        (capacity(1), 4, 4, " (the plan; the step asked for 1)"),
        (capacity(1), 9, 6, " (the plan; the step asked for 1)"),
    ],
)
def test_what_is_lost_is_replaced_to_as_many_as_are_wanted(
    known: Capacity, planned: int, asked: int, limit: str
) -> None:
    decision = lost(situation(capacity=known, planned_servers=planned))
    assert (decision.verdict, dict(decision.variables)) == (Verdict.RUN, {"wanted_servers": asked})
    assert decision.reason == (
        "BurstServerDown fires (policy burst-lost): scale_out replaces what is lost of the "
        f"{asked} servers that are wanted{limit}."
    )


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (capacity(0), "no burst server is wanted, so what is lost is not replaced."),
        (capacity(0, ready=2), "no burst server is wanted"),  # they are on their way out
        (None, "how many servers are wanted is not known, as none were ever listed; nothing is replaced."),
    ],
)
def test_what_nobody_wants_is_not_replaced(known: Capacity | None, why: str) -> None:
    decision = lost(situation(capacity=known, planned_servers=2))
    assert (decision.verdict, dict(decision.variables)) == (Verdict.REFUSED, {})
    assert why in decision.reason


def test_an_addition_on_its_way_covers_what_is_lost_and_another_waits_for_its_cool_down() -> None:
    assert lost(situation(active=(job(variables={"wanted_servers": 5}),))).verdict is Verdict.MERGED
    assert lost(situation(recent=(ended(seconds_ago=29),))).verdict is Verdict.HELD
    assert lost(situation(recent=(ended(seconds_ago=31),))).verdict is Verdict.RUN
