from __future__ import annotations

import dataclasses
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy

from runner.model import AlertStatus, Capacity, JobState, Verdict
from runner.store import (
    brake,
    capacity,
    events,
    heartbeats,
    inbox,
    jobs,
    ledger,
    marks,
    nodes,
    outbox,
    retention,
    schedules,
)
from runner.store.brake import Brake
from runner.store.engine import Store, open_store
from runner.store.ledger import Entry
from tests.integration.runner.store.examples import LATER, NOON, job, told

SECOND = timedelta(seconds=1)
ENTRY = Entry(
    at=NOON, source="alertmanager", name="BookingSlow", verdict=Verdict.RUN, reason="The crowd is here.",
    labels={"alertname": "BookingSlow"}, fingerprint="f1", starts_at=NOON - SECOND, status=AlertStatus.FIRING,
    policy="crowd", action="scale_out", target="capacity", until=LATER, job_id="a", delivery_id=7,
)  # fmt: skip


def arrival(body: bytes) -> inbox.Arrival:
    return inbox.Arrival(NOON, "colo", "application/json", body)


def test_deliveries_wait_in_their_order_until_each_is_judged_once(store: Store) -> None:
    with store.write() as connection:
        assert inbox.waiting(connection) == (0, None)
        inbox.append(connection, [])
        inbox.append(connection, [arrival(b"\0one"), arrival(b"two"), arrival(b"three")])
    with store.write() as connection:
        first, second = inbox.unjudged(connection, limit=2)
        assert (first.body, second.body, first.received_at, first.token) == (b"\0one", b"two", NOON, "colo")
        assert inbox.mark_judged(connection, first.id, LATER)
        assert not inbox.mark_judged(connection, first.id, LATER)
        assert inbox.mark_judged(connection, second.id, LATER, problem="not understood")
        assert [each.body for each in inbox.unjudged(connection, limit=9)] == [b"three"]
        assert inbox.waiting(connection) == (1, NOON)


def test_an_alert_is_found_again_by_its_identity_and_by_nothing_less(store: Store) -> None:
    with store.write() as connection:
        number = ledger.add(connection, ENTRY)
        kept = dataclasses.replace(ENTRY, id=number, last_at=NOON)
        assert ledger.find(connection, ("f1", NOON - SECOND, AlertStatus.FIRING)) == kept
        assert ledger.get(connection, number) == kept
        assert ledger.get(connection, number + 1) is None
        assert ledger.find(connection, ("f1", NOON - SECOND, AlertStatus.RESOLVED)) is None
        assert ledger.find(connection, ("f1", NOON, AlertStatus.FIRING)) is None
        assert ledger.find(connection, ("f2", NOON - SECOND, AlertStatus.FIRING)) is None


def test_an_alert_that_comes_again_is_counted_on_its_row(store: Store) -> None:
    with store.write() as connection:
        number = ledger.add(connection, ENTRY)
        assert [ledger.repeat(connection, number, LATER) for _ in range(2)] == [1, 2]
        found = ledger.get(connection, number)
        assert found
        assert (found.repeats, found.last_at, found.at) == (2, LATER, NOON)


def test_the_ledger_refuses_a_second_row_of_one_alert_and_takes_any_number_of_wishes(store: Store) -> None:
    wish = dataclasses.replace(ENTRY, source="wish of kim", fingerprint=None, starts_at=None, status=None)
    with store.write() as connection:
        ledger.add(connection, ENTRY)
        ledger.add(connection, wish)
        ledger.add(connection, wish)
    with pytest.raises(sqlalchemy.exc.IntegrityError), store.write() as connection:
        ledger.add(connection, ENTRY)


def test_the_ledger_is_read_in_pages_newest_first(store: Store) -> None:
    with store.write() as connection:
        numbers = [
            ledger.add(connection, dataclasses.replace(ENTRY, fingerprint=f"{n}", name=f"A{n % 2}")) for n in range(5)
        ]
        held = ledger.add(connection, dataclasses.replace(ENTRY, verdict=Verdict.HELD))
        assert [each.id for each in ledger.page(connection, limit=2)] == [held, numbers[4]]
        assert [each.id for each in ledger.page(connection, before_id=numbers[1])] == [numbers[0]]
        assert [each.id for each in ledger.page(connection, verdict=Verdict.HELD)] == [held]
        assert [each.id for each in ledger.page(connection, name="A1")] == [numbers[3], numbers[1]]


def test_the_brake_remembers_who_and_why(store: Store) -> None:
    on, off = Brake(True, "storm", "kim", NOON), Brake(False, "over", "lee", LATER)
    with store.write() as connection:
        assert brake.get(connection) is None
        brake.put(connection, on)
        assert brake.get(connection) == on
        brake.put(connection, off)
        assert brake.get(connection) == off
        assert brake.history(connection) == (off, on)


def test_a_firing_is_acted_on_once(store: Store) -> None:
    with store.write() as connection:
        assert schedules.last_fired(connection, "bake") is None
        assert schedules.fired(connection, "bake", NOON, LATER, "a")
        assert not schedules.fired(connection, "bake", NOON, LATER, "b")
        assert schedules.fired(connection, "plan", NOON, LATER)
        assert schedules.fired(connection, "bake", NOON - SECOND, LATER)
        assert schedules.last_fired(connection, "bake") == NOON


def test_a_node_that_beats_is_left_alone_and_one_that_lapsed_is_taken_over_once(store: Store) -> None:
    with store.write() as connection:
        one, two = (nodes.enrol(connection, name, NOON, NOON + 4 * SECOND) for name in ("one", "two"))
        assert nodes.beat(connection, "two", two, NOON + 3 * SECOND, NOON + 7 * SECOND)
        assert nodes.lapsed(connection, NOON + 4 * SECOND) == ()
        (gone,) = nodes.lapsed(connection, NOON + 5 * SECOND)
        assert gone.name == "one"
        assert nodes.take_over(connection, gone, NOON + 4 * SECOND) is None
        assert nodes.take_over(connection, gone, NOON + 5 * SECOND) == one + 1
        assert nodes.take_over(connection, gone, NOON + 5 * SECOND) is None
        assert nodes.lapsed(connection, LATER) == (nodes.get(connection, "two"),)


def test_a_node_that_wakes_up_after_its_takeover_is_told_and_begins_anew_under_a_new_epoch(store: Store) -> None:
    with store.write() as connection:
        epoch = nodes.enrol(connection, "one", NOON, NOON + SECOND)
        (gone,) = nodes.lapsed(connection, LATER)
        nodes.take_over(connection, gone, LATER)
        assert not nodes.beat(connection, "one", epoch, LATER, LATER + SECOND)
        assert not nodes.beat(connection, "one", epoch + 1, LATER, LATER + SECOND)
        anew = nodes.enrol(connection, "one", LATER, LATER + SECOND)
        assert anew > epoch + 1
        assert not nodes.beat(connection, "one", epoch, LATER, LATER + SECOND)
        assert nodes.beat(connection, "one", anew, LATER, LATER + SECOND)


def test_a_node_that_beat_meanwhile_is_not_taken_over(store: Store) -> None:
    with store.write() as connection:
        epoch = nodes.enrol(connection, "one", NOON, NOON + SECOND)
        (slow,) = nodes.lapsed(connection, LATER)
        nodes.beat(connection, "one", epoch, LATER, LATER + SECOND)
        assert nodes.take_over(connection, slow, LATER) is None


def test_a_node_that_left_in_peace_is_not_taken_over(store: Store) -> None:
    with store.write() as connection:
        epoch = nodes.enrol(connection, "one", NOON, NOON + SECOND)
        nodes.remove(connection, "one")
        assert nodes.lapsed(connection, LATER) == ()
        assert not nodes.beat(connection, "one", epoch, LATER, LATER)
        assert [each.name for each in nodes.every(connection)] == ["one"]


def test_the_database_tells_the_time(store: Store) -> None:
    with store.read() as connection:
        first, second = nodes.clock(connection), nodes.clock(connection)
    assert NOON.tzinfo is first.tzinfo
    assert timedelta() <= second - first < timedelta(minutes=1)


def test_a_peer_ends_the_sessions_of_a_node_and_not_its_own(postgresql_url: str) -> None:
    peer = open_store(postgresql_url, name="two")
    with psycopg.connect(postgresql_url, application_name="one") as frozen, peer.write() as connection:
        assert nodes.end_sessions(connection, "one") == 1
        assert nodes.end_sessions(connection, "two") == 0
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("SELECT 1")
    peer.close()


def test_capacity_is_unknown_until_it_is_observed_and_then_grows_old(store: Store) -> None:
    with store.write() as connection:
        assert capacity.get(connection, NOON) is None
        assert not capacity.want(connection, 3)
        capacity.put(connection, Capacity(wanted=2, ready=1, age_seconds=10, stale=False), NOON)
        assert capacity.get(connection, NOON) == Capacity(wanted=2, ready=1, age_seconds=10, stale=False)
        capacity.put(connection, Capacity(wanted=2, ready=2, age_seconds=0, stale=True), NOON)
        assert capacity.want(connection, 5)
        assert capacity.get(connection, LATER) == Capacity(wanted=5, ready=2, age_seconds=300, stale=True)


def test_what_the_quota_allows_is_kept_until_an_observation_says_nothing_of_it(store: Store) -> None:
    seen = Capacity(wanted=2, ready=2, age_seconds=0, stale=False, allowed=4)
    with store.write() as connection:
        capacity.put(connection, seen, NOON)
        capacity.want(connection, 3)
        assert capacity.get(connection, NOON) == dataclasses.replace(seen, wanted=3)
        capacity.put(connection, dataclasses.replace(seen, allowed=None), NOON)
        assert capacity.get(connection, NOON) == dataclasses.replace(seen, allowed=None)


def test_the_latest_heartbeat_and_mark_count_also_when_an_older_one_comes_late(store: Store) -> None:
    with store.write() as connection:
        assert heartbeats.last(connection, "Watchdog") is None
        assert marks.last_fired(connection) == {}
        for at in (NOON, LATER, NOON):
            heartbeats.seen(connection, "Watchdog", at)
            marks.fired(connection, "crowd", at)
        assert heartbeats.last(connection, "Watchdog") == LATER
        assert marks.last_fired(connection) == {"crowd": LATER}


def test_a_notification_is_repeated_until_it_is_sent_or_given_up(store: Store) -> None:
    with store.write() as connection:
        first = outbox.add(connection, NOON, "job_failed", "Job a failed", "One host failed.", job_id="a")
        second = outbox.add(connection, NOON, "alarm", "Silence", "No heartbeat for 3 min.")
        assert [each.id for each in outbox.pending(connection, NOON)] == [first, second]
        outbox.sent(connection, first, NOON)
        assert outbox.failed(connection, second, "timed out", LATER, ("mail",)) == 1
        assert outbox.pending(connection, NOON) == ()
        (again,) = outbox.pending(connection, LATER)
        assert (again.attempts, again.delivered_to, again.problem) == (1, ("mail",), "timed out")
        outbox.gave_up(connection, second, LATER, "timed out 9 times")
        assert outbox.pending(connection, LATER + SECOND) == ()


def test_a_notification_is_sent_by_one_node(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    with store.write() as connection:
        outbox.add(connection, NOON, "alarm", "Silence", "No heartbeat for 3 min.")
    with store.write() as one, store.write() as other:
        assert len(outbox.pending(one, NOON)) == 1
        assert outbox.pending(other, NOON) == ()
    store.close()


def test_retention_forgets_what_is_over_and_keeps_what_is_not(store: Store) -> None:
    with store.write() as connection:
        inbox.append(connection, [arrival(b"judged"), arrival(b"waits")])
        inbox.mark_judged(connection, 1, NOON)
        ledger.add(connection, ENTRY)
        came_again = ledger.add(connection, dataclasses.replace(ENTRY, fingerprint="f2"))
        ledger.repeat(connection, came_again, LATER)
        jobs.add(connection, job("a", JobState.SUCCEEDED, ended_at=NOON), "capacity")
        jobs.add(connection, job("b", JobState.RUNNING), "capacity")
        events.append(connection, "a", [told("over"), told("over, too")])
        events.append(connection, "b", [told("not over")])
        for moment in (NOON - SECOND, NOON):
            schedules.fired(connection, "bake", moment, moment)
            brake.put(connection, Brake(True, "storm", "kim", moment))
            outbox.add(connection, moment, "alarm", "Silence", "No heartbeat.")
        outbox.sent(connection, 1, NOON)
    with store.write() as connection:
        found = retention.delete_before(connection, LATER)
        assert found == retention.Forgotten(
            deliveries=1, ledger=1, jobs=1, events=2, firings=1, notifications=1, brake=1
        )
        assert [each.body for each in inbox.unjudged(connection, 9)] == [b"waits"]
        assert [each.id for each in ledger.page(connection)] == [came_again]
        assert [each.id for each in jobs.page(connection)] == ["b"]
        assert len(events.since(connection, "b")) == 1
        assert schedules.last_fired(connection, "bake") == NOON
        assert brake.get(connection) == Brake(True, "storm", "kim", NOON)
        assert len(outbox.pending(connection, LATER)) == 1
        assert not any(dataclasses.asdict(retention.delete_before(connection, LATER)).values())
