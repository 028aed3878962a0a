"""Write into the databases of both sites through a drill, and watch who holds the lease meanwhile."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab import faults, servers, ssh
from lab.commands import attempt
from lab.drills import measure
from lab.errors import LabError
from lab.topology import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "colo-db1", "cloud-db1"
DATABASE = "understudy_drill"
_PERIOD_SECONDS = "0.05"
_LOOK_SECONDS = 0.5
_SCOPE = "understudy"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Streams:
    """What is written down while it happens: a file for each side's writer, and one for the lease."""

    folder: Path
    sides: tuple[str, ...]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def file(self, name: str) -> Path:
        """Return where something is written down."""
        return self.folder / f"{name}.log"

    def log(self, name: str) -> str:
        """Return what was written down so far."""
        file = self.file(name)
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def rows(self, side: str) -> list[measure.Acknowledged]:
        """Return what a side acknowledged so far."""
        return measure.acknowledged(self.log(f"writer-{side}"))

    def lease(self) -> list[measure.Sight]:
        """Return who held the lease so far."""
        return measure.sights(self.log("lease"))

    def end(self) -> None:
        """End them; safe to repeat."""
        self.over.set()
        while self.threads:
            self.threads.pop().join()
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.wait()


def query(lab: faults.Lab, host: str, sql: str, *, database: str = "postgres") -> str:
    """Ask a host's own database as its owner; raises LabError."""
    words = ["sudo", "-u", "postgres", "psql", "-AtqX", "-v", "ON_ERROR_STOP=1", database]
    address = faults.management_address(lab, host)
    done = attempt(ssh.command(lab.paths, address, shlex.join(words)), input_bytes=sql.encode(), timeout_seconds=30)
    if done.returncode != 0:
        raise LabError(f"{host}: the database refused `{sql}`: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout.decode().strip()


@contextlib.contextmanager
def writing(lab: faults.Lab, folder: Path, *, both: bool, watcher: str) -> Iterator[Streams]:
    """Write on both sides, or the old one alone, and watch the lease until the block ends.

    A side whose host does not exist yet (tier archive) is written on from the moment on when it does.
    """
    drop(lab, OLD)
    query(lab, OLD, f"CREATE DATABASE {DATABASE}")
    query(lab, OLD, "CREATE TABLE written (side text, number bigint, PRIMARY KEY (side, number))", database=DATABASE)
    streams = Streams(folder, (OLD, NEW) if both else (OLD,))
    try:
        for side in streams.sides:
            if side == OLD or exists(lab, side):
                streams.processes.append(_start_writer(lab, streams, side))
                continue
            streams.threads.append(threading.Thread(target=_write_when_there, args=(lab, streams, side)))
            streams.threads[-1].start()
        words = ["sudo", "python3", "-", public_address(lab, watcher), _SCOPE]
        streams.processes.append(_start(lab, watcher, words, "remote_watch.py", streams.file("lease")))
        wait_for_rows(streams, OLD)
        yield streams
    finally:
        streams.end()


def wait_for_rows(streams: Streams, side: str, seconds: float = 15) -> None:
    """Wait until a side has acknowledged something; raises LabError."""
    deadline = time.monotonic() + seconds
    while not streams.rows(side):
        if time.monotonic() > deadline:
            raise LabError(
                f"The writer on {side} wrote nothing within {seconds:g} s: {streams.log(f'writer-{side}')[-300:]}"
            )
        time.sleep(0.2)


def lost_rows(lab: faults.Lab, streams: Streams, leader: str) -> int:
    """Count the rows that either side acknowledged and the leader does not have."""
    there = set(query(lab, leader, "SELECT side || ' ' || number FROM written", database=DATABASE).splitlines())
    return sum(f"{side} {row.number}" not in there for side in streams.sides for row in streams.rows(side))


def drop(lab: faults.Lab, leader: str) -> None:
    """Remove what was written for the drill."""
    query(lab, leader, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def public_address(lab: faults.Lab, name: str) -> str:
    """Return where other sites reach a host; raises LabError when they do not."""
    fixed = {host.name: host.addresses for host in lab.topology.hosts}
    found = {**servers.addresses(lab.topology, lab.paths), **fixed}.get(name, {}).get(PUBLIC)
    if found is None:
        raise LabError(f"{name} has no public address; name a gateway or the witness.")
    return str(found)


def exists(lab: faults.Lab, host: str) -> bool:
    """Tell whether the cloud has a server of that name."""
    return host in servers.addresses(lab.topology, lab.paths)


def _write_when_there(lab: faults.Lab, streams: Streams, side: str) -> None:
    """Start a side's writer as soon as its host lets anybody in, and again whenever the way to it breaks."""
    while not streams.over.wait(_LOOK_SECONDS):
        with contextlib.suppress(LabError, OSError):  # the host is not there yet, or its definition changes
            if exists(lab, side):
                writer = _start_writer(lab, streams, side)
                while writer.poll() is None and not streams.over.wait(_LOOK_SECONDS):
                    pass
                writer.kill()
                writer.wait()


def _start_writer(lab: faults.Lab, streams: Streams, side: str) -> subprocess.Popen[bytes]:
    words = ["sudo", "-u", "postgres", "python3", "-", side, _PERIOD_SECONDS]
    return _start(lab, side, words, "remote_writer.py", streams.file(f"writer-{side}"))


def _start(lab: faults.Lab, host: str, words: list[str], program: str, log_file: Path) -> subprocess.Popen[bytes]:
    address = faults.management_address(lab, host)
    with (_HERE / program).open("rb") as code, log_file.open("ab") as log:
        return subprocess.Popen(
            ssh.command(lab.paths, address, shlex.join(words)), stdin=code, stdout=log, stderr=subprocess.DEVNULL
        )
