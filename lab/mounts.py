"""Find and release mounts and loop devices below the lab's directories."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lab.commands import attempt
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOUNT_POINT = 4


def below(directories: Iterable[Path]) -> list[Path]:
    """Return the mount points at or below the directories, the deepest first."""
    roots = tuple(directories)
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(line.split()[_MOUNT_POINT].encode().decode("unicode_escape")) for line in lines]
    found = [point for point in points if any(point == root or root in point.parents for root in roots)]
    return sorted(found, key=lambda point: len(point.parts), reverse=True)


def loop_devices(directories: Iterable[Path]) -> list[str]:
    """Return the loop devices whose file lies below the directories."""
    prefixes = tuple(f"{directory}/" for directory in directories)
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            file = backing.read_text()
        except OSError:
            continue
        if file.startswith(prefixes):
            found.append(f"/dev/{backing.parent.parent.name}")
    return sorted(found)


def release(directories: Iterable[Path]) -> None:
    """Unmount everything below the directories and detach the loop devices of their files.

    Raises LabError for what stays.
    """
    roots = tuple(directories)
    for point in below(roots):
        attempt(["umount", "--lazy", str(point)])
    for device in loop_devices(roots):
        attempt(["losetup", "--detach", device])
    if left := [*map(str, below(roots)), *loop_devices(roots)]:
        raise LabError(f"{', '.join(left)} cannot be released; something still uses them, see `fuser -vm`.")


def remove(directory: Path) -> None:
    """Remove a directory with all it holds, but nothing of what is mounted there."""
    release([directory])
    if directory.exists():
        shutil.rmtree(directory)
