"""Run the lab's OpenStack: start, stop, and the faults of a whole cloud."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from lab import cloud_cgroups, cloud_database, cloud_remains, cloud_supervisor
from lab.cloud_files import is_same, replace_text
from lab.cloud_layout import API_PORTS, OBJECT_STORAGE_PORT, Layout
from lab.commands import run
from lab.errors import LabError

Fault = Literal["hang", "down", "up"]

LINKS = ("api0", "public", "management", "mgmt0")

_LAB = Layout()
_START_SECONDS = 20
_TABLE = "understudy_fault"


def is_running(layout: Layout = _LAB) -> bool:
    """Tell whether the cloud's supervisor is there and answers."""
    return first_process(layout) is not None and cloud_supervisor.answers(layout.supervisor_socket)


def first_process(layout: Layout = _LAB) -> int | None:
    """Return the process id, as the machine sees it, of the first process in the cloud's namespaces."""
    for process in cloud_cgroups.members(layout.cgroup):
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        own = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        here = Path("/proc/self/status").read_text()
        depth = len(next(line.split()[1:] for line in here.splitlines() if line.startswith("NSpid:")))
        if len(own) == depth + 1 and own[-1] == "1":
            return process
    return None


def services(layout: Layout = _LAB) -> dict[str, str]:
    """Return each service's state; none when the cloud does not run, one alone when its supervisor is silent."""
    if first_process(layout) is None:
        return {}
    try:
        found = cloud_supervisor.states(layout.supervisor_socket)
    except LabError:
        return {"supervisord": "SILENT"}
    return {name: state for name, state in found.items() if name != cloud_supervisor.BOOTSTRAP}


def start(layout: Layout = _LAB) -> bool:
    """Start whatever of the cloud does not run; return whether anything was started.

    A cloud with an older configuration is started anew, and Nova brings its servers back. What a crash or an
    interruption left is removed first. The services go on starting after this returns. Raises LabError when the
    network, the configuration or the stored databases are missing, or the supervisor does not answer.
    """
    if is_running(layout) and is_current(layout):
        return bool(cloud_supervisor.begin_failed(layout.supervisor_socket))
    if not layout.network_namespace.exists():
        raise LabError(f"{layout.network_namespace} does not exist, and the cloud lives in it; run `make lab`.")
    if not (layout.etc / "supervisord.conf").exists():
        raise LabError(f"{layout.etc}/supervisord.conf does not exist, so the cloud is not configured; run `make lab`.")
    cloud_remains.kill(layout)
    cloud_remains.release(layout)
    is_new = cloud_database.restore(layout)
    layout.supervisor_socket.unlink(missing_ok=True)
    replace_text(_started_with(layout), _digest(layout), 0o600)
    _hold(layout)
    if is_new:
        cloud_supervisor.begin(layout.supervisor_socket, cloud_supervisor.BOOTSTRAP)
    return True


def is_current(layout: Layout = _LAB) -> bool:
    """Tell whether the cloud was started with the configuration that is there now."""
    return is_same(_started_with(layout), _digest(layout), 0o600)


def stop(layout: Layout = _LAB) -> None:
    """End the cloud and remove all of it but the caches and the operator's files."""
    cloud_remains.kill(layout)
    cloud_remains.release(layout)
    cloud_remains.forget_network(layout)
    cloud_remains.forget_state(layout)


def power_off(layout: Layout = _LAB) -> None:
    """Take the site's power away: first its cables, so that nobody sees it die, then every process and guest."""
    _links(layout, "down")
    cloud_remains.kill(layout)
    cloud_remains.release(layout)


def power_on(layout: Layout = _LAB) -> None:
    """Give the power back: the cables, the services, and (by Nova's own doing) the guests that ran before."""
    _links(layout, "up")
    start(layout)


def api_fault(mode: Fault, layout: Layout = _LAB, *, ports: tuple[int, ...] = tuple(API_PORTS.values())) -> None:
    """Make the public APIs hang (packets vanish, also those of open connections), refuse, or work again.

    Object storage keeps working (see `object_storage_fault`), and so do the services among each other.
    """
    _fault(layout, f"{_TABLE}_api", mode, ports)


def object_storage_fault(mode: Fault, layout: Layout = _LAB) -> None:
    """Make object storage hang, refuse, or work again."""
    _fault(layout, f"{_TABLE}_object_storage", mode, (OBJECT_STORAGE_PORT,))


def fault_rules(table: str, mode: Fault, ports: tuple[int, ...]) -> str:
    """Return the nftables commands of a fault (pure); they replace those of an earlier one."""
    lines = [f"table inet {table}", f"delete table inet {table}"]
    if mode != "up":
        numbers = ", ".join(str(port) for port in ports)
        verdict = "drop" if mode == "hang" else "reject with tcp reset"
        lines += [
            f"add table inet {table}",
            f"add chain inet {table} input {{ type filter hook input priority -300; }}",
            f"add chain inet {table} output {{ type filter hook output priority -300; }}",
            f'add rule inet {table} input iifname != "lo" tcp dport {{ {numbers} }} {verdict}',
            f'add rule inet {table} output oifname != "lo" tcp sport {{ {numbers} }} tcp flags & rst == 0 drop',
        ]
    return "\n".join(lines) + "\n"


def _started_with(layout: Layout) -> Path:
    return layout.home / "started-with"


def _digest(layout: Layout) -> str:
    digest = hashlib.sha256()
    for path in [*sorted(layout.etc.rglob("*")), layout.certificate]:
        if path.is_file():
            digest.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _fault(layout: Layout, table: str, mode: Fault, ports: tuple[int, ...]) -> None:
    if not layout.network_namespace.exists():
        raise LabError(f"{layout.network_namespace} does not exist, so there is no cloud to disturb; run `make lab`.")
    run(
        ["nsenter", f"--net={layout.network_namespace}", "nft", "--file", "-"],
        input_text=fault_rules(table, mode, ports),
    )


def _links(layout: Layout, state: Literal["up", "down"]) -> None:
    for link in LINKS:
        run(["ip", "-netns", layout.namespace, "link", "set", link, state])


def _hold(layout: Layout) -> None:
    """Start the first process of the cloud's namespaces, apart from this one, and wait until it answers."""
    command = [sys.executable, "-m", "lab.cloud_holder", str(layout.network_namespace), str(layout.home), layout.cgroup]
    if Path("/run/systemd/system").is_dir():
        # A scope of its own: systemd neither counts the cloud to a login session nor changes its cgroups.
        command = [
            "systemd-run",
            "--quiet",
            "--scope",
            "--collect",
            f"--unit={layout.cgroup}",
            "--property=Delegate=yes",
            "--",
            *command,
        ]
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = layout.logs / "holder.log"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with log.open("wb") as output:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
            check=False,
            timeout=_START_SECONDS,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not is_running(layout):
        if time.monotonic() > deadline:
            words = log.read_text(errors="replace")[-2000:].strip()
            raise LabError(f"The cloud's supervisor did not answer within {_START_SECONDS} s; {log} ends with: {words}")
        time.sleep(0.05)
