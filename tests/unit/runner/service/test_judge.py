from __future__ import annotations

from datetime import timedelta

from runner.model import JobState, Verdict
from runner.service.judge import foresee
from runner.service.rules import Rules
from runner.store import heartbeats, inbox, marks
from runner.store.engine import Store
from tests.unit.runner.policy.examples import NOW, alert
from tests.unit.runner.service.court import all_jobs, body, entries, hear, run_to_end


def test_an_alert_becomes_a_job_with_its_reason_in_the_ledger(store: Store, rules: Rules) -> None:
    assert hear(store, rules, body()) == 1
    [entry], [job] = entries(store), all_jobs(store)
    assert (entry.verdict, entry.job_id, entry.policy) == (Verdict.RUN, job.id, "crowd")
    assert (job.state, job.requested_by, job.reason) == (JobState.QUEUED, "policy:crowd", entry.reason)


def test_the_same_alert_again_is_counted_as_a_repeat_and_starts_nothing(store: Store, rules: Rules) -> None:
    hear(store, rules, body(), body())
    hear(store, rules, body())
    assert [entry.repeats for entry in entries(store)] == [2]
    assert len(all_jobs(store)) == 1


def test_another_alert_is_merged_while_the_job_is_on_its_way(store: Store, rules: Rules) -> None:
    hear(store, rules, body(), *(body(fingerprint=f"other{number}") for number in range(20)))
    verdicts = [entry.verdict for entry in entries(store)]
    assert verdicts == [Verdict.RUN, *[Verdict.MERGED] * 20]
    assert len(all_jobs(store)) == 1


def test_an_alert_that_still_fires_after_the_cool_down_is_decided_anew(store: Store, rules: Rules) -> None:
    hear(store, rules, body())
    run_to_end(store, all_jobs(store)[0], NOW + timedelta(seconds=30))
    hear(store, rules, body(), at=NOW + timedelta(minutes=2))
    assert len(all_jobs(store)) == 1
    hear(store, rules, body(), at=NOW + timedelta(minutes=5))
    assert len(all_jobs(store)) == 2
    found = entries(store)
    assert [(entry.fingerprint, entry.verdict) for entry in found] == [("f1", Verdict.RUN), ("f1#2", Verdict.RUN)]
    hear(store, rules, body(), at=NOW + timedelta(minutes=5, seconds=5))
    assert [entry.repeats for entry in entries(store)] == [1, 1]


def test_what_cannot_be_read_is_set_aside_and_the_next_delivery_is_judged(store: Store, rules: Rules) -> None:
    hear(store, rules, b"{", body())
    assert [entry.verdict for entry in entries(store)] == [Verdict.RUN]
    with store.read() as connection:
        assert inbox.waiting(connection)[0] == 0


def test_firing_alerts_are_remembered_for_hysteresis_and_the_heartbeat_is_heard(store: Store, rules: Rules) -> None:
    hear(store, rules, body(), body("Watchdog", fingerprint="w"), body("BookingIdle", "resolved", "i"))
    with store.read() as connection:
        assert marks.last_fired(connection) == {"crowd": NOW}
        assert heartbeats.last(connection, "Watchdog") == NOW


def test_an_alert_that_nothing_speaks_of_is_in_the_ledger_too(store: Store, rules: Rules) -> None:
    hear(store, rules, body("Unheard"))
    assert [entry.verdict for entry in entries(store)] == [Verdict.NO_MATCH]


def test_to_foresee_a_decision_changes_nothing(store: Store, rules: Rules) -> None:
    assert foresee(store, rules, alert(), NOW).verdict is Verdict.RUN
    assert entries(store) == []
    assert all_jobs(store) == []
