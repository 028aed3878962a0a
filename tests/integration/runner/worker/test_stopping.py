"""Jobs and workers are stopped: by a person, for an upgrade, and with a broken file of rules."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

from runner.model import JobState
from runner.service import wishes
from runner.service.wake import wake
from runner.store.engine import Store, open_store
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.program import POLICIES
from tests.integration.runner.worker.workers import Bench, all_jobs, idle, post, unjudged


def _started(bench: Bench, *numbers: int) -> Store:
    store = open_store(bench.store_url)
    bench.state("one").mkdir()
    bench.start()
    bench.ready("one")
    post(store, numbers, bench.state("one"))
    until(lambda: len(bench.journal("begin")) == 1, 10, "the run began")
    return store


def test_a_running_job_is_cancelled_and_the_next_of_its_lock_begins(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_seconds = 30.0
    store = _started(bench, 0, 4)
    first = min(all_jobs(store), key=lambda job: job.target)
    assert {job.state for job in all_jobs(store)} == {JobState.RUNNING, JobState.QUEUED}
    wishes.cancel(store, first.id, "lee", datetime.now(UTC))
    wake(bench.state("one"))
    until(lambda: len(bench.journal("begin")) == 2, 10, "the next began")
    assert {job.id: job.state for job in all_jobs(store)}[first.id] is JobState.CANCELLED
    store.close()


def test_a_draining_worker_ends_what_runs_and_takes_nothing_new(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_seconds = 1.5
    store = _started(bench, 0)
    bench.processes[-1].send_signal(signal.SIGTERM)
    until(lambda: all_jobs(store)[0].state is JobState.SUCCEEDED, 10, "the job ended")
    assert bench.processes[-1].wait(10) == 0
    post(store, [1], bench.state("one"))
    assert unjudged(store) == 1
    bench.start()
    until(lambda: idle(store) and len(all_jobs(store)) == 2, 20, "the next worker did it")
    store.close()


def test_what_does_not_end_while_draining_goes_on_at_the_next_start(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.run_seconds = 7.0
    store = _started(bench, 0)
    bench.processes[-1].send_signal(signal.SIGTERM)
    assert bench.processes[-1].wait(20) == 0
    assert all_jobs(store)[0].state is JobState.RUNNING
    bench.run_seconds = 0.1
    bench.start()
    until(lambda: idle(store), 20, "it ended")
    assert (all_jobs(store)[0].state, all_jobs(store)[0].attempt) == (JobState.SUCCEEDED, 2)
    store.close()


def test_a_broken_file_of_rules_is_refused_and_no_alert_is_lost(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    store = _started(bench, 0)
    file = bench.folder / "policies.yml"
    file.write_text(POLICIES.replace("mend_a", "mend_everything"))
    wake(bench.state("one"))
    until(lambda: "event=rules_refused" in bench.log(), 10, "the new file is refused")
    post(store, [4], bench.state("one"))
    until(lambda: len(all_jobs(store)) == 2, 10, "the old rules hold")
    file.write_text(POLICIES.replace("DeadA", "DeadZ"))
    wake(bench.state("one"))
    until(lambda: "event=rules_loaded" in bench.log(), 10, "the corrected file is loaded")
    post(store, [8], bench.state("one"))
    until(lambda: unjudged(store) == 0, 10, "it is judged")
    assert len(all_jobs(store)) == 2
    store.close()
