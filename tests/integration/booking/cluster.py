"""A private PostgreSQL cluster on a loopback port, run as the user postgres."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg
from booking.migrate import migrate
from booking.seeding import Wish, seed


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise FileNotFoundError("These tests need PostgreSQL's server programs, which make lab installs.")
    return found[-1].parent


@dataclass
class Cluster:
    """A running cluster."""

    folder: Path
    port: int
    _numbers: count[int] = field(default_factory=count)

    @classmethod
    def start(cls) -> Cluster:
        """Make a cluster and start it."""
        folder = Path(tempfile.mkdtemp(prefix="booking-postgresql-"))
        owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        shutil.chown(folder, owner)
        cluster = cls(folder, free_port())
        cluster._run(
            "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"
        )
        cluster.serve()
        return cluster

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_binaries() / program), f"--pgdata={self.folder}/data", *arguments]
        as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*as_owner, *command], check=True, cwd=self.folder, stdout=subprocess.DEVNULL)

    def serve(self) -> None:
        """Start the server."""
        options = (
            f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off -c max_connections=200 -c shared_buffers=64MB"
        )
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder}/log", f"--options={options}")

    def crash(self) -> None:
        """Stop the server as a crash does: from then on connections are refused."""
        self._run("pg_ctl", "stop", "--mode=immediate", "--silent")

    def stop(self) -> None:
        """Stop the cluster and remove it."""
        self.crash()
        shutil.rmtree(self.folder)

    def restart(self) -> None:
        """Stop the server as a crash does, and start it again."""
        self.crash()
        self.serve()

    def follow(self) -> None:
        """Start a stopped server as a replica without a leader: it can be read, until it is promoted."""
        marker = self.folder / "data/standby.signal"
        marker.touch()
        shutil.chown(marker, self.folder.owner())
        self.serve()

    def promote(self) -> None:
        """Let a replica lead."""
        self._run("pg_ctl", "promote", "--wait", "--silent")

    def url(self, database: str = "postgres") -> str:
        """Return the libpq URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run an administrator's statement."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create_database(self, template: str = "template0") -> str:
        """Make a database, and return its name."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, also when somebody still uses it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @cached_property
    def _seeded(self) -> str:
        name = self.create_database()
        migrate(self.url(name))
        seed(self.url(name), Wish(theatres=2, days=2, screening_seats=40, screenings=2))
        return name

    def seeded(self) -> str:
        """Return the name of a migrated and seeded database, to make others from."""
        return self._seeded
