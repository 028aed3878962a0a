#!/usr/bin/python3
"""Tell monitoring how far the WAL archive of this host's PostgreSQL is.

Arguments: data directory, port, textfile directory, log of pgBackRest's archiving. Only the standard library.
A segment that is to be archived has a file NAME.ready in pg_wal/archive_status until it is, made when it was to be
(PostgreSQL's documentation, continuous archiving). PostgreSQL takes one that was dropped for archived; only
pgBackRest's log says otherwise (2.55: `dropped WAL file 'NAME' because archive queue exceeded 1GB`, local time).
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

FILE = "understudy_backup_wal.prom"
TAIL_BYTES = 256 * 1024  # of the log; it is looked at every few seconds
QUESTION = "SELECT pg_is_in_recovery(), COALESCE(extract(epoch FROM last_archived_time), 0) FROM pg_stat_archiver"
_DROPPED = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d+ P\d+ +WARN: dropped WAL file", re.MULTILINE)
_KNOWN = re.compile(r"^understudy_backup_wal_dropped_timestamp_seconds (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Archive:
    """How far the archive is. Moments are seconds since the epoch, 0 when there is none."""

    newest_at: float
    waiting: int
    waiting_since: float
    dropped_at: float


def text(archive: Archive) -> str:
    """Write it for node_exporter's textfile collector (pure)."""
    figures = (
        (
            "understudy_backup_wal_newest_timestamp_seconds",
            "When the newest WAL segment was archived.",
            archive.newest_at,
        ),
        ("understudy_backup_wal_waiting_segments", "WAL segments that wait to be archived.", archive.waiting),
        (
            "understudy_backup_wal_waiting_since_timestamp_seconds",
            "Since when the oldest of them waits; 0 when none does.",
            archive.waiting_since,
        ),
        (
            "understudy_backup_wal_dropped_timestamp_seconds",
            "When WAL was last dropped because too much of it waited; 0 when none was.",
            archive.dropped_at,
        ),
    )
    lines = (f"# HELP {name} {about}\n# TYPE {name} gauge\n{name} {value:.0f}\n" for name, about, value in figures)
    return "".join(lines)


def waiting(folder: Path) -> tuple[int, float]:
    """Count the segments that wait, and say since when the oldest does."""
    times = []
    for path in folder.glob("*.ready"):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue  # archived meanwhile
    return len(times), min(times, default=0.0)


def dropped(log: Path, figures: Path) -> float:
    """Say when WAL was last dropped, as the log's end tells or, where that has moved on, the figures known before."""
    moments = [0.0]
    if log.exists():
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
            said = _DROPPED.findall(stream.read().decode(errors="replace"))
        moments += [time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M:%S")) for moment in said]
    if figures.exists():
        moments += [float(moment) for moment in _KNOWN.findall(figures.read_text(encoding="utf-8"))]
    return max(moments)


def ask(port: str) -> tuple[bool, float] | None:
    """Ask PostgreSQL whether it follows, and when it last archived; nothing when it does not answer."""
    account = pwd.getpwnam("postgres")
    command = ["psql", "-AtXF", " ", "-p", port, "-d", "postgres", "-c", QUESTION]
    done = subprocess.run(
        command,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PGCONNECT_TIMEOUT": "3", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    if done.returncode != 0:
        return None
    follows, newest = done.stdout.split()
    return follows == "t", float(newest)


def main(arguments: list[str]) -> int:
    """Write the figures of a leader; a replica archives nothing, so it has none."""
    data, port, into, log = Path(arguments[0]), arguments[1], Path(arguments[2]), Path(arguments[3])
    said = ask(port)
    if said is None:
        return 0  # that PostgreSQL does not run is told by others; what was known stays
    if said[0]:
        (into / FILE).unlink(missing_ok=True)
        return 0
    count, since = waiting(data / "pg_wal/archive_status")
    into.mkdir(parents=True, exist_ok=True)
    new = into / f".{FILE}.{os.getpid()}"
    new.write_text(text(Archive(said[1], count, since, dropped(log, into / FILE))), encoding="utf-8")
    new.chmod(0o644)
    new.replace(into / FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
