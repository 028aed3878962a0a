"""Two whole services on one PostgreSQL: what one cannot go on with the other does, and never both at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runner.execute.scratch import memory_root
from runner.store.engine import open_store
from tests.integration.runner import storm
from tests.integration.runner.installations import Installation, alive
from tests.integration.runner.waiting import until

ALERTS, FREEZES = 600, 2
LEASE_SECONDS = 6  # longer than a busy machine keeps a process waiting


@pytest.fixture
def nodes(tmp_path: Path, postgresql_url: str) -> Iterator[list[Installation]]:
    made = []
    for node in ("one", "two"):
        each = Installation(tmp_path / node)
        storm.install(each, tmp_path / "journal", storm.waiting_at(tmp_path / "gate"))
        each.more |= {
            "UNDERSTUDY_NODE_ID": node,
            "UNDERSTUDY_STORE_URL": postgresql_url,
            "UNDERSTUDY_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        made.append(each)
    services = [each.serve() for each in made]
    for each, service in zip(made, services, strict=True):
        each.ready(service)
    yield made
    for each in made:
        each.stop_all()


def _journal(nodes: Sequence[Installation]) -> Path:
    return nodes[0].folder.parent / "journal"


def _runs(node: Installation) -> int:
    """Return how many playbooks run on a node."""
    guards = memory_root(node.folder / "state").glob("*/*/guard")
    return sum(alive(int(words[0])) for each in guards if (words := each.read_text().split()))


def _gate(nodes: Sequence[Installation]) -> Path:
    return nodes[0].folder.parent / "gate"


def _freeze_one(nodes: Sequence[Installation]) -> tuple[Installation, Installation]:
    """Freeze a node of which something runs; return it, and the other.

    Its playbooks wait at that moment. A task that a freeze cuts through goes on when it wakes, for a tenth of a second
    until its guard ends it: no runner can take back what a process has begun.
    """
    frozen: list[Installation] = []

    def freeze() -> bool:
        for node in nodes:
            if not _runs(node) == len(storm.at_the_gate(node)) > 0:
                continue
            node.freeze()
            if _runs(node) == len(storm.at_the_gate(node)):
                frozen.append(node)
                return True
            node.thaw()
        return False

    until(freeze, 180, "a node's playbooks wait at the gate")
    return frozen[0], next(each for each in nodes if each is not frozen[0])


def _count(node: Installation, event: str) -> int:
    return node.log.count(f"event={event}")


@pytest.mark.long
def test_a_storm_on_two_nodes_while_one_is_frozen_and_revived(nodes: list[Installation], postgresql_url: str) -> None:
    share = ALERTS // FREEZES // 2
    with ExitStack() as stack:
        senders = [stack.enter_context(storm.Senders(node)) for node in nodes]
        for turn in range(2 * FREEZES):
            for each in senders:
                each.send(range(turn * share, (turn + 1) * share))
            if turn % 2 == 0:
                frozen, other = _freeze_one(nodes)
                began, taken_over = len(storm.under_way(_journal(nodes))), _count(other, "node_taken_over")
                lives = _count(frozen, "worker_ready")
            else:
                until(lambda at=taken_over, of=other: _count(of, "node_taken_over") > at, 180, "it is taken over")  # type: ignore[misc]
                until(lambda at=began: len(storm.under_way(_journal(nodes))) > at, 180, "the other runs something")  # type: ignore[misc]
                _gate(nodes).touch()  # so that the frozen one would go on at once, if it could
                frozen.thaw()
                until(lambda at=lives, of=frozen: _count(of, "worker_ready") > at, 180, "it begins anew")  # type: ignore[misc]
                until(lambda: {each["state"] for each in nodes[0].jobs()} <= storm.ENDED, 180, "what waited goes on")
                if turn == 1:
                    _gate(nodes).unlink()
        store = open_store(postgresql_url)
        storm.settled(nodes[0], store, senders, ALERTS)
    assert nodes[1].ledger() == nodes[0].ledger()
    storm.check_ledger(nodes[0], store, senders)
    store.close()
    assert storm.check_runs(nodes[0], _journal(nodes), ALERTS) >= FREEZES


def test_a_killed_nodes_job_is_done_by_the_other_unless_it_may_not_repeat(nodes: list[Installation]) -> None:
    guard, bake = (next(n for n in range(4) if storm.kind_of(n) == kind) for kind in ("guard", "bake"))
    journal = _journal(nodes)
    with storm.Senders(nodes[0]) as senders:
        senders.send([guard, bake])
        until(lambda: len(storm.under_way(journal)) == 2, 180, "both playbooks run")
    running = {each["id"]: each["node"] for each in nodes[1].jobs()}
    dead = next(each for each in nodes if each.more["UNDERSTUDY_NODE_ID"] in running.values())
    other = next(each for each in nodes if each is not dead)
    names = (dead.more["UNDERSTUDY_NODE_ID"], other.more["UNDERSTUDY_NODE_ID"])
    dead.stop_all()
    _gate(nodes).touch()
    until(lambda: {each["state"] for each in other.jobs()} <= storm.ENDED, 180, "both jobs ended")
    lost = {job for job, node in running.items() if node == names[0]}
    assert {line["name"] for line in other.ledger()} == {storm.name_of(guard), storm.name_of(bake)}
    for job in other.jobs():
        interrupted = job["id"] in lost
        assert job["node"] == names[1]
        assert job["attempt"] == (2 if interrupted and job["action"] != storm.ONCE_ONLY else 1)
        assert job["state"] == ("failed" if interrupted and job["action"] == storm.ONCE_ONLY else "succeeded")
        told = " ".join(each["text"] for each in other.ask(f"/jobs/{job['id']}/events").json())
        assert (f"{names[1]} takes it over from {names[0]}" in told) == interrupted
        assert storm.of_job(journal, job["id"]) == _written(job)
    storm.check_one_at_a_time(storm.read(journal))


def _written(job: dict[str, Any]) -> list[tuple[int, str]]:
    """Return what the playbook of a job has to have written, by its attempts and its end."""
    begun = [(attempt, "begin") for attempt in range(1, job["attempt"] + 1)]
    return begun + ([(job["attempt"], "end")] if job["state"] == "succeeded" else [])
