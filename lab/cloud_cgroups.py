"""Hold all of the cloud's processes in cgroups of one name, so that they can be found and counted.

The cloud's cgroups lie below those of whoever starts it, one in each hierarchy (v1, hybrid) or one (v2). A cgroup
namespace makes them look like the top, so that libvirt finds an ordinary tree that is the cloud's alone.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICES = "services"


@dataclass(frozen=True)
class Hierarchy:
    """Hold one mounted cgroup hierarchy: what mounts it again, and where this process is in it."""

    mount_point: Path
    kind: str
    options: str
    own: str

    @property
    def is_unified(self) -> bool:
        """Tell whether it is of version 2."""
        return self.kind == "cgroup2"


def hierarchies(mountinfo: str, membership: str) -> list[Hierarchy]:
    """Return the hierarchies from the texts of /proc/self/mountinfo and /proc/self/cgroup (pure)."""
    own: dict[frozenset[str], str] = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        own[frozenset(controllers.split(",")) - {""}] = path
    found = []
    for line in mountinfo.splitlines():
        before, after = line.split(" - ", 1)
        root, mount_point = before.split()[3:5]
        kind, _, super_options = after.split(" ", 2)
        if kind not in {"cgroup", "cgroup2"}:
            continue
        words = set(super_options.split(",")) if kind == "cgroup" else set()
        names = next((each for each in own if each <= words and bool(each) == bool(words)), None)
        if names is None:
            continue
        is_named = any(each.startswith("name=") for each in names)
        options = ",".join([*(["none"] if is_named else []), *sorted(names)])
        path = own[names].removeprefix(root.rstrip("/"))
        found.append(Hierarchy(Path(mount_point), kind, options, path.strip("/")))
    return found


def current() -> list[Hierarchy]:
    """Return the hierarchies that this process sees."""
    return hierarchies(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())


def is_hybrid_or_legacy(found: list[Hierarchy]) -> bool:
    """Tell whether controllers are in version 1 hierarchies, alone or beside a version 2 one."""
    return any(not each.is_unified for each in found)


def join(name: str, found: list[Hierarchy]) -> None:
    """Move this process into cgroups of that name, made below its own."""
    for each in found:
        directory = each.mount_point / each.own / name
        directory.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if not each.is_unified and (directory / setting).exists():
                (directory / setting).write_text((directory.parent / setting).read_text())
        (directory / "cgroup.procs").write_text("0")


def delegate(name: str, found: list[Hierarchy]) -> None:
    """Hand the controllers of a version 2 tree down to the cloud.

    Version 2 forbids processes beside controlled children: those of the services go into a leaf, and the cgroup above
    must be empty as well. On a machine with systemd it is a scope made with Delegate=yes.
    """
    if is_hybrid_or_legacy(found):
        return
    for each in found:
        top = each.mount_point / each.own
        leaf = top / name / _SERVICES
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text("0")
        for directory in (top, top / name):
            for controller in (directory / "cgroup.controllers").read_text().split():
                # A controller that this tree may not have only costs its limits.
                with contextlib.suppress(OSError):
                    (directory / "cgroup.subtree_control").write_text(f"+{controller}")


def members(name: str) -> list[int]:
    """Return the process ids, as this process sees them, of everything in cgroups of that name."""
    pattern = re.compile(rf"/{re.escape(name)}(/|$)", re.MULTILINE)
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if pattern.search((directory / "cgroup").read_text()):
                found.append(int(directory.name))
    return sorted(found)


def directories(name: str) -> Iterator[Path]:
    """Yield the cgroups of that name in every hierarchy, wherever they lie."""
    for each in current():
        for directory, below, _ in each.mount_point.walk():
            if name in below:
                yield directory / name
                below.remove(name)


def remove(name: str, deadline_seconds: float = 10) -> list[Path]:
    """Remove the cgroups of that name with all below them, and return those that still hold processes."""
    deadline = time.monotonic() + deadline_seconds
    while True:
        for top in directories(name):
            for directory, _, _ in top.walk(top_down=False):
                with contextlib.suppress(OSError):
                    directory.rmdir()
        left = list(directories(name))
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)
