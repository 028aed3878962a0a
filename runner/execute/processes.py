"""Find and end processes by what cannot be shed: descent, a marker in the environment, an inherited open file."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = "UNDERSTUDY_RUN"
PROC = Path("/proc")


def started_at(pid: int) -> int | None:
    """Return the start of a process in clock ticks since boot: with the number it names one process for ever."""
    fields = _status(pid)
    return int(fields[19]) if fields else None


def alive(pid: int, started: int | None = None) -> bool:
    """Return whether a process lives (a zombie does not), and is the one that started then."""
    fields = _status(pid)
    return bool(fields) and fields[0] not in "ZX" and (started is None or int(fields[19]) == started)


def descendants(root: int) -> list[int]:
    """Return every living process below one, nearest first."""
    below: dict[int, list[int]] = {}
    for pid in _numbers():
        fields = _status(pid)
        if fields and fields[0] not in "ZX":
            below.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    ahead = [root]
    while ahead:
        children = below.get(ahead.pop(0), [])
        found += children
        ahead += children
    return found


def marked(folder: Path) -> list[int]:
    """Return the processes that carry a job's marker, or hold a file open below its folder in memory.

    The marker is that folder: it names the installation too, so that two of them on one machine never meet.
    """
    marker = f"{MARKER}={folder}".encode()
    beginning = f"{folder}"
    return [pid for pid in _numbers() if _carries(pid, marker) or _holds(pid, beginning)]


def end(find: Callable[[], list[int]], grace_seconds: float, patience_seconds: float = 5.0) -> list[int]:
    """Send TERM to what is found, KILL after the grace, until nothing is found. Returns what would not end.

    `find` is asked again and again: what was forked meanwhile is found too. Zombies of this process are reaped by
    whoever started them; they do not count as alive.
    """
    deadline = time.monotonic() + grace_seconds
    signalled: set[int] = set()
    while left := find():
        now = time.monotonic()
        if now > deadline + patience_seconds:
            return left
        for pid in left:
            if now >= deadline:
                _signal(pid, signal.SIGKILL)
            elif pid not in signalled:
                _signal(pid, signal.SIGTERM)
                signalled.add(pid)
        reap()
        time.sleep(0.01)
    return []


def reap() -> dict[int, int]:
    """Take leave of this process's ended children when it is a guard: pid -> exit code. Does nothing elsewhere."""
    ended: dict[int, int] = {}
    if not is_guard():
        return ended
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


_GUARDS: set[int] = set()


def become_guard() -> None:
    """Say that this process owns all of its children, so that `reap` may take any of them."""
    _GUARDS.add(os.getpid())


def is_guard() -> bool:
    """Return whether this very process (not one it was forked from) is a guard."""
    return os.getpid() in _GUARDS


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _numbers() -> list[int]:
    own = os.getpid()
    return [int(name) for name in os.listdir(PROC) if name.isdigit() and int(name) != own]  # noqa: PTH208 - 10x faster


def _status(pid: int) -> list[str]:
    """Return the fields after the command's name: state, parent, ..., start at index 19. Source: proc_pid_stat(5)."""
    try:
        text = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return []
    return text[text.rindex(b")") + 2 :].decode("ascii").split()


def _carries(pid: int, marker: bytes) -> bool:
    try:
        return marker in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _holds(pid: int, beginning: str) -> bool:
    folder = f"{PROC}/{pid}/fd"
    try:
        return any(_target(f"{folder}/{number}").startswith(beginning) for number in os.listdir(folder))  # noqa: PTH208 - 10x faster
    except OSError:
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - as the kernel says it
    except OSError:
        return ""
