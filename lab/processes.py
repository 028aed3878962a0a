"""Find and end the lab's processes: those in its control groups and its network namespaces, and no others."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import LabError
from lab.links import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_DEADLINE_SECONDS = 10


def control_groups(prefix: str) -> list[Path]:
    """Return the control groups with the prefix in every hierarchy, and all in them, the deepest first."""
    roots = [_CONTROL_GROUPS, *(each for each in _CONTROL_GROUPS.iterdir() if each.is_dir())]
    tops = {group for root in roots for group in root.glob(f"{prefix}*") if group.is_dir()}
    found = {Path(directory) for top in tops for directory, _, _ in os.walk(top)}
    return sorted(found, key=lambda group: len(group.parts), reverse=True)


def in_control_groups(groups: Iterable[Path]) -> set[int]:
    """Return the processes in the control groups."""
    found: set[int] = set()
    for group in groups:
        with contextlib.suppress(OSError):
            found |= {int(line) for line in (group / "cgroup.procs").read_text().split()}
    return found


def in_namespaces(names: Iterable[str]) -> set[int]:
    """Return the processes whose network is one of the namespaces."""
    inodes = set()
    for name in names:
        with contextlib.suppress(OSError):
            inodes.add((NAMESPACES / name).stat().st_ino)
    found = set()
    for process in _all():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{process}/ns/net").stat().st_ino in inodes:
                found.add(process)
    return found


def end(processes: set[int]) -> None:
    """Kill processes and wait until they are gone; raises LabError for those that stay."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    while alive := {process for process in processes if _is_alive(process)}:
        if time.monotonic() > deadline:
            raise LabError(f"The lab's processes {sorted(alive)} survive SIGKILL; look at them with `ps -l`.")
        time.sleep(0.02)


def remove_control_groups(groups: Iterable[Path]) -> None:
    """Remove empty control groups, the deepest first as `control_groups` returns them.

    The kernel may still be taking leave of their last processes. Raises LabError for those that stay.
    """
    left = list(groups)
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while left := [group for group in left if not _removed(group)]:
        if time.monotonic() > deadline:
            raise LabError(f"The control groups {', '.join(map(str, left))} cannot be removed; see their cgroup.procs.")
        time.sleep(0.02)


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
