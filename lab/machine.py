"""Find out what this machine is, and decide whether it can carry the lab."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lab.commands import attempt
from lab.errors import CommandError, LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.paths import Paths

CgroupMode = Literal["unified", "hybrid", "legacy"]

_CAP_SYS_RESOURCE = 24


@dataclass(frozen=True)
class Machine:
    """Hold what was found; sizes are in MiB."""

    distribution: str
    version: str
    codename: str
    architecture: str
    is_root: bool
    may_become_root: bool
    memory_available_mib: int
    disk_free_mib: Mapping[str, int]
    init: str
    cgroup: CgroupMode
    open_files_limit: int
    processes_limit: int
    may_raise_limits: bool
    has_kernel_wireguard: bool
    has_tun: bool
    has_loop: bool
    has_overlay: bool
    container: str | None
    has_lab: bool


@dataclass(frozen=True)
class Needs:
    """Hold what the lab asks for; sizes are in MiB."""

    distribution: str = "debian"
    version: str = "12"
    architectures: tuple[str, ...] = ("x86_64", "aarch64")
    memory_mib: int = 6 * 1024
    disk_mib: int = 10 * 1024


def detect(paths: Paths) -> Machine:
    """Look at this machine without changing it."""
    release = platform.freedesktop_os_release()
    is_root = os.geteuid() == 0
    return Machine(
        distribution=release.get("ID", "unknown"),
        version=release.get("VERSION_ID", "unknown"),
        codename=release.get("VERSION_CODENAME", "unknown"),
        architecture=platform.machine(),
        is_root=is_root,
        may_become_root=is_root or _may_become_root(),
        memory_available_mib=_memory_available_mib(Path("/proc/meminfo").read_text()),
        disk_free_mib={str(path): _disk_free_mib(path) for path in (paths.state, paths.cache)},
        init=Path("/proc/1/comm").read_text().strip(),
        cgroup=_cgroup_mode(Path("/sys/fs/cgroup")),
        open_files_limit=_hard_limit(resource.RLIMIT_NOFILE),
        # podman caps its own limit at pid_max, and what it has given up it cannot give to a host.
        processes_limit=min(_hard_limit(resource.RLIMIT_NPROC), int(Path("/proc/sys/kernel/pid_max").read_text())),
        may_raise_limits=_has_capability(Path("/proc/self/status").read_text(), _CAP_SYS_RESOURCE),
        has_kernel_wireguard=_has_kernel_wireguard(),
        has_tun=Path("/dev/net/tun").exists(),
        has_loop=Path("/dev/loop-control").exists(),
        has_overlay="overlay" in Path("/proc/filesystems").read_text().split(),
        container=_container(),
        has_lab=Path("/run/netns/us-wan").exists(),
    )


def check(machine: Machine, needs: Needs | None = None) -> list[str]:
    """Return one sentence for each thing that the lab needs and this machine lacks (pure)."""
    needs = needs or Needs()
    sentences = [*_wrong_system(machine, needs), *_wrong_kernel(machine)]
    if not machine.may_become_root:
        sentences.append(
            "The lab makes network namespaces and containers, and you are neither root nor allowed to use "
            "sudo without a password; run it as root, or run `sudo -v` first."
        )
    # What a lab that is there already holds is neither free nor missing.
    return sentences if machine.has_lab else [*sentences, *_too_little_room(machine, needs)]


def require(machine: Machine) -> None:
    """Raise LabError with every sentence of `check`, where there is any."""
    if sentences := check(machine):
        raise LabError("\n".join(sentences))


def _too_little_room(machine: Machine, needs: Needs) -> list[str]:
    sentences = []
    if machine.memory_available_mib < needs.memory_mib:
        sentences.append(
            f"{machine.memory_available_mib} MiB of memory are free and the lab needs {needs.memory_mib} MiB "
            "free; stop other programs or use a larger machine."
        )
    sentences += [
        f"{free} MiB of disk are free where {path} lives and the lab needs {needs.disk_mib} MiB free; make room there."
        for path, free in machine.disk_free_mib.items()
        if free < needs.disk_mib
    ]
    return sentences


def _wrong_system(machine: Machine, needs: Needs) -> list[str]:
    sentences = []
    if (machine.distribution, machine.version) != (needs.distribution, needs.version):
        sentences.append(
            f"This machine runs {machine.distribution} {machine.version}; the lab installs OpenStack Zed "
            f"from the packages of Debian {needs.version}, so it needs a machine with Debian {needs.version}."
        )
    if machine.architecture not in needs.architectures:
        sentences.append(
            f"This machine's architecture is {machine.architecture}; the lab needs one of "
            f"{', '.join(needs.architectures)}."
        )
    return sentences


def _wrong_kernel(machine: Machine) -> list[str]:
    sentences = []
    if not machine.has_tun:
        sentences.append(
            "/dev/net/tun is missing and the tunnel between the sites needs it; load the module with `modprobe tun`."
        )
    if not machine.has_loop:
        sentences.append(
            "/dev/loop-control is missing and the cloud's disks need it; load the module with `modprobe loop`."
        )
    if not machine.has_overlay:
        sentences.append(
            "The kernel does not offer the overlay file system and the hosts need it; load the module with "
            "`modprobe overlay`."
        )
    return sentences


def _may_become_root() -> bool:
    if shutil.which("sudo") is None:
        return False
    try:
        return attempt(["sudo", "--non-interactive", "true"], timeout_seconds=10).returncode == 0
    except CommandError:
        return False


def _memory_available_mib(meminfo: str) -> int:
    fields = dict(line.split(":", 1) for line in meminfo.splitlines())
    return int(fields["MemAvailable"].split()[0]) // 1024


def _disk_free_mib(path: Path) -> int:
    existing = next(candidate for candidate in (path, *path.parents) if candidate.exists())
    return shutil.disk_usage(existing).free // 2**20


def _cgroup_mode(root: Path) -> CgroupMode:
    if (root / "cgroup.controllers").exists():
        return "unified"
    return "hybrid" if (root / "unified").is_dir() else "legacy"


def _hard_limit(kind: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return 2**20 if hard == resource.RLIM_INFINITY else hard


def _has_capability(status: str, bit: int) -> bool:
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(mask, 16) >> bit & 1)


def _has_kernel_wireguard() -> bool:
    if Path("/sys/module/wireguard").is_dir():
        return True
    modules = Path("/lib/modules") / platform.release()
    lists = [modules / "modules.builtin", modules / "modules.dep"]
    return any("/wireguard.ko" in each.read_text() for each in lists if each.exists())


def _container() -> str | None:
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    hint = Path("/run/systemd/container")
    return hint.read_text().strip() if hint.exists() else None
