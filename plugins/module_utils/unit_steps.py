# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which systemctl calls bring units to their wanted state (pure).

States are those of `systemctl show`: LoadState, ActiveState, UnitFileState (systemd, org.freedesktop.systemd1).
"""

from __future__ import annotations

from dataclasses import dataclass

# Units in these states are started at boot, by themselves or by what names them.
ENABLED = frozenset({"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"})
RUNNING = frozenset({"active", "activating", "reloading", "refreshing"})


@dataclass(frozen=True)
class Wanted:
    """What a unit is to be. `None` leaves that part as it is."""

    name: str
    enabled: bool | None = None
    running: bool | None = None
    masked: bool | None = None
    restart: bool = False
    reload: bool = False


@dataclass(frozen=True)
class Found:
    """What a unit is, in the words of `systemctl show`."""

    load: str
    active: str
    file: str


def parse(text: str) -> list[dict[str, str]]:
    """Read the output of `systemctl show` for several units: blocks of KEY=VALUE, an empty line between them."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]


def steps(wanted: Wanted, found: Found) -> list[str]:
    """List the systemctl verbs for one unit, in order."""
    verbs: list[str] = []
    masked = found.load == "masked" or found.file in {"masked", "masked-runtime"}
    if wanted.masked is False and masked:
        verbs.append("unmask")
    if wanted.enabled is True and found.file not in ENABLED:
        verbs.append("enable")
    if wanted.enabled is False and found.file in {"enabled", "enabled-runtime"}:
        verbs.append("disable")
    running = found.active in RUNNING
    if wanted.running is False and running:
        verbs.append("stop")
    elif wanted.running is not False and running and wanted.restart:
        verbs.append("restart")
    elif wanted.running is not False and running and wanted.reload:
        verbs.append("reload")
    elif wanted.running is True and not running:
        verbs.append("start")
    if wanted.masked is True and not masked:
        verbs.append("mask")
    return verbs
