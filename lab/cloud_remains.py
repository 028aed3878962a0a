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
    """Detach the guests' cables and the loop devices, and remove the cgroups; nothing of the cloud may be running.

    A cable outlives a guest that was killed: connections that were open when it went dead keep the guest's own network
    namespace for minutes, and the guest that starts next would find a cable of its name there. Raises LabError for what
    cannot be removed.
    """
    _delete_links(layout, "tap")
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
    _delete_links(layout, "brq")
    run([*_inside(layout), "nft", "flush", "ruleset"])
    attempt([*_inside(layout), "ipset", "destroy"])


def forget_state(layout: Layout) -> None:
    """Remove the cloud's state and logs."""
    for directory in (layout.home, layout.logs):
        if directory.exists():
            shutil.rmtree(directory)


def _delete_links(layout: Layout, beginning: str) -> None:
    if not layout.network_namespace.exists():
        return
    inside = _inside(layout)
    links = run([*inside, "ip", "-brief", "link"]).split("\n")
    for name in [line.split()[0].split("@")[0] for line in links if line]:
        if name.startswith(beginning):
            attempt([*inside, "ip", "link", "delete", name])


def _inside(layout: Layout) -> list[str]:
    return ["nsenter", f"--net={layout.network_namespace}"]
