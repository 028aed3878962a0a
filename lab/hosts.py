"""Run the podman hosts: Debian with systemd and sshd, each in its own network namespace."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab import images, keys, podman, storage
from lab.commands import attempt
from lab.errors import CommandError, LabError
from lab.layout import namespace_name
from lab.links import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.machine import Machine
    from lab.paths import Paths
    from lab.topology import Host, Topology

_LABEL = "understudy.lab"
_ASTRAY = "astray"
_ANSIBLE = 1000
_AT_ONCE = 4
_SSH_SECONDS = 60
# What systemd, its sandboxed units, WireGuard and PostgreSQL need; --privileged would show the outer disks.
_FLAGS = (
    "--systemd=always",
    "--cap-add=SYS_ADMIN,NET_ADMIN,NET_RAW,SYS_NICE,SYS_PTRACE,IPC_LOCK",
    "--security-opt=seccomp=unconfined",
    "--security-opt=unmask=ALL",
    "--device=/dev/net/tun",
    "--shm-size=256m",
    # /etc/hosts and /etc/resolv.conf are files of the host itself: roles may replace them.
    "--no-hosts",
    "--dns=none",
)


@dataclass(frozen=True)
class HostSpec:
    """Describe a container to run in a network namespace; `addresses` are those it is trusted under."""

    name: str
    image: str
    namespace: str
    addresses: tuple[str, ...]
    management: str
    resolvers: tuple[str, ...]


def spec(topology: Topology, host: Host, release: str) -> HostSpec:
    """Return how to run a host of the topology (pure)."""
    return HostSpec(
        name=host.name,
        image=images.name(release),
        namespace=namespace_name(host.name),
        addresses=tuple(str(address) for address in host.addresses.values()),
        management=str(host.management),
        resolvers=(str(topology.operator),),
    )


def states(paths: Paths, *, hosts_only: bool = False) -> dict[str, str]:
    """Return the containers in the lab's storage and their states, as podman names them.

    Those of the roles' own tests are among them, unless only hosts are asked for. A host that runs in a
    namespace which was replaced since it was started is `astray`.
    """
    if not podman.is_configured(paths):
        return {}
    found = {}
    for each in podman.listed(paths, ("ps", "--all", "--sync")):
        is_host = _LABEL in (each.get("Labels") or {})
        if is_host or not hosts_only:
            found[_only_name(each)] = _host_state(each) if is_host else str(each["State"])
    return found


def ensure(machine: Machine, paths: Paths, specs: Sequence[HostSpec]) -> list[str]:
    """Run the hosts, a few at a time, and wait until each answers on SSH; return the names that changed.

    A host that is stopped, paused or astray goes on with the files it had. Raises LabError for a host made
    from another release, or one that does not answer.
    """
    podman.configure(machine, paths)
    keys.ensure_operator_key(paths)
    keys.ensure_runner_key(paths)
    before = _whole(paths, [each.name for each in specs])
    _refuse_other_release(paths, [each for each in specs if each.name in before])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        changed = list(pool.map(lambda each: _ensure(machine, paths, each, before.get(each.name)), specs))
    return [each.name for each, was_changed in zip(specs, changed, strict=True) if was_changed]


def start(paths: Paths, names: Iterable[str]) -> None:
    """Start stopped hosts; raises LabError for one that was never made."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: _start(paths, name), names))


def kill(paths: Paths, names: Iterable[str]) -> None:
    """Kill every process of the hosts at once, as a power cut does."""
    running = states(paths)
    for name in names:
        if running.get(name) == "paused":
            podman.podman(paths, "unpause", name)
    _each(paths, [name for name in names if running.get(name) in {"running", "paused", _ASTRAY}], "kill")


def pause(paths: Paths, name: str) -> None:
    """Freeze every process of a host."""
    podman.podman(paths, "pause", name)


def resume(paths: Paths, name: str) -> None:
    """Let a frozen host go on."""
    podman.podman(paths, "unpause", name)


def remove(paths: Paths, names: Iterable[str]) -> None:
    """Remove hosts with their files and take them out of known_hosts."""
    for name in names:
        podman.podman(paths, "rm", "--force", "--ignore", "--time", "0", "--volumes", name)
        keys.distrust(paths, name)


def answers(address: str, *, timeout_seconds: float = 1) -> bool:
    """Tell whether an SSH server introduces itself at an address."""
    try:
        with socket.create_connection((address, 22), timeout=timeout_seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(address: str, name: str, *, timeout_seconds: float = _SSH_SECONDS) -> None:
    """Wait until a host answers on SSH; raises LabError when it has not within `timeout_seconds`."""
    deadline = time.monotonic() + timeout_seconds
    while not answers(address):
        if time.monotonic() > deadline:
            raise LabError(
                f"{name} ({address}) did not answer on SSH within {timeout_seconds:g} s; "
                f"look at it with `lab exec {name} -- systemctl --failed`."
            )
        time.sleep(0.05)


def _ensure(machine: Machine, paths: Paths, wanted: HostSpec, state: str | None) -> bool:
    key = keys.host_key(paths, wanted.name)
    keys.trust(paths, wanted.name, wanted.addresses, key[1])
    if state == "paused":
        resume(paths, wanted.name)
    elif state != "running":
        if state == _ASTRAY:
            kill(paths, [wanted.name])
        if state is None:
            _create(machine, paths, wanted, key)
        start(paths, [wanted.name])
    wait(wanted.management, wanted.name)
    return state != "running"


def _whole(paths: Paths, names: Iterable[str]) -> dict[str, str]:
    """Return the states of the hosts that are there, and remove what an interrupted removal left of the others."""
    found = {name: state for name, state in states(paths).items() if name in names}
    stored = storage.containers(paths)
    broken = [name for name, state in found.items() if name not in stored or state == "removing"]
    for name in broken:
        podman.podman(paths, "rm", "--force", "--ignore", "--time", "0", name)
    return {name: state for name, state in found.items() if name not in broken}


def _create(machine: Machine, paths: Paths, wanted: HostSpec, key: tuple[str, str]) -> None:
    # Under another name until its files are in it: an interruption leaves nothing that looks finished.
    unfinished = f"{wanted.name}.unfinished"
    podman.podman(paths, "rm", "--force", "--ignore", "--time", "0", unfinished)
    flags = (*_FLAGS, f"--cgroup-parent={podman.cgroup_parent(machine)}", f"--label={_LABEL}=host")
    podman.podman(
        paths,
        "create",
        f"--name={unfinished}",
        f"--hostname={wanted.name}",
        f"--network=ns:{NAMESPACES / wanted.namespace}",
        *flags,
        wanted.image,
    )
    personal = _personal_files(wanted, key, keys.operator_public_key(paths))
    result = attempt(
        ["podman", "cp", "--archive=false", "-", f"{unfinished}:/"],
        input_bytes=personal,
        environment=podman.environment(paths),
    )
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip()
        raise CommandError(
            f"The files of {wanted.name} could not be written: {words}; run `make lab` again.",
            result.returncode,
            words,
        )
    podman.podman(paths, "rename", unfinished, wanted.name)


def _personal_files(wanted: HostSpec, key: tuple[str, str], authorized_keys: str) -> bytes:
    """Return a tar of what only this host has (pure)."""
    resolvers = "".join(f"nameserver {address}\n" for address in wanted.resolvers)
    files = (
        ("etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {wanted.name}\n", 0o644, 0),
        ("etc/resolv.conf", resolvers, 0o644, 0),
        ("etc/ssh/ssh_host_ed25519_key", key[0], 0o600, 0),
        ("etc/ssh/ssh_host_ed25519_key.pub", key[1], 0o644, 0),
        ("home/ansible/.ssh/authorized_keys", authorized_keys, 0o600, _ANSIBLE),
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text, mode, owner in files:
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.uid, member.gid = len(text.encode()), mode, owner, owner
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _refuse_other_release(paths: Paths, specs: Sequence[HostSpec]) -> None:
    made_from = {
        _only_name(each): str(each["Image"]) for each in podman.listed(paths, ("ps", "--all")) if "Image" in each
    }
    for each in specs:
        release, wanted = made_from[each.name].rpartition(":")[2], each.image.rpartition(":")[2]
        if release in images.RELEASES and release != wanted:
            raise LabError(
                f"{each.name} runs {release} and LAB_RELEASE asks for {wanted}; run `make lab-down` first, "
                f"or keep LAB_RELEASE={release}."
            )


def _start(paths: Paths, name: str) -> None:
    try:
        podman.podman(paths, "start", name)
    except CommandError:
        # An interrupted start leaves the container to its runtime, and podman does not know that it is there.
        identity, runtime = podman.podman(paths, "inspect", "--format", "{{ .Id }} {{ .OCIRuntime }}", name).split()
        attempt([runtime, "delete", "--force", identity])
        podman.podman(paths, "start", name)


def _each(paths: Paths, names: Iterable[str], action: str) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: podman.podman(paths, action, name), names))


def _host_state(listed: dict[str, Any]) -> str:
    state = str(listed["State"])
    if state != "running":
        return state
    try:
        own = Path(f"/proc/{listed['Pid']}/ns/net").stat().st_ino
        expected = (NAMESPACES / namespace_name(_only_name(listed))).stat().st_ino
    except FileNotFoundError:
        return _ASTRAY
    return state if own == expected else _ASTRAY


def _only_name(listed: dict[str, Any]) -> str:
    names = listed["Names"]
    return str(names[0]) if isinstance(names, list) else str(names)
