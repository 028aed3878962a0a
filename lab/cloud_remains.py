"""Find and remove what outlives the cloud's processes: loop devices, cgroups, and its state."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab import cloud_cgroups
from lab.commands import attempt, run
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.cloud_layout import Layout

_DEADLINE_SECONDS = 20


def find(layout: Layout) -> list[str]:
    """Return one sentence for each thing of the cloud that is still on this machine, its cache apart."""
    sentences = [f"process {each} is in the cloud's cgroup" for each in cloud_cgroups.members(layout.cgroup)]
    sentences += [f"{device} is attached to a file below {layout.paths.state}" for device in loop_devices(layout)]
    sentences += [f"cgroup {each} exists" for each in cloud_cgroups.directories(layout.cgroup)]
    sentences += [f"{each} exists" for each in (layout.home, layout.logs) if each.exists()]
    mounts = Path("/proc/self/mountinfo").read_text()
    return sentences + [f"{layout.home} is mounted on" for _ in range(mounts.count(f" {layout.home}"))]


def kill(layout: Layout) -> None:
    """Kill every process of the cloud and wait until they are gone.

    Raises LabError when one is still there after the deadline.
    """
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while found := cloud_cgroups.members(layout.cgroup):
        if time.monotonic() > deadline:
            raise LabError(f"Processes {found} of the cloud survive SIGKILL for {_DEADLINE_SECONDS} s; see `ps -l`.")
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def loop_devices(layout: Layout) -> list[str]:
    """Return the loop devices whose file lies below the cloud's state."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if backing.read_text().startswith(f"{layout.home}/"):
                found.append(f"/dev/{backing.parent.parent.name}")
    return sorted(found)


def release(layout: Layout) -> None:
    """Detach the loop devices and remove the cgroups; nothing of the cloud may be running.

    Raises LabError for what cannot be removed.
    """
    for device in loop_devices(layout):
        run(["losetup", "--detach", device])
    left = [str(each) for each in cloud_cgroups.remove(layout.cgroup)]
    left += loop_devices(layout)
    if left:
        raise LabError(f"{', '.join(left)} of the cloud cannot be removed; something still uses them, see `lsof`.")


def forget_network(layout: Layout) -> None:
    """Remove what Neutron made in the cloud's network namespace, which itself stays."""
    if not layout.network_namespace.exists():
        return
    inside = ["nsenter", f"--net={layout.network_namespace}"]
    links = run([*inside, "ip", "-brief", "link"]).split("\n")
    names = [line.split()[0].split("@")[0] for line in links if line]
    for name in names:
        if name.startswith(("brq", "tap")):
            attempt([*inside, "ip", "link", "delete", name])
    run([*inside, "nft", "flush", "ruleset"])
    attempt([*inside, "ipset", "destroy"])


def forget_state(layout: Layout) -> None:
    """Remove the cloud's state and logs."""
    for directory in (layout.home, layout.logs):
        if directory.exists():
            shutil.rmtree(directory)
