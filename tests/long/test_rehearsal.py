"""A failover is rehearsed beside the show, reaches nothing of it, gives way to an alarm, and leaves nothing."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab import faults
from lab.drills import damage
from tests.acceptance.conftest import ROOT, Lab, eventually
from tests.acceptance.crowds import Crowd, clean, nobody_was_let_down
from tests.long.test_backup import as_postgres, playbook
from tests.long.test_failover_alone import carried_out
from tests.long.test_proof import backup, figures, said

__all__ = ["backup"]  # fixture

SERVER, GROUP, WATCHER = "cloud-rehearsal1", "understudy-rehearsal", "cloud-ops1"
HISTORIES = "pgbackrest --stanza=understudy --recurse --filter=history repo-ls archive/understudy"
PROOFS = "psql -AtX booking -c \"SELECT count(*) FROM bookings WHERE customer_name = 'Understudy proof'\""
REFUSED = "The rehearsal was stopped, and nothing of it is left."
pytestmark = pytest.mark.usefixtures("brakes", "backup")


def left(cloud: Any) -> list[str]:
    """List what the cloud still has of a rehearsal."""
    found = [f"server {each.name}" for each in cloud.compute.servers() if each.name == SERVER]
    return found + [f"group {each.name}" for each in cloud.network.security_groups() if each.name == GROUP]


def is_calm(lab: Lab) -> bool:
    done = lab.on(WATCHER, "sudo amtool alert query severity=critical --output=json")
    return done.ok and not json.loads(done.out)


@pytest.fixture(autouse=True)
def calm(lab: Lab) -> None:
    eventually(lambda: is_calm(lab), 120, "no critical alert fires")


@pytest.fixture
def alarm(lab: Lab) -> Iterator[Callable[[], str]]:
    """Let an alarm fire when it is called, and say what is told of it; silence it afterwards."""
    labels = f"alertname=RehearsalTest instance=nowhere-{time.time_ns()}"

    def fire() -> str:
        assert lab.on(WATCHER, f"sudo amtool alert add {labels} severity=critical").ok
        return f"An alarm is live, and has the right of way: RehearsalTest at {labels.rpartition('=')[2]}"

    yield fire
    assert lab.on(WATCHER, f"sudo amtool silence add {labels} --duration=1h --comment=test").ok


@pytest.fixture
def damaged(site: faults.Lab) -> Iterator[str]:
    yield damage.corrupt(site)["damaged"]
    damage.mend(site)


def test_a_ticket_is_sold_from_the_backups_and_nothing_of_it_reaches_the_show(
    lab: Lab, site: faults.Lab, cloud: Any
) -> None:
    histories, proofs = as_postgres(lab, HISTORIES), as_postgres(lab, PROOFS)
    crowd = Crowd(site, "rehearsal", seconds=120, arrivals=3)
    done = playbook("rehearse_failover")
    report, _, audit = crowd.end()
    assert done.ok, done.out[-3000:] + done.err
    told = re.search(
        r"Rehearsed in (\d+) s: a host after (\d+) s, the backups restored after (\d+) s, a database that leads after "
        r"(\d+) s, a ticket after (\d+) s; nothing of the server is left",
        said(done),
    )
    assert told, done.out[-3000:]
    seconds, host, restored, leading, ticket = map(int, told.groups())
    assert 0 < host < restored <= leading <= ticket < seconds < 300
    assert left(cloud) == []
    assert as_postgres(lab, HISTORIES) == histories  # its timeline stayed with it
    assert as_postgres(lab, PROOFS) == proofs  # and so did its ticket
    nobody_was_let_down(report)
    clean(audit)  # the payment company of the show was charged for nothing
    kept = figures(lab, "rehearsal")
    assert kept["understudy_rehearsal_ok"] == 1
    assert kept['understudy_rehearsal_reached_seconds{until="ticket"}'] == ticket
    assert kept["understudy_rehearsal_newest_booking_age_seconds"] < 200  # customers bought all the time
    newest = max((ROOT / "reports/evidence").glob("*-rehearsal"))
    assert json.loads((newest / "result.json").read_text(encoding="utf-8"))["ticket_s"] == ticket
    assert json.loads((newest / "leading.json").read_text(encoding="utf-8"))["timeline"] > 1
    assert (newest / "manifest.json.sig").exists()


def test_nothing_is_made_while_an_alarm_is_live(lab: Lab, cloud: Any, alarm: Callable[[], str]) -> None:
    why = alarm()
    done = playbook("rehearse_failover")
    assert not done.ok
    assert REFUSED in said(done)
    assert why in said(done)
    assert "Ask for all servers at once" not in said(done)
    assert left(cloud) == []
    assert figures(lab, "rehearsal")["understudy_rehearsal_ok"] == 1  # it says nothing about a failover


def test_an_alarm_in_the_middle_ends_it_before_data_leave_the_storage(cloud: Any, alarm: Callable[[], str]) -> None:
    command = ["ansible-playbook", "playbooks/rehearse_failover.yml"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        eventually(lambda: f"server {SERVER}" in left(cloud), 60, "the rehearsal has made its server")
        why = alarm()
        out, _ = running.communicate(timeout=300)
    words = " ".join(out.split())
    assert running.returncode != 0
    assert REFUSED in words
    assert why in words
    assert left(cloud) == []


def test_silence_about_alarms_is_a_reason_to_stop(lab: Lab, cloud: Any) -> None:
    unit = "prometheus-alertmanager"
    assert lab.on(WATCHER, f"sudo systemctl stop {unit}").ok
    try:
        done = playbook("rehearse_failover")
    finally:
        assert lab.on(WATCHER, f"sudo systemctl start {unit}").ok
    assert not done.ok
    assert f"Nobody knows whether an alarm is live: Alertmanager on {WATCHER} does not say" in said(done)
    assert left(cloud) == []


def test_a_damaged_backup_fails_the_rehearsal_and_its_server_is_gone_too(lab: Lab, cloud: Any, damaged: str) -> None:
    done = playbook("rehearse_failover")
    assert not done.ok
    assert "The failover was rehearsed, and did not work. Restore the database into this place:" in said(done), damaged
    assert left(cloud) == []
    kept = figures(lab, "rehearsal")
    assert kept["understudy_rehearsal_ok"] == 0
    assert 'understudy_rehearsal_reached_seconds{until="restored"}' not in kept


def test_a_restore_over_its_limit_ends_the_rehearsal(cloud: Any) -> None:
    done = playbook("rehearse_failover", "-e", "rehearsal_restore_seconds=1")
    assert not done.ok
    assert "Restore the database into this place" in said(done)
    assert left(cloud) == []


def test_what_an_interrupted_rehearsal_left_is_cleared_by_the_next_which_the_runner_carries_out(
    lab: Lab, site: faults.Lab, cloud: Any
) -> None:
    command = ["ansible-playbook", "playbooks/rehearse_failover.yml"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        eventually(lambda: f"server {SERVER}" in left(cloud), 60, "the rehearsal has made its server")
        killed.kill()
    assert left(cloud) == [f"server {SERVER}", f"group {GROUP}"]
    carried_out(site, "rehearse_failover", 400)
    assert left(cloud) == []
    assert figures(lab, "rehearsal")["understudy_rehearsal_ok"] == 1
