"""Nothing is lost and nothing runs twice when the worker is killed at any moment."""

from __future__ import annotations

import collections
import random
import time
from datetime import datetime

from runner.model import AlertStatus, JobState
from runner.store import events, ledger
from runner.store.engine import Store, open_store
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.workers import BEGAN, Bench, all_jobs, idle, post, unjudged

ALERTS, DELIVERIES, KILLS = 60, 1000, 20


def _repeats(store: Store) -> dict[str, int]:
    with store.read() as connection:
        found = [ledger.find(connection, (f"f{number}", BEGAN, AlertStatus.FIRING)) for number in range(ALERTS)]
    return {f"f{number}": entry.repeats for number, entry in enumerate(found) if entry is not None}


def test_a_thousand_deliveries_are_judged_once_while_the_worker_is_killed_twenty_times(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    store = open_store(bench.store_url)
    dice = random.Random(20261125)
    numbers = [number % ALERTS for number in range(DELIVERIES)]
    dice.shuffle(numbers)
    share = DELIVERIES // KILLS
    bench.state("one").mkdir()
    for kill in range(KILLS):
        process = bench.start()
        deadline = time.monotonic() + dice.uniform(0.0, 0.5)
        bench.ready("one", kill // 2)  # some die before they are ready
        post(store, numbers[kill * share : (kill + 1) * share], bench.state("one"))
        until(lambda at=deadline: time.monotonic() >= at, 10, "the moment of the kill")  # type: ignore[misc]
        process.kill()
        process.wait()
    bench.start()
    until(lambda: idle(store), 60, "everything is judged and has ended")
    # Every delivery counts exactly once, as a decision or as a repeat.
    repeats = _repeats(store)
    assert len(repeats) == ALERTS
    assert sum(repeats.values()) + ALERTS == DELIVERIES
    assert unjudged(store) == 0
    _each_ran_once(bench, store)
    store.close()


def _each_ran_once(bench: Bench, store: Store) -> None:
    """See that each alert has one job, and that each start beyond the first followed an interruption that is told."""
    found = all_jobs(store)
    assert sorted(collections.Counter(job.target for job in found).values()) == [1] * ALERTS
    begins = collections.Counter(str(line["job"]) for line in bench.journal("begin"))
    over_again = 0
    for job in found:
        assert begins[job.id] <= job.attempt
        assert job.state is JobState.SUCCEEDED or (job.action == "once_only" and job.state is JobState.FAILED)
        assert begins[job.id] <= 1 or job.action != "once_only"
        with store.read() as connection:
            told = [each.text for each in events.since(connection, job.id)]
        over = [text for text in told if text.endswith((", after an interruption.", ", again."))]
        assert len(over) == max(job.attempt, 1) - 1
        over_again += job.attempt - 1
    assert over_again <= KILLS * 4  # one for each lock that a kill can hit
    _never_two_at_once(bench)


def _never_two_at_once(bench: Bench) -> None:
    """See in the journal that no process began a job while another that lived had not ended it."""
    running: dict[str, int] = {}
    for line in bench.journal():
        job, pid = str(line.get("job")), line["pid"]
        if line["what"] == "begin":
            assert running.get(job) != pid, f"{job} began twice in process {pid}"
            running[job] = int(str(pid))
        elif line["what"] != "process":
            assert running.pop(job) == pid


def test_a_job_begins_once_more_when_the_worker_is_back(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_seconds = 3.0
    store = open_store(bench.store_url)
    bench.state("one").mkdir()
    first = bench.start()
    bench.ready("one")
    post(store, [0], bench.state("one"))
    until(lambda: len(bench.journal("begin")) == 1, 10, "the run began")
    first.kill()
    first.wait()
    bench.start()
    until(lambda: len(bench.journal("begin")) == 2, 20, "the run began again")
    back = datetime.fromisoformat(str(bench.journal("process")[-1]["at"]))
    again = datetime.fromisoformat(str(bench.journal("begin")[-1]["at"]))
    print(f"went on {(again - back).total_seconds():.2f} s after the process was back (goal 1)")
    until(lambda: idle(store), 20, "it ended")
    assert [job.attempt for job in all_jobs(store)] == [2]
    store.close()


def test_an_action_that_may_not_repeat_is_failed_after_an_interruption(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_seconds = 20.0
    store = open_store(bench.store_url)
    bench.state("one").mkdir()
    first = bench.start()
    bench.ready("one")
    post(store, [3], bench.state("one"))
    until(lambda: len(bench.journal("begin")) == 1, 10, "the run began")
    first.kill()
    first.wait()
    bench.start()
    until(lambda: idle(store), 20, "it ended")
    [job] = all_jobs(store)
    assert job.state is JobState.FAILED
    assert "may not repeat" in (job.outcome or "")
    assert len(bench.journal("begin")) == 1
    store.close()
