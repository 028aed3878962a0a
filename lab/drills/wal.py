"""Let more WAL wait for the object storage than may, with a limit that is made small for a drill.

The limit is pgBackRest's; its settings below conf.d go before those of the role.
"""

from __future__ import annotations

import re
import shlex
import time
from typing import TYPE_CHECKING

from lab.drills import reach, writers
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import faults

HOST = "colo-db1"
_FOLDER = "/etc/pgbackrest/conf.d"
_FILE = f"{_FOLDER}/understudy-drill.conf"
_LIMIT = "[understudy:archive-push]\\narchive-push-queue-max=32MiB\\n"
_SEGMENTS = 5  # of 16 MiB; at once, as pgBackRest looks at the limit when it begins a round
_SECONDS = 360  # a round that began below the limit tries each segment for 10 s, and PostgreSQL pauses a minute
_SEGMENT = "SELECT pg_logical_emit_message(true, 'understudy drill', 'x'); SELECT pg_switch_wal();"
_FIGURES = "/var/lib/prometheus/node-exporter/understudy_backup_wal.prom"
_DROPPED = re.compile(r"^understudy_backup_wal_dropped_timestamp_seconds (\d+)$", re.MULTILINE)


def fill(lab: faults.Lab, sleep: Callable[[float], None] = time.sleep) -> None:
    """Write WAL until it is dropped, as monitoring is told; raises LabError when that does not come.

    The storage must be away.
    """
    before = dropped_at(_figures(lab))
    _root(lab, f"mkdir -p {_FOLDER} && printf '{_LIMIT}' > {_FILE}")
    for _ in range(_SEGMENTS):
        writers.query(lab, HOST, _SEGMENT)
    deadline = time.monotonic() + _SECONDS
    while dropped_at(_figures(lab)) == before:
        if time.monotonic() > deadline:
            raise LabError(
                f"{HOST}: {_SEGMENTS} segments of WAL wait where two may, and within {_SECONDS} s monitoring was not "
                f"told that any was dropped ({_FIGURES}). Has it role backup of this release (playbooks/database.yml)?"
            )
        sleep(2)


def mend(lab: faults.Lab) -> None:
    """Give the role's limit back; safe to repeat."""
    _root(lab, f"rm -f {_FILE}; rmdir {_FOLDER} 2>/dev/null || true")


def dropped_at(figures: str) -> int:
    """Return when WAL was last dropped, as monitoring is told; 0 when it never was (pure)."""
    found = _DROPPED.search(figures)
    return int(found[1]) if found else 0


def _figures(lab: faults.Lab) -> str:
    return _root(lab, f"cat {shlex.quote(_FIGURES)} 2>/dev/null || true")


def _root(lab: faults.Lab, command: str) -> str:
    return reach.on(lab, HOST, "sudo", "sh", "-c", command)
