"""The database's host and the storage's, with two backups of a database that holds something."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import testinfra

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.backend.base import CommandResult
    from testinfra.host import Host

    from molecule.conftest import Playbooks

OPERATE = "molecule/backup/operate.yml"
FIGURES = "/var/lib/prometheus/node-exporter"
SWIFT = "swift --auth=http://127.0.0.1:8081/auth/v1.0 --user=test:backup --key=test-only-storage"


def machine(name: str) -> Host:
    inventory = os.environ["MOLECULE_INVENTORY_FILE"]
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}", sudo=True)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.3)
    return condition()


@dataclass(frozen=True)
class Stage:
    """The database's host and the storage's."""

    one: Host
    store: Host
    playbooks: Playbooks

    def do(self, entry: str, **variables: object) -> tuple[int, str]:
        """Run an entry point of the role; return its exit code and what it said."""
        return self.playbooks.run(OPERATE, "--extra-vars", json.dumps({"entry": entry, **variables}))

    def local(self, statement: str, socket: str = "/var/run/postgresql") -> str:
        command = f"sudo -u postgres psql -h {socket} -AtX -c {shlex.quote(statement)}"
        return str(self.one.check_output(command)).strip()

    def objects(self, below: str) -> list[str]:
        return str(self.store.check_output(f"{SWIFT} list backup --prefix understudy/{below}")).split()

    def swift(self, command: str) -> CommandResult:
        return self.store.run(f"{SWIFT} {command}")

    def figure(self, file: str, name: str) -> float:
        found = self.one.run(f"cat {FIGURES}/understudy_backup_{file}.prom").stdout
        match = re.search(rf"^understudy_backup_{name} ([0-9.]+)$", found, re.MULTILINE)
        return float(match[1]) if match else -1

    def labels(self) -> list[str]:
        said = self.one.check_output("sudo -u postgres pgbackrest --stanza=understudy --output=json info")
        return [backup["label"] for backup in json.loads(said)[0]["backup"]]

    def sell(self, name: str) -> None:
        self.local(f"INSERT INTO sold (name) VALUES ('{name}')")  # noqa: S608 - names of this file

    def start(self, entry: str, **variables: object) -> subprocess.Popen[str]:
        """Start an entry point of the role."""
        return self.playbooks.start(OPERATE, "--extra-vars", json.dumps({"entry": entry, **variables}))

    def within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        return within(seconds, condition)

    def send(self) -> None:
        """Have what was written so far archived."""
        segment = self.local("SELECT pg_walfile_name(pg_switch_wal())")
        assert within(120, lambda: self.local("SELECT last_archived_wal FROM pg_stat_archiver") >= segment)


@pytest.fixture(scope="session")
def stage(playbooks: Playbooks) -> Stage:
    stage = Stage(machine("mol-backup-one"), machine("mol-backup-store"), playbooks)
    stage.local("CREATE TABLE IF NOT EXISTS sold (at timestamptz DEFAULT clock_timestamp(), name text)")
    stage.local("CREATE TABLE IF NOT EXISTS bulk AS SELECT n, md5(n::text) FROM generate_series(1, 400000) n")
    stage.sell("first")
    code, said = stage.do("take", backup_take_type="full")
    assert code == 0, said
    assert re.search(r"\d+-\d+F \(full\) is in repository 1: a database of [\d.]+ MB.*in [\d.]+ s: [\d.]+ \wB/s", said)
    stage.sell("second")
    stage.send()
    code, said = stage.do("take")
    assert code == 0, said
    assert "(incr)" in said
    return stage
