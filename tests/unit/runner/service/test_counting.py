"""What is believed of the servers after a job has counted, made or removed some."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from runner.model import Capacity, Job, Variables
from runner.policy.absence import Absence
from runner.service import progress, questions, wishes
from runner.service.progress import Holder, Told
from runner.service.rules import Rules
from runner.store import capacity, nodes
from runner.store.engine import Store
from tests.unit.runner.policy.examples import ACTIONS, NOW
from tests.unit.runner.service.court import all_jobs, body, entries, hear, random


def _submit(store: Store, rules: Rules, action: str, **variables: int) -> Job:
    decision, job = wishes.submit(store, action, variables, "kim", rules=rules, now=NOW, random=random)
    assert job is not None, decision.reason
    return job


def _holder(store: Store, name: str = "n") -> Holder:
    with store.write() as connection:
        return Holder(name, nodes.enrol(connection, name, NOW, NOW + timedelta(seconds=4)))


def _there(store: Store, wanted: int, ready: int) -> None:
    with store.write() as connection:
        capacity.put(connection, Capacity(wanted=wanted, ready=ready, age_seconds=0.0, stale=False), NOW)


def _begin(store: Store, job: Job) -> Holder:
    """Let a queued job begin, and return who runs it."""
    holder = _holder(store)
    assert progress.claim(store, job.id, holder, NOW) is not None
    assert isinstance(progress.begin(store, job.id, 0, action=ACTIONS[job.action], holder=holder, now=NOW), Job)
    return holder


def _end(store: Store, job: Job, results: Variables, ending: str = "succeeded") -> None:
    """Let a queued job run to an end with what its playbook told."""
    holder = _begin(store, job)
    progress.finish(store, job.id, Told(ending, "Seen.", 1, results), holder, NOW)


def _done(store: Store, rules: Rules, action: str, results: Variables, **variables: int) -> None:
    _end(store, _submit(store, rules, action, **variables), results)


def _additions(store: Store) -> list[Job]:
    return [job for job in all_jobs(store) if job.action == "scale_out"]


@pytest.mark.parametrize(("state", "believed"), [("succeeded", 1), ("failed", 4)])
def test_a_count_is_believed_whatever_was_wanted_before(store: Store, rules: Rules, state: str, believed: int) -> None:
    _there(store, wanted=4, ready=4)
    results: Variables = {"ready_servers": 1, "inventory_stale": True} if state == "succeeded" else {}
    _end(store, _submit(store, rules, "count_servers"), results, state)
    known = Capacity(wanted=believed, ready=believed, age_seconds=0.0, stale=state == "succeeded")
    assert questions.capacity(store, NOW) == known


@pytest.mark.parametrize(
    ("action", "results"),
    [
        ("count_servers", {"ready_servers": 2, "allowed_servers": 4}),
        ("scale_out", {"ready_servers": 2, "allowed_servers": 4}),
        ("scale_in", {"allowed_servers": 4}),
    ],
)
def test_what_the_quota_allows_is_kept_until_a_job_says_nothing_of_it(
    store: Store, rules: Rules, action: str, results: dict[str, int]
) -> None:
    _there(store, wanted=2, ready=2)
    variables = {} if action == "count_servers" else {"wanted_servers": 2}
    _done(store, rules, action, results, **variables)
    known = questions.capacity(store, NOW)
    assert known == Capacity(wanted=2, ready=2, age_seconds=0.0, stale=False, allowed=4)
    assert questions.plan(store, dataclasses.replace(rules, absence=Absence(1, 5, NOW)), NOW).allowed == 4
    _done(store, rules, action, {"ready_servers": 2}, **variables)
    assert questions.capacity(store, NOW) == Capacity(wanted=2, ready=2, age_seconds=0.0, stale=False)


@pytest.mark.parametrize(
    ("before", "seen", "wanted"),
    [
        (1, (0, 1), 1),  # listed and dead: the edges' alert comes
        (1, (0, 0), 0),  # removed by hand
        (3, (1, 1), 2),
        (1, (1, 1), 1),  # a dead one that nobody wanted
        (0, (2, 0), 2),  # made by hand
        (None, (0, 1), 0),
    ],
)
def test_a_count_still_wants_what_is_lost_and_not_what_was_removed(
    store: Store, rules: Rules, before: int | None, seen: tuple[int, int], wanted: int
) -> None:
    ready, lost = seen
    if before is not None:
        _there(store, wanted=before, ready=before)
    _done(store, rules, "count_servers", {"ready_servers": ready, "lost_servers": lost})
    assert questions.capacity(store, NOW) == Capacity(wanted, ready, age_seconds=0.0, stale=False)


def test_a_server_that_is_lost_is_replaced_whatever_was_counted_and_failed_in_between(
    store: Store, rules: Rules
) -> None:
    _there(store, wanted=1, ready=1)
    _done(store, rules, "count_servers", {"ready_servers": 0, "lost_servers": 1})
    for minute in (0, 1, 2):  # the alert fires on
        at = NOW + timedelta(minutes=minute)
        hear(store, rules, body("BurstServerDown", instance="cloud-burst1"), at=at)
        job = _additions(store)[minute]
        assert (job.action, dict(job.variables)) == ("scale_out", {"wanted_servers": 1})
        if minute == 1:
            _done(store, rules, "count_servers", {"ready_servers": 0, "lost_servers": 0})  # behind it in its lock
        results: Variables = {} if minute == 0 else {"ready_servers": 0}
        _end(store, job, results if minute < 2 else {"ready_servers": 1}, "failed" if minute < 2 else "succeeded")
    assert len(_additions(store)) == 3
    assert questions.capacity(store, NOW) == Capacity(wanted=1, ready=1, age_seconds=0.0, stale=False)


def test_what_a_failed_job_removed_is_wanted_until_it_is_there_and_then_may_be_removed_by_hand(
    store: Store, rules: Rules
) -> None:
    _there(store, wanted=2, ready=2)
    _end(store, _submit(store, rules, "scale_out", wanted_servers=2), {"ready_servers": 1}, "failed")
    for ready, wanted in ((1, 2), (2, 2), (1, 1)):
        _done(store, rules, "count_servers", {"ready_servers": ready, "lost_servers": 0})
        assert questions.capacity(store, NOW) == Capacity(wanted, ready, age_seconds=0.0, stale=False)


def test_a_server_removed_by_hand_is_replaced_only_when_the_alert_came_before_the_count(
    store: Store, rules: Rules
) -> None:
    _there(store, wanted=1, ready=1)
    _done(store, rules, "count_servers", {"ready_servers": 0, "lost_servers": 0})
    hear(store, rules, body("BurstServerDown", instance="cloud-burst1"))
    assert "no burst server is wanted" in entries(store)[-1].reason

    _there(store, wanted=1, ready=1)
    hear(store, rules, body("BurstServerDown", fingerprint="f2", instance="cloud-burst2"))
    assert dict(all_jobs(store)[-1].variables) == {"wanted_servers": 1}


def test_a_failed_addition_leaves_what_was_wanted_before_and_no_more(store: Store, rules: Rules) -> None:
    _there(store, wanted=2, ready=2)
    told: tuple[Variables, ...] = ({"ready_servers": 1}, {})  # the second says nothing of what there is
    for asked, results in enumerate(told, 4):
        _end(store, _submit(store, rules, "scale_out", wanted_servers=asked), results, "failed")
        assert questions.capacity(store, NOW) == Capacity(wanted=2, ready=1, age_seconds=0.0, stale=False)


def test_a_count_leaves_what_a_job_behind_it_is_asked_for(store: Store, rules: Rules) -> None:
    job = _submit(store, rules, "count_servers")
    holder = _begin(store, job)
    _submit(store, rules, "scale_out", wanted_servers=2)
    progress.finish(store, job.id, Told("succeeded", "Seen.", 1, {"ready_servers": 0}), holder, NOW)
    assert questions.capacity(store, NOW) == Capacity(wanted=2, ready=0, age_seconds=0.0, stale=False)
