"""Two workers on one PostgreSQL: a dead or frozen one is replaced, and never do both run a job."""

from __future__ import annotations

import signal
import subprocess

from runner.execute.lease import seconds_since_boot
from runner.model import JobState
from runner.store import ledger
from runner.store.engine import Store, open_store
from tests.integration.runner.waiting import until
from tests.integration.runner.worker.program import LEASE_SECONDS
from tests.integration.runner.worker.workers import Bench, all_jobs, idle, post

MOST_LEASES = 5  # a busy machine is no fault; one lease is enough on a quiet one


def _two(bench: Bench) -> None:
    for node in ("one", "two"):
        bench.state(node).mkdir()


def test_two_workers_share_the_jobs_and_run_each_once(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    _two(bench)
    store = open_store(bench.store_url)
    for node in ("one", "two"):
        bench.start(node)
        bench.ready(node)
    post(store, [*range(40), *range(40)], bench.state("one"), bench.state("two"))
    until(lambda: idle(store) and len(all_jobs(store)) == 40, 60, "all ended")
    assert {job.state for job in all_jobs(store)} == {JobState.SUCCEEDED}
    begins = [str(line["job"]) for line in bench.journal("begin")]
    assert sorted(begins) == sorted(job.id for job in all_jobs(store))
    store.close()


def _both_and_who_began(bench: Bench, store: Store) -> tuple[str, str, subprocess.Popen[bytes]]:
    """Start both workers and a job; return who runs it, the other, and the process of the first."""
    workers = {node: bench.start(node) for node in ("one", "two")}
    for node in workers:
        bench.state(node).mkdir(exist_ok=True)
        bench.ready(node)
    post(store, [0], bench.state("one"))
    until(lambda: len(bench.journal("begin")) == 1, 10, "the run began")
    first = str(bench.journal("begin")[0]["node"])
    return first, "two" if first == "one" else "one", workers[first]


def _deadline(bench: Bench, node: str) -> float:
    """Return when the lease of a worker's runs ends, or ended."""
    [lease] = bench.state(node).glob("lease-*[0-9]")
    return float(lease.read_text())


def _taken_over(bench: Bench, deadline: float) -> None:
    """Wait until the other one began: not before the end of the lease, and not many leases later."""
    until(lambda: len(bench.journal("begin")) == 2, 60, "the other one took over")
    late = seconds_since_boot() - deadline
    print(f"taken over {late:.1f} s after the end of the lease of {LEASE_SECONDS:.0f} s")
    assert 0 <= late < MOST_LEASES * LEASE_SECONDS


def test_a_frozen_worker_is_replaced_and_its_job_done_by_the_other_and_begins_anew_when_it_wakes(
    postgresql_bench: Bench,
) -> None:
    bench = postgresql_bench
    bench.run_seconds = 8.0
    store = open_store(bench.store_url)
    first, other, frozen = _both_and_who_began(bench, store)
    frozen.send_signal(signal.SIGSTOP)
    _taken_over(bench, _deadline(bench, first))
    frozen.send_signal(signal.SIGCONT)
    bench.ready(first, 2)
    until(lambda: idle(store), 30, "the job ended")
    [job] = all_jobs(store)
    assert (job.state, job.node, job.attempt) == (JobState.SUCCEEDED, other, 2)
    # What the frozen one still did was to end its run, after it woke.
    assert [line["node"] for line in bench.journal("begin")] == [first, other]
    assert [line["node"] for line in bench.journal("succeeded")] == [other]
    # Begun anew, it works again.
    post(store, [1], bench.state("one"), bench.state("two"))
    until(lambda: idle(store) and len(all_jobs(store)) == 2, 30, "the next job ended")
    store.close()


def test_a_thousand_deliveries_on_two_workers_while_one_is_frozen_and_revived(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    _two(bench)
    store = open_store(bench.store_url)
    workers = {node: bench.start(node) for node in ("one", "two")}
    for node in workers:
        bench.ready(node)
    numbers = [number % 100 for number in range(1000)]
    for turn in range(4):
        post(store, numbers[turn * 250 : turn * 250 + 125], bench.state("one"), bench.state("two"))
        frozen, other = ("one", "two") if turn % 2 == 0 else ("two", "one")
        lives, taken = bench.log(frozen).count("event=worker_ready"), bench.log(other).count("event=node_taken_over")
        workers[frozen].send_signal(signal.SIGSTOP)
        until(lambda at=taken, node=other: bench.log(node).count("event=node_taken_over") > at, 10, "taken over")  # type: ignore[misc]
        post(store, numbers[turn * 250 + 125 : turn * 250 + 250], bench.state(other))
        workers[frozen].send_signal(signal.SIGCONT)
        bench.ready(frozen, lives + 1)
    until(lambda: idle(store), 60, "everything is judged and has ended")
    found = all_jobs(store)
    assert len(found) == 100
    assert len({job.target for job in found}) == 100
    with store.read() as connection:
        assert sum(entry.repeats for entry in ledger.page(connection, limit=1000)) == 900
    _never_on_both(bench)
    store.close()


def _never_on_both(bench: Bench) -> None:
    """See that an attempt that was replaced did no more than end, and that few were done over again.

    A node that freezes between the end of a run and its record leaves nothing of that end: the action, which may
    repeat, is done over again. That is one job for each lock and freeze at most, and none that may not repeat.
    """
    latest: dict[str, object] = {}
    succeeded: list[str] = []
    for line in bench.journal():
        job = str(line.get("job"))
        if line["what"] == "begin":
            latest[job] = line["attempt"]
        elif line["what"] == "succeeded":
            assert line["attempt"] == latest[job]
            succeeded.append(job)
    twice = [job for job in succeeded if succeeded.count(job) > 1]
    assert len(set(twice)) <= 4 * 3
    assert not any("once_only" in job for job in twice)


def test_a_dead_worker_is_replaced_and_its_job_done_by_the_other(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    bench.run_seconds = 6.0
    store = open_store(bench.store_url)
    first, other, dead = _both_and_who_began(bench, store)
    dead.kill()
    dead.wait()
    _taken_over(bench, _deadline(bench, first))
    assert bench.journal("begin")[-1]["node"] == other
    until(lambda: idle(store), 20, "the job ended")
    store.close()
