from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from runner.errors import NotFound
from runner.model import ENDED, NEXT, Job, JobState
from runner.store import events, jobs
from runner.store.engine import Store
from tests.integration.runner.store.examples import LATER, NOON, job, told

QUEUED, RUNNING = frozenset({JobState.QUEUED}), frozenset({JobState.RUNNING})


def keep(store: Store, *given: Job, lock: str = "capacity") -> None:
    with store.write() as connection:
        for each in given:
            jobs.add(connection, each, lock)


def test_a_job_comes_back_as_it_was_kept(store: Store) -> None:
    full = job(
        "a", JobState.FAILED, approvals_needed=2, approved_by=("kim", "lee"), started_at=NOON, ended_at=LATER,
        attempt=2, node="n1", outcome="One host failed.", acknowledged_by="park",
    )  # fmt: skip
    keep(store, full)
    with store.read() as connection:
        assert jobs.get(connection, "a") == full
        assert jobs.lock_of(connection, "a") == "capacity"
        assert jobs.exists(connection, "a")
        assert not jobs.exists(connection, "b")


def test_a_job_that_is_not_there_is_not_found(store: Store) -> None:
    with store.read() as connection:
        for ask in (jobs.get, jobs.lock_of):
            with pytest.raises(NotFound, match="no job 'b'"):
                ask(connection, "b")


def test_a_job_moves_from_an_expected_state_and_takes_its_changes_along(store: Store) -> None:
    keep(store, job("a"))
    with store.write() as connection:
        moved = jobs.move(connection, "a", QUEUED, JobState.RUNNING, started_at=LATER, attempt=1, node="n1")
    assert moved == job("a", JobState.RUNNING, started_at=LATER, attempt=1, node="n1")


def test_a_job_in_another_state_stays_as_it_is(store: Store) -> None:
    keep(store, job("a", JobState.WAITING))
    with store.write() as connection:
        assert jobs.move(connection, "a", QUEUED, JobState.RUNNING, attempt=1) is None
        assert jobs.move(connection, "b", QUEUED, JobState.RUNNING) is None
        assert jobs.get(connection, "a") == job("a", JobState.WAITING)


@pytest.mark.parametrize(("state", "to"), list(itertools.product(JobState, JobState)))
def test_a_move_is_allowed_exactly_where_the_life_of_a_job_allows_it(
    sqlite_store: Store, state: JobState, to: JobState
) -> None:
    keep(sqlite_store, job("a", state))
    with sqlite_store.write() as connection:
        if to in NEXT[state]:
            moved = jobs.move(connection, "a", {state}, to)
            assert moved
            assert moved.state is to
        else:
            with pytest.raises(ValueError, match=f"never goes from {state} to {to}"):
                jobs.move(connection, "a", {state}, to)


@pytest.mark.parametrize("holding", [JobState.RUNNING, JobState.CANCELLING])
def test_a_lock_that_is_held_refuses_without_spoiling_the_transaction(store: Store, holding: JobState) -> None:
    keep(store, job("a", holding), job("b"))
    with store.write() as connection:
        assert jobs.move(connection, "b", QUEUED, JobState.RUNNING) is None
        jobs.change(connection, "b", QUEUED, outcome="Waits for a.")
    with store.read() as connection:
        assert jobs.get(connection, "b") == job("b", outcome="Waits for a.")
        held = jobs.holder(connection, "capacity")
        assert held
        assert held.id == "a"
        assert jobs.holder(connection, "image") is None


def test_a_lock_is_free_when_its_job_has_ended_and_another_lock_never_disturbs(store: Store) -> None:
    keep(store, job("a", JobState.RUNNING), job("b"))
    keep(store, job("c"), lock="image")
    with store.write() as connection:
        assert jobs.move(connection, "c", QUEUED, JobState.RUNNING)
        assert jobs.move(connection, "a", RUNNING, JobState.SUCCEEDED, ended_at=LATER)
        assert jobs.move(connection, "b", QUEUED, JobState.RUNNING)


def test_of_two_that_race_for_one_lock_one_gets_it(store: Store) -> None:
    rounds = 20
    for number in range(rounds):
        keep(store, job(f"{number}-a"), job(f"{number}-b"), lock=f"lock-{number}")
    barrier = Barrier(2)

    def claim(name: str) -> list[bool]:
        won = []
        for number in range(rounds):
            barrier.wait(timeout=20)
            with store.write() as connection:
                won.append(jobs.move(connection, f"{number}-{name}", QUEUED, JobState.RUNNING) is not None)
        return won

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(claim, "ab")
    assert [one + other for one, other in zip(first, second, strict=True)] == [1] * rounds


def test_of_two_that_claim_one_job_one_gets_it(store: Store) -> None:
    rounds = 20
    for number in range(rounds):
        keep(store, job(f"{number}"), lock=f"lock-{number}")
    barrier = Barrier(2)

    def claim(_: str) -> list[bool]:
        won = []
        for number in range(rounds):
            barrier.wait(timeout=20)
            with store.write() as connection:
                won.append(jobs.move(connection, f"{number}", QUEUED, JobState.RUNNING) is not None)
        return won

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(claim, "ab")
    assert [one + other for one, other in zip(first, second, strict=True)] == [1] * rounds


def test_jobs_are_listed_by_what_is_asked_of_them(store: Store) -> None:
    ended = {"started_at": NOON, "ended_at": LATER}
    keep(store, job("a", JobState.SUCCEEDED, **ended), job("b", JobState.FAILED, **ended), job("c"), job("d"))
    keep(store, job("e", JobState.RUNNING, action="bake_image"), lock="image")

    def ids(found: tuple[Job, ...]) -> str:
        return "".join(each.id for each in found)

    with store.read() as connection:
        assert ids(jobs.page(connection, limit=3)) == "edc"
        assert ids(jobs.page(connection, before_id="c")) == "ba"
        assert ids(jobs.page(connection, states=ENDED)) == "ba"
        assert ids(jobs.page(connection, action="bake_image")) == "e"
        assert ids(jobs.active(connection)) == "cde"
        assert ids(jobs.queued_in_order(connection)) == "cd"
        assert ids(jobs.ended_since(connection, LATER)) == "ab"
        assert jobs.ended_since(connection, LATER + timedelta(microseconds=1)) == ()
        assert jobs.durations(connection, "scale_out") == (300.0,)
        assert jobs.durations(connection, "bake_image") == ()


def test_the_name_of_a_job_can_be_read_and_sorted() -> None:
    assert jobs.new_id("scale_out", NOON, 0x4F2A) == "20261125-1200-scale_out-4f2a"


def test_events_are_numbered_from_one_without_gaps_also_by_two_writers_at_once(store: Store) -> None:
    keep(store, job("a"), job("b"))
    barrier = Barrier(2)

    def tell(name: str) -> None:
        for number in range(20):
            barrier.wait(timeout=20)
            with store.write() as connection:
                events.append(connection, "a", [told(f"{name}{number}"), told(f"{name}{number}, too")])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tell, "xy"))
    with store.read() as connection:
        numbers = [each.number for each in events.since(connection, "a")]
        assert numbers == list(range(1, 81))
        assert events.since(connection, "b") == ()


def test_a_rolled_back_event_leaves_no_gap(store: Store) -> None:
    keep(store, job("a"))

    def fail() -> None:
        with store.write() as connection:
            events.append(connection, "a", [told("lost")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.write() as connection:
        (first,) = events.append(connection, "a", [told("kept")])
        assert first.number == 1
        assert events.append(connection, "a", []) == ()
        events.append(connection, "a", [told("next")])
        assert [each.text for each in events.since(connection, "a", number=1)] == ["next"]
        assert [each.text for each in events.since(connection, "a", limit=1)] == ["kept"]


def test_a_job_that_is_not_there_has_no_story(store: Store) -> None:
    with pytest.raises(NotFound, match="no job 'gone'"), store.write() as connection:
        events.append(connection, "gone", [told("nothing")])
