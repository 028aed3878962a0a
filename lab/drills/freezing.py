"""Freeze the runner's service on its host, and let it go on."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab import faults, runners
from lab.drills import reach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_UNIT = "understudy-runner.service"
_THAW = "understudy-drill-thaw"
_SECONDS = 60
_PAGE = "500"  # lines of a ledger that are told at once


def freeze(lab: faults.Lab, host: str, seconds: str) -> None:
    """Stop all processes of the runner where they are; after some seconds they go on, whatever becomes of the drill."""
    later = ("systemd-run", "--quiet", "--collect", f"--on-active={seconds}", f"--unit={_THAW}")
    reach.on(lab, host, "sudo", *later, "systemctl", "kill", "--signal=CONT", _UNIT)
    reach.on(lab, host, "sudo", "systemctl", "kill", "--signal=STOP", _UNIT)


def mend(lab: faults.Lab) -> None:
    """Let frozen runners go on; safe to repeat. Those that run do not notice."""
    for host in runners.HOSTS:
        command = f"systemctl stop {_THAW}.timer 2>/dev/null; systemctl kill --signal=CONT {_UNIT}"
        reach.on(lab, host, "sudo", "sh", "-c", command)


def in_ledger(lab: faults.Lab, host: str, storm: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep) -> int:
    """Count the alerts of a storm that a runner's ledger has, as soon as it has all, or after a minute."""
    deadline = time.monotonic() + _SECONDS
    while True:
        told = json.loads(runners.ask(lab, host, "ledger", "--name", storm["alert"], "--limit", _PAGE, "--json"))
        found = counted(told, storm["started"])
        if found >= storm["alerts"] or time.monotonic() > deadline:
            return found
        sleep(1)


def counted(ledger: Mapping[str, Sequence[Mapping[str, str]]], since: str) -> int:
    """Count the lines of a ledger that were judged at a moment or later (pure); both in UTC, as ISO 8601 has it."""
    return sum(line["at"][:19] >= since[:19] for line in ledger["lines"])
