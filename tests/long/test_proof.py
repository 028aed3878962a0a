"""The backups are proven by a restore in the cloud while customers buy, a damaged one is not, and no database stays."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults
from lab.drills import damage
from tests.acceptance.conftest import ROOT, Done, Lab, eventually
from tests.acceptance.crowds import Crowd, nobody_was_let_down
from tests.long.test_backup import playbook

PROOF, GROUP = "cloud-proof1", "understudy-proof"
HOST, PLANTED = "cloud-was1", "/var/tmp/customers.bak"
DUMP = "--\n-- PostgreSQL database dump\n--\n"


def said(done: Done) -> str:
    return " ".join((done.out + done.err).split())


def figures(lab: Lab, name: str) -> dict[str, float]:
    """Read what monitoring reads on the cloud's ops host."""
    text = lab.on("cloud-ops1", f"cat /var/lib/prometheus/node-exporter/understudy_{name}.prom").out
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line and line[0] != "#"}


def left(cloud: Any) -> list[str]:
    """List what the cloud still has of a proof."""
    found = [f"server {each.name}" for each in cloud.compute.servers() if each.name == PROOF]
    return found + [f"group {each.name}" for each in cloud.network.security_groups() if each.name == GROUP]


@pytest.fixture(scope="module")
def backup() -> None:
    done = playbook("take_backup", "-e", "backup_type=full")
    assert done.ok, done.out[-3000:] + done.err


@pytest.fixture
def damaged(site: faults.Lab) -> Iterator[str]:
    yield damage.corrupt(site)["damaged"]
    damage.mend(site)


@pytest.fixture
def planted(lab: Lab) -> Iterator[None]:
    """Plant a dump in clear, compressed and under another name, and a program that calls itself postgres."""
    write = f"printf %s {shlex.quote(DUMP)} | gzip > {PLANTED}"
    assert lab.on(HOST, f"sudo bash -c {shlex.quote(write)}").ok
    start = "sudo systemd-run --collect --quiet --unit=planted-postgres bash -c 'exec -a postgres sleep 600'"
    assert lab.on(HOST, start).ok
    yield
    assert lab.on(HOST, f"sudo systemctl stop planted-postgres; sudo rm -f {PLANTED}").ok


@pytest.mark.usefixtures("backup")
def test_what_customers_buy_comes_back_on_a_server_that_is_gone_afterwards(
    lab: Lab, site: faults.Lab, cloud: Any
) -> None:
    crowd = Crowd(site, "proof", seconds=80, arrivals=3)
    done = playbook("prove_backup")
    report, _, audit = crowd.end()
    assert done.ok, done.out[-3000:] + done.err
    told = re.search(r"Proven in (\d+) s: (\d+) bookings came back, the newest ([\d.]+) s old", said(done))
    assert told, done.out[-3000:]
    assert int(told[1]) < 150
    assert int(told[2]) > 0
    assert float(told[3]) < 60  # customers bought all the time
    assert left(cloud) == []
    kept = figures(lab, "backup_proof")
    assert kept["understudy_backup_proof_ok"] == 1
    assert kept["understudy_backup_proof_newest_booking_age_seconds"] == float(told[3])
    newest = max((ROOT / "reports/evidence").glob("*-proof"))
    assert json.loads((newest / "result.json").read_text(encoding="utf-8"))["seconds"] == int(told[1])
    assert (newest / "manifest.json.sig").exists()
    nobody_was_let_down(report)
    assert (audit["missing"], audit["sold_twice"], audit["booked_without_payment"]) == (0, 0, 0), audit["findings"][:5]


@pytest.mark.usefixtures("backup")
def test_a_damaged_backup_is_not_proven_and_its_server_is_gone_too(lab: Lab, cloud: Any, damaged: str) -> None:
    done = playbook("prove_backup")
    assert not done.ok
    assert "The backups are not proven. Restore the database into this place: The restore into" in said(done), damaged
    assert left(cloud) == []
    assert figures(lab, "backup_proof")["understudy_backup_proof_ok"] == 0


@pytest.mark.usefixtures("backup")
def test_nothing_is_restored_where_it_could_leave(cloud: Any) -> None:
    open_door = {"proof_ways_out": [{"protocol": "tcp", "port": 443, "targets": ["0.0.0.0/0"]}]}
    done = playbook("prove_backup", "-e", json.dumps(open_door))
    assert not done.ok
    assert f"{PROOF} reaches what it must not: " in said(done)
    assert "Restore the database into this place" not in said(done)
    assert left(cloud) == []


@pytest.mark.usefixtures("backup")
def test_what_an_interrupted_proof_left_is_cleared_by_the_next(cloud: Any) -> None:
    command = ["ansible-playbook", "playbooks/prove_backup.yml"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        eventually(lambda: f"server {PROOF}" in left(cloud), 60, "the proof has made its server")
        killed.kill()
    assert left(cloud) == [f"server {PROOF}", f"group {GROUP}"]
    done = playbook("prove_backup")
    assert done.ok, done.out[-3000:] + done.err
    assert left(cloud) == []


@pytest.mark.usefixtures("backup")
def test_nothing_of_a_database_is_in_the_cloud(lab: Lab) -> None:
    done = playbook("guard_cloud_database")
    assert done.ok, done.out[-3000:] + done.err
    assert figures(lab, "cloud_guard")["understudy_cloud_guard_findings"] == 0


@pytest.mark.usefixtures("planted")
def test_a_planted_process_and_a_dump_are_named(lab: Lab) -> None:
    done = playbook("guard_cloud_database")
    assert not done.ok
    assert f"{HOST}: {PLANTED} is a dump of a database in clear." in said(done)
    assert re.search(rf"{HOST}: process \d+ is postgres\.", said(done))
    assert figures(lab, "cloud_guard")["understudy_cloud_guard_findings"] == 2


def test_an_object_that_is_no_encrypted_backup_is_named(cloud: Any) -> None:
    bucket = "understudy-backup"
    cloud.object_store.upload_object(bucket, "customers.sql", data=DUMP)
    try:
        done = playbook("guard_cloud_database")
    finally:
        cloud.object_store.delete_object("customers.sql", container=bucket)
    assert not done.ok
    assert f"bucket {bucket} holds what is none of the encrypted backups: customers.sql." in said(done)
    mended = playbook("guard_cloud_database")
    assert mended.ok, mended.out[-3000:] + mended.err
