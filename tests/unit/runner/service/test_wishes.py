from __future__ import annotations

from datetime import timedelta

import pytest

from runner.errors import InvalidRequest, NotFound, Refused
from runner.model import Capacity, Decision, Job, JobState, Verdict
from runner.service import progress, questions, wishes
from runner.service.progress import Holder, Told
from runner.service.rules import Rules
from runner.store import capacity, jobs, nodes, outbox
from runner.store.engine import Store
from tests.unit.runner.policy.examples import ACTIONS, NOW
from tests.unit.runner.service.court import all_jobs, body, entries, hear, random, run_to_end


def _wish(
    store: Store, rules: Rules, action: str, *, insist: bool = False, **variables: int
) -> tuple[Decision, Job | None]:
    return wishes.submit(store, action, variables, "kim", rules=rules, now=NOW, random=random, insist=insist)


def _submit(store: Store, rules: Rules, action: str = "bake_image", **variables: int) -> Job:
    decision, job = _wish(store, rules, action, insist=False, **variables)
    assert job is not None, decision.reason
    return job


def _brake(store: Store, rules: Rules, reason: str = "") -> None:
    wishes.set_brake(store, bool(reason), reason, "lee", rules=rules, now=NOW, random=random)


def _told(store: Store) -> list[str]:
    with store.read() as connection:
        return [each.kind for each in outbox.pending(connection, NOW + timedelta(days=1))]


def _waiting(store: Store, rules: Rules) -> Job:
    job = _submit(store, rules)
    assert (job.state, job.approvals_needed) == (JobState.WAITING, 2)
    return job


def _holder(store: Store, name: str = "n") -> Holder:
    with store.write() as connection:
        return Holder(name, nodes.enrol(connection, name, NOW, NOW + timedelta(seconds=4)))


def test_a_wish_becomes_a_job_and_a_line_in_the_ledger(store: Store, rules: Rules) -> None:
    job = _submit(store, rules, "scale_out", wanted_servers=2)
    assert (job.state, job.requested_by) == (JobState.QUEUED, "kim")
    assert [(entry.source, entry.verdict, entry.job_id) for entry in entries(store)] == [
        ("wish of kim", Verdict.RUN, job.id)
    ]


def test_a_wish_that_is_refused_is_no_job_and_is_kept_with_its_reason(store: Store, rules: Rules) -> None:
    decision, job = _wish(store, rules, "scale_in", wanted_servers=0)
    assert job is None
    assert "none were ever listed" in decision.reason
    assert [entry.verdict for entry in entries(store)] == [Verdict.REFUSED]


def test_a_wish_for_what_is_not_in_the_catalogue_leaves_nothing(store: Store, rules: Rules) -> None:
    with pytest.raises(InvalidRequest, match="no action 'fly'"):
        _submit(store, rules, "fly")
    assert entries(store) == []


def test_the_same_wish_again_is_the_same_job(store: Store, rules: Rules) -> None:
    first = _submit(store, rules, "scale_out", wanted_servers=2)
    assert _submit(store, rules, "scale_out", wanted_servers=2).id == first.id
    assert len(all_jobs(store)) == 1


def test_two_other_people_must_approve_and_each_counts_once(store: Store, rules: Rules) -> None:
    job = _waiting(store, rules)
    assert "approval_wanted" in _told(store)
    with pytest.raises(Refused, match="must come from other people"):
        wishes.approve(store, job.id, "kim", NOW)
    assert wishes.approve(store, job.id, "lee", NOW).state is JobState.WAITING
    assert wishes.approve(store, job.id, "lee", NOW).state is JobState.WAITING
    approved = wishes.approve(store, job.id, "park", NOW)
    assert (approved.state, approved.approved_by) == (JobState.QUEUED, ("lee", "park"))
    with pytest.raises(Refused, match="is queued"):
        wishes.approve(store, job.id, "choi", NOW)


def test_a_rejected_job_has_ended_with_the_reason(store: Store, rules: Rules) -> None:
    job = _waiting(store, rules)
    rejected = wishes.reject(store, job.id, "lee", "not today", NOW)
    assert (rejected.state, rejected.outcome) == (JobState.REJECTED, "lee rejected it: not today.")
    with pytest.raises(Refused, match="rejected"):
        wishes.reject(store, job.id, "lee", "", NOW)


def test_nobody_approved_in_time_and_the_job_is_rejected(store: Store, rules: Rules) -> None:
    job = _waiting(store, rules)
    assert progress.expire(store, NOW + timedelta(hours=3), timedelta(hours=4)) == 0
    assert progress.expire(store, NOW + timedelta(hours=4), timedelta(hours=4)) == 1
    assert questions.job(store, job.id).state is JobState.REJECTED


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_being_ended(store: Store, rules: Rules) -> None:
    first = _submit(store, rules, "scale_out", wanted_servers=2)
    assert wishes.cancel(store, first.id, "lee", NOW).state is JobState.CANCELLED
    second = _submit(store, rules, "scale_out", wanted_servers=2)
    with store.write() as connection:
        jobs.move(connection, second.id, {JobState.QUEUED}, JobState.RUNNING, started_at=NOW)
    assert wishes.cancel(store, second.id, "lee", NOW).state is JobState.CANCELLING
    assert wishes.cancel(store, second.id, "lee", NOW).state is JobState.CANCELLING
    with pytest.raises(Refused, match="ended already"):
        wishes.cancel(store, first.id, "lee", NOW)


def test_an_acknowledgement_releases_the_block_period(store: Store, rules: Rules) -> None:
    hear(store, rules, body("WasDead", instance="was1"))
    [job] = all_jobs(store)
    with pytest.raises(Refused, match="acknowledge it when it has ended"):
        wishes.acknowledge(store, job.id, "lee", NOW)
    run_to_end(store, job, NOW)
    hear(store, rules, body("WasDead", fingerprint="f2", instance="was1"), at=NOW + timedelta(minutes=1))
    assert entries(store)[-1].verdict is Verdict.HELD
    wishes.acknowledge(store, job.id, "lee", NOW)
    hear(store, rules, body("WasDead", fingerprint="f3", instance="was1"), at=NOW + timedelta(minutes=2))
    assert entries(store)[-1].verdict is Verdict.RUN


def test_the_brake_holds_alerts_and_people_unless_they_insist(store: Store, rules: Rules) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        _brake(store, rules, " ")
    _brake(store, rules, "storm")
    hear(store, rules, body())
    assert entries(store)[-1].verdict is Verdict.HELD
    decision, job = _wish(store, rules, "scale_out", wanted_servers=2)
    assert (decision.verdict, job) == (Verdict.HELD, None)
    decision, job = _wish(store, rules, "scale_out", insist=True, wanted_servers=2)
    assert job is not None
    assert job.state is JobState.QUEUED
    _brake(store, rules)
    assert _told(store).count("brake") == 2


def test_servers_are_counted_when_the_brake_is_let_off_where_that_is_this_sites(store: Store, rules: Rules) -> None:
    _brake(store, rules)  # it was not on
    assert all_jobs(store) == []
    for here in (Rules("colo", rules.policies), rules):
        _brake(store, here, "by hand")
        _brake(store, here)
    [job] = all_jobs(store)
    assert (job.action, job.requested_by, job.state) == ("count_servers", "lee", JobState.QUEUED)


def test_unknown_jobs_are_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        wishes.approve(store, "nothing", "lee", NOW)
    with pytest.raises(NotFound):
        questions.events(store, "nothing")


def test_a_job_ends_with_what_was_seen_and_a_failure_is_told(store: Store, rules: Rules) -> None:
    holder = _holder(store)
    job = _submit(store, rules, "scale_out", wanted_servers=4)
    assert progress.claim(store, job.id, holder, NOW) is not None
    assert progress.claim(store, job.id, holder, NOW) is None
    begun = progress.begin(store, job.id, 0, action=ACTIONS["scale_out"], holder=holder, now=NOW)
    assert isinstance(begun, Job)
    ended = progress.finish(store, job.id, Told("failed", "No quota.", 1, {"ready_servers": 1}), holder, NOW)
    assert ended is not None
    assert (ended.state, ended.outcome) == (JobState.FAILED, "No quota.")
    assert questions.capacity(store, NOW) == Capacity(wanted=1, ready=1, age_seconds=0.0, stale=False)
    assert "job_failed" in _told(store)
    assert progress.finish(store, job.id, Told("succeeded", "Late.", 1), holder, NOW) is None


def test_a_node_that_lost_its_place_neither_claims_nor_records(store: Store, rules: Rules) -> None:
    old = _holder(store)
    job = _submit(store, rules, "scale_out", wanted_servers=4)
    progress.claim(store, job.id, old, NOW)
    _holder(store)
    with pytest.raises(Refused, match="lost its place"):
        progress.finish(store, job.id, Told("succeeded", "Done.", 1), old, NOW)
    with pytest.raises(Refused, match="lost its place"):
        progress.begin(store, job.id, 0, action=ACTIONS["scale_out"], holder=old, now=NOW)
    assert questions.job(store, job.id).state is JobState.RUNNING


def test_an_inherited_job_is_recorded_by_the_heir_only(store: Store, rules: Rules) -> None:
    former, heir = _holder(store, "former"), _holder(store, "heir")
    job = _submit(store, rules, "scale_out", wanted_servers=4)
    progress.claim(store, job.id, former, NOW)
    with store.write() as connection:
        assert [each.id for each in progress.inherit(connection, "former", "heir", NOW)] == [job.id]
    with pytest.raises(Refused, match="heir's now"):
        progress.finish(store, job.id, Told("succeeded", "Done.", 1), former, NOW)
    assert progress.finish(store, job.id, Told("succeeded", "Done.", 1), heir, NOW) is not None


def test_what_was_wanted_is_remembered_once_it_is_known_what_there_is(store: Store, rules: Rules) -> None:
    with store.write() as connection:
        capacity.put(connection, Capacity(wanted=1, ready=1, age_seconds=0, stale=False), NOW)
    hear(store, rules, body())
    found = questions.capacity(store, NOW)
    assert found is not None
    assert (found.wanted, found.ready) == (3, 1)
    assert questions.health(store, rules, NOW).problems[0].startswith("No worker is alive")
