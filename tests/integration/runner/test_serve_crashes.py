"""The whole service, killed again and again under a storm of alerts: none is lost, and nothing is done twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.execute import processes
from runner.store.engine import open_store
from tests.integration.runner import storm
from tests.integration.runner.installations import Installation
from tests.integration.runner.waiting import until

ALERTS, KILLS = 1000, 20


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = storm.install(Installation(tmp_path), tmp_path / "journal", storm.TICKING)
    made.more |= {"UNDERSTUDY_LEASE_SECONDS": "30"}  # what the killed one left is ended by the next, not by its lease
    yield made
    made.stop_all()


def _live(installation: Installation, senders: storm.Senders, kill: int, dice: random.Random) -> None:
    """Live until the moment of the kill: somewhere in the start, while alerts are taken, or while playbooks run."""
    journal = installation.folder / "journal"
    before, taken = storm.under_way(journal), len(senders.taken)
    if kill % 4 == 1:
        until(lambda: len(senders.taken) > taken, 180, "alerts are taken")
    elif kill % 4 == 0:  # these lives bring alerts of a new target, see storm.target_of
        until(lambda: storm.under_way(journal) - before, 180, "a playbook runs")
    time.sleep(dice.uniform(0.0, 1.5))


@pytest.mark.long
def test_a_thousand_alerts_while_the_service_is_killed_twenty_times(installation: Installation) -> None:
    dice = random.Random(20261125)
    share = ALERTS // KILLS
    former: set[tuple[int, int | None]] = set()
    with storm.Senders(installation) as senders:
        for kill in range(KILLS):
            installation.serve()
            senders.send(range(kill * share, (kill + 1) * share))
            _live(installation, senders, kill, dice)
            former |= {(pid, processes.started_at(pid)) for pid in installation.processes()}
            installation.kill()
        ready = installation.log.count("event=serve_ready")
        service = installation.serve()
        until(lambda: installation.log.count("event=serve_ready") > ready, 180, "the service is ready")
        # The preloaded Ansible and every playbook of earlier lives were ended by the service itself.
        until(lambda: not any(processes.alive(*each) for each in former), 60, "nothing of earlier lives is left")
        store = open_store(f"sqlite:///{installation.folder}/state/store.db")
        storm.settled(installation, store, [senders], ALERTS)
    storm.check_ledger(installation, store, [senders])
    store.close()
    assert storm.check_runs(installation, installation.folder / "journal", ALERTS) > 0, (
        "no kill met a playbook, so nothing was proven"
    )
    service.terminate()
    assert service.wait(30) == 0
    until(lambda: not installation.processes(), 60, "nothing is left")


def test_what_a_killed_service_left_running_is_ended_before_it_runs_anew(installation: Installation) -> None:
    journal, gate = installation.folder / "journal", installation.folder / "gate"
    storm.install(installation, journal, storm.waiting_at(gate))
    installation.ready(installation.serve())
    guard = next(number for number in range(4) if storm.kind_of(number) == "guard")
    with storm.Senders(installation) as senders:
        senders.send([guard])
        until(lambda: len(storm.at_the_gate(installation)) == 1, 180, "the playbook waits")
    [orphan] = storm.at_the_gate(installation)
    installation.kill()
    assert storm.at_the_gate(installation) == [orphan]
    installation.serve()
    until(lambda: len(storm.under_way(journal)) == 2, 180, "it runs anew")
    assert orphan not in storm.at_the_gate(installation)
    gate.touch()
    until(lambda: installation.jobs()[0]["state"] == "succeeded", 180, "the job ended")
    [job] = installation.jobs()
    assert storm.of_job(journal, job["id"]) == [(1, "begin"), (2, "begin"), (2, "end")]
