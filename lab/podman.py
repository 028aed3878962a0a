"""Run podman with the lab's own configuration and storage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import mounts, storage
from lab.commands import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.machine import Machine
    from lab.paths import Paths

# All of the lab's containers hang below this control group: it is measured and removed as one.
CGROUP_PARENT = "understudy_lab"


def containers_conf(machine: Machine, paths: Paths) -> str:
    """Return containers.conf for what the machine is (pure).

    crun refuses hybrid control groups; without CAP_SYS_RESOURCE podman's own default limits cannot be set;
    without systemd outside there is neither its cgroup manager nor a journal.
    """
    containers, engine = [], [f'tmp_dir = "{paths.runtime / "libpod"}"', 'lock_type = "file"']
    if not machine.may_raise_limits:
        limits = (
            f"nofile={machine.open_files_limit}:{machine.open_files_limit}",
            f"nproc={machine.processes_limit}:{machine.processes_limit}",
        )
        containers.append(f"default_ulimits = {json.dumps(limits)}")
    if machine.cgroup != "unified":
        engine.append('runtime = "runc"')
    if machine.init != "systemd":
        containers.append('log_driver = "k8s-file"')
        engine += ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    # Debian 12's podman takes netavark where it is installed: one of the two, always the same.
    network = ['network_backend = "cni"', f'network_config_dir = "{paths.state / "networks"}"']
    sections = {"containers": containers, "engine": engine, "network": network}
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


def storage_conf(paths: Paths) -> str:
    """Return storage.conf (pure)."""
    return f'[storage]\ndriver = "overlay"\ngraphroot = "{paths.graph_root}"\nrunroot = "{paths.run_root}"\n'


def configure(machine: Machine, paths: Paths) -> bool:
    """Write podman's configuration of the lab and mend its storage; return whether the configuration changed."""
    _forget_earlier_boot(paths)
    storage.mend(paths)
    wanted = {paths.containers_conf: containers_conf(machine, paths), paths.storage_conf: storage_conf(paths)}
    changed = {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(path)
    return bool(changed)


def _forget_earlier_boot(paths: Paths) -> None:
    """Remove what podman believed to be running before the machine booted, where /run is not a tmpfs."""
    boot, marker = Path("/proc/sys/kernel/random/boot_id").read_text(), paths.runtime / "boot_id"
    if marker.exists() and marker.read_text() != boot:
        mounts.remove(paths.runtime)
    paths.runtime.mkdir(parents=True, exist_ok=True)
    marker.write_text(boot)


def is_configured(paths: Paths) -> bool:
    """Tell whether podman's configuration of the lab is there."""
    return paths.containers_conf.exists() and paths.storage_conf.exists()


def environment(paths: Paths) -> dict[str, str]:
    """Return the variables that make podman use the lab's configuration."""
    return {"CONTAINERS_CONF": str(paths.containers_conf), "CONTAINERS_STORAGE_CONF": str(paths.storage_conf)}


def podman(paths: Paths, *arguments: str, timeout_seconds: float = 60) -> str:
    """Run one podman command and return its standard output; raises CommandError."""
    return run(["podman", *arguments], timeout_seconds=timeout_seconds, environment=environment(paths))


def cgroup_parent(machine: Machine) -> str:
    """Return the control group that holds the lab's containers, as podman's cgroup manager spells it."""
    return f"{CGROUP_PARENT}.slice" if machine.init == "systemd" else f"/{CGROUP_PARENT}"


def networks(paths: Paths) -> list[str]:
    """Return the networks that podman keeps for the lab, its built-in one apart."""
    names = podman(paths, "network", "ls", "--quiet").split()
    return [name for name in names if name != "podman"]


def listed(paths: Paths, kind: Sequence[str]) -> list[dict[str, Any]]:
    """Return podman's JSON list of containers (`("ps", "--all")`), images (`("images",)`) and the like."""
    loaded: list[dict[str, Any]] = json.loads(podman(paths, *kind, "--format", "json") or "[]")
    return loaded
