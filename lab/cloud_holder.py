"""Hold the cloud in namespaces of its own: the program that becomes their first process.

Process, mount, host name, IPC and cgroup namespaces are new; the network namespace is the one that the lab's network
made for the cloud. When the first process dies, the kernel kills every other one, guests too, and takes all mounts
away. Run as `python -m lab.cloud_holder NAMESPACE HOME CGROUP`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import cloud_cgroups

if TYPE_CHECKING:
    from lab.cloud_cgroups import Hierarchy

HOST_NAME = "cloud"

_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DIRECTORIES = ("netns", "lock", "libvirt", "mysqld", "neutron", "rabbitmq", "nova", "haproxy", "sudo", "user")


@dataclass(frozen=True)
class Mount:
    """Hold the arguments of one mount(2); `make_target` makes a directory to mount on."""

    source: str
    target: str
    kind: str = ""
    flags: int = 0
    options: str = ""
    make_target: bool = False


def plan(home: Path, found: list[Hierarchy]) -> list[Mount]:
    """Return the mounts of the cloud, in order (pure).

    The whole of /run is its own: the machine's D-Bus and systemd are out of sight there, so that libvirt behaves alike
    with and without them. A hybrid machine's cgroup2 tree is left out, because libvirt cannot use both.
    """
    binds = {
        "libvirt/etc": "/etc/libvirt",
        "libvirt/lib": "/var/lib/libvirt",
        "libvirt/log": "/var/log/libvirt",
        "libvirt/cache": "/var/cache/libvirt",
        "tmp": "/tmp",  # noqa: S108  the services' own, over the machine's
        "etc/hosts": "/etc/hosts",
        "etc/resolv.conf": "/etc/resolv.conf",
    }
    mounts = [
        Mount("none", "/", flags=_RECURSIVE | _PRIVATE),
        Mount("proc", "/proc", "proc"),
        Mount("sysfs", "/sys", "sysfs"),
        Mount("tmpfs", "/run", "tmpfs", options="mode=755"),
        *(Mount(str(home / ours), theirs, flags=_BIND) for ours, theirs in binds.items()),
    ]
    if not cloud_cgroups.is_hybrid_or_legacy(found):
        return [*mounts, Mount("cgroup2", "/sys/fs/cgroup", "cgroup2")]
    mounts.append(Mount("tmpfs", "/sys/fs/cgroup", "tmpfs", options="mode=755"))
    return mounts + [
        Mount("cgroup", f"/sys/fs/cgroup/{each.mount_point.name}", "cgroup", options=each.options, make_target=True)
        for each in found
        if not each.is_unified
    ]


def mount(libc: ctypes.CDLL, step: Mount) -> None:
    """Perform one mount; raises OSError with its target."""
    if step.make_target:
        Path(step.target).mkdir(parents=True, exist_ok=True)
    if not Path(step.target).exists():
        return  # such as /etc/resolv.conf where it is a link to what /run no longer has
    words = [step.source.encode(), step.target.encode(), step.kind.encode() or None]
    if libc.mount(*words, ctypes.c_ulong(step.flags), step.options.encode() or None) != 0:
        raise OSError(ctypes.get_errno(), f"mount: {os.strerror(ctypes.get_errno())}", step.target)


def become_first(home: Path, found: list[Hierarchy]) -> None:
    """Arrange the namespaces from inside, then become the supervisor."""
    libc = ctypes.CDLL(None, use_errno=True)
    for step in plan(home, found):
        mount(libc, step)
    for name in _DIRECTORIES:
        Path("/run", name).mkdir()
    libc.sethostname(HOST_NAME.encode(), len(HOST_NAME))
    os.chdir("/")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
    os.execve(  # noqa: S606  the supervisor takes this process's place
        "/usr/bin/supervisord",
        ["supervisord", "--nodaemon", "--configuration", str(home / "etc" / "supervisord.conf")],
        environment,
    )


def main(network_namespace: Path, home: Path, cgroup: str) -> None:
    """Make the namespaces, leave a child as their first process, and go."""
    found = cloud_cgroups.current()
    cloud_cgroups.join(cgroup, found)
    with network_namespace.open() as handle:
        os.setns(handle.fileno(), os.CLONE_NEWNET)
    os.unshare(os.CLONE_NEWNS | os.CLONE_NEWPID | os.CLONE_NEWUTS | os.CLONE_NEWIPC | os.CLONE_NEWCGROUP)
    cloud_cgroups.delegate(cgroup, found)
    if os.fork() == 0:
        become_first(home, found)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
