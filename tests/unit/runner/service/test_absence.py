"""From the loss of the colo until its return: what the plan asks for, and that alerts never ask for less."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from runner.model import Capacity, Job, JobState
from runner.policy.absence import Absence
from runner.service import questions, situations, wishes
from runner.service.rules import Rules
from runner.store import capacity
from runner.store.engine import Store
from tests.unit.runner.policy.examples import NOW
from tests.unit.runner.service.court import all_jobs, body, entries, hear, random, run_to_end

MINUTE = timedelta(minutes=1)
LOST = Absence(servers=2, ceiling=5, since=NOW)


def follow(store: Store, rules: Rules, at: datetime) -> Job | None:
    return wishes.follow_plan(store, rules, at, random)


def there(store: Store, servers: int, at: datetime) -> None:
    """Let a scale-out or scale-in have ended with so many servers."""
    with store.write() as connection:
        capacity.put(connection, Capacity(wanted=servers, ready=servers, age_seconds=0, stale=False), at)


def test_a_lost_colos_servers_are_asked_for_once_and_go_when_it_is_back(store: Store, rules: Rules) -> None:
    lost = dataclasses.replace(rules, absence=LOST)
    assert follow(store, rules, NOW) is None
    job = follow(store, lost, NOW)
    assert job is not None
    assert (job.action, job.variables) == ("scale_out", {"wanted_servers": 2})
    assert "and 2 in place of the lost colo's" in job.reason
    assert follow(store, lost, NOW + MINUTE) is None
    run_to_end(store, job, NOW + MINUTE)
    there(store, 2, NOW + MINUTE)
    assert follow(store, lost, NOW + 2 * MINUTE) is None

    back = dataclasses.replace(rules, absence=Absence(0, 0, NOW + 30 * MINUTE, over=True))
    gone = follow(store, back, NOW + 31 * MINUTE)
    assert gone is not None
    assert (gone.action, gone.variables) == ("scale_in", {"wanted_servers": 0})
    run_to_end(store, gone, NOW + 32 * MINUTE)
    there(store, 0, NOW + 32 * MINUTE)
    assert follow(store, back, NOW + 33 * MINUTE) is None

    hear(store, back, body(), at=NOW + 34 * MINUTE)  # a crowd that comes after the return is answered as ever
    run_to_end(store, all_jobs(store)[-1], NOW + 35 * MINUTE)
    there(store, 2, NOW + 35 * MINUTE)
    assert follow(store, back, NOW + 60 * MINUTE) is None


def test_servers_that_hands_removed_before_the_loss_are_made_again(store: Store, rules: Rules) -> None:
    lost = dataclasses.replace(rules, absence=LOST)
    there(store, 4, NOW - MINUTE)  # and an operator's playbook removed them
    with store.read() as connection:
        assert situations.counted(connection, lost, NOW) is None
    job = follow(store, lost, NOW)
    assert job is not None
    assert job.variables == {"wanted_servers": 2}
    assert "from a number that is not known to 2 servers" in job.reason


def test_alerts_add_to_a_lost_colos_servers_and_never_go_below_them(store: Store, rules: Rules) -> None:
    lost = dataclasses.replace(rules, absence=LOST)
    there(store, 2, NOW)
    hear(store, lost, body())
    assert all_jobs(store)[-1].variables == {"wanted_servers": 4}
    run_to_end(store, all_jobs(store)[-1], NOW)
    there(store, 2, NOW)
    hear(store, lost, body("BookingIdle", fingerprint="f2"), at=NOW + 30 * MINUTE)
    assert "the capacity plan wants 2" in entries(store)[-1].reason


def test_a_cloud_that_cannot_is_asked_again_later_and_not_all_the_time(store: Store, rules: Rules) -> None:
    lost = dataclasses.replace(rules, absence=LOST)
    job = follow(store, lost, NOW)
    assert job is not None
    run_to_end(store, job, NOW, JobState.FAILED)
    assert follow(store, lost, NOW + 0.5 * MINUTE) is None
    assert follow(store, lost, NOW + MINUTE) is not None


def test_the_plan_that_is_shown_tells_of_the_colo(store: Store, rules: Rules) -> None:
    shown = questions.plan(store, dataclasses.replace(rules, absence=LOST), NOW, 2)
    assert (shown.servers, len(shown.hours)) == (2, 2)
    assert shown.reason == "there is no calendar, and 2 in place of the lost colo's"
