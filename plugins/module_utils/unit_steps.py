# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which systemctl calls bring units to their wanted state (pure).

States are those of `systemctl show`: LoadState, ActiveState, UnitFileState (systemd, org.freedesktop.systemd1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    restart_after: tuple[str, ...] = ()
    reload_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a unit is, in the words of `systemctl show`, and since when (seconds since the epoch)."""

    load: str
    active: str
    file: str
    started: float = 0.0
    changed: float = 0.0


def found(block: Mapping[str, str], epoch_of_boot: float) -> Found:
    """Read one block of `systemctl show`; its times count from the boot, in microseconds.

    A unit began to start when it stopped being inactive. When it is ready (ActiveEnterTimestamp) it has read its
    configuration long ago, and one that is still on its way there has no such time.
    """
    started, changed = (
        epoch_of_boot + int(block.get(name) or 0) / 1e6
        for name in ("InactiveExitTimestampMonotonic", "StateChangeTimestampMonotonic")
    )
    return Found(block["LoadState"], block["ActiveState"], block["UnitFileState"], started, changed)


def drop_in_directories(name: str) -> list[str]:
    """Name the directories below a unit path that hold a unit's drop-ins: its own, and its template's."""
    stem, dot, suffix = name.rpartition(".")
    template, at, _ = stem.partition("@")
    return list(dict.fromkeys([f"{name}.d", f"{template}{at}{dot}{suffix}.d"]))


def stale(block: Mapping[str, str], drop_ins: Iterable[str]) -> bool:
    """Tell whether systemd has to read its files again; `drop_ins` are those that are there for the unit.

    systemd before 254 does not notice a unit's first drop-in by itself.
    """
    if block["LoadState"] == "masked":
        return False
    unread = set(drop_ins) - set(block.get("DropInPaths", "").split())
    return block["NeedDaemonReload"] == "yes" or block["LoadState"] == "not-found" or bool(unread)


def triggered(blocks: Iterable[Mapping[str, str]], known: Iterable[str]) -> list[str]:
    """Name the units that timers, paths and sockets start, beside those that are `known`.

    Nobody asks for them, so nothing else tells systemd that their files were written anew.
    """
    started = dict.fromkeys(name for block in blocks for name in block.get("Triggers", "").split())
    return [name for name in started if name not in set(known)]


def parse(text: str) -> list[dict[str, str]]:
    """Read the output of `systemctl show` for several units: blocks of KEY=VALUE, an empty line between them."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]


def newer(paths: Iterable[str], modified: Mapping[str, float], since: float) -> bool:
    """Tell whether one of the paths was modified later than `since`; one that is not there was not."""
    return any(modified[path] > since for path in paths if path in modified)


def steps(wanted: Wanted, found: Found, modified: Mapping[str, float] | None = None) -> list[str]:
    """List the systemctl verbs for one unit, in order; `modified` has the time of each path that is there."""
    times = modified or {}
    restart = wanted.restart or newer(wanted.restart_after, times, found.started)
    reload = wanted.reload or newer(wanted.reload_after, times, found.changed)
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
    elif wanted.running is not False and running and restart:
        verbs.append("restart")
    elif wanted.running is not False and running and reload:
        verbs.append("reload")
    elif wanted.running is True and not running:
        verbs.append("start")
    if wanted.masked is True and not masked:
        verbs.append("mask")
    return verbs
