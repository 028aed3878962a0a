"""Run the playbooks that build and remove the lab, one command at a time on a machine."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.paths import Paths

PROJECT = Path(__file__).resolve().parent.parent
_LOCK = Path("/run/understudy-lab.lock")
_LOCK_SECONDS = 600
_ORPHAN_SECONDS = 15  # how long what a killed command left running may take to end by itself


@dataclass(frozen=True)
class Step:
    """Describe one playbook run; `folder` is where its ansible.cfg is."""

    title: str
    playbook: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


# The lab is built by its own playbook; what runs on it is the product's, as an operator would run it.
PROGRESS = {"ANSIBLE_STDOUT_CALLBACK": "understudy.hybrid.progress"}
# The customers' machine stands beside the sites: an inventory of its own, with the variables of all hosts.
_CUSTOMERS = {
    "ANSIBLE_INVENTORY": "inventories/lab/two_sites.yml,lab/customers.ini",
    "ANSIBLE_INVENTORY_ENABLED": "understudy.hybrid.two_sites,ansible.builtin.ini",
}
UP = (
    Step("the lab itself", "up.yml", PROJECT / "lab"),
    Step("the cloud's servers", "playbooks/cloud.yml", PROJECT, PROGRESS),
    Step("accounts, firewalls and the tunnel", "playbooks/network.yml", PROJECT, PROGRESS),
    Step("the customers and the payment company", "lab/customers.yml", PROJECT, PROGRESS | _CUSTOMERS),
)
DOWN = (Step("removing the lab", "down.yml", PROJECT / "lab"),)


@contextlib.contextmanager
def only_one(lock: Path = _LOCK, *, timeout_seconds: float = _LOCK_SECONDS) -> Iterator[int]:
    """Hold the machine's lock on building, and hand it on to whoever is started meanwhile.

    The lock is an open file that Ansible's processes inherit: when this one is killed, the next command waits for what
    it left running, and ends it after a while. Raises LabError when others still hold it after `timeout_seconds`.
    """
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        started, told = time.monotonic(), False
        deadline = started + timeout_seconds
        while not _locked(handle):
            holder = os.pread(handle, 20, 0).decode().strip() or "unknown"
            if time.monotonic() > started + _ORPHAN_SECONDS and not Path("/proc", holder).exists():
                _end_orphans(lock)
            if time.monotonic() > deadline:
                raise LabError(
                    f"Another lab command (process {holder}) is still at work after {timeout_seconds:g} s; "
                    "wait for it or end it, then try again."
                )
            if not told:
                sys.stdout.write(f"Waiting for another lab command (process {holder}) to end ...\n")
                sys.stdout.flush()
                told = True
            time.sleep(0.2)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield handle
    finally:
        os.close(handle)


def run(steps: Sequence[Step], arguments: Sequence[str] = ()) -> None:
    """Run the steps in order; raises LabError for the first that fails."""
    started = time.monotonic()
    with only_one() as lock:
        for step in steps:
            sys.stdout.write(f"\n== {step.title} ({time.monotonic() - started:.0f} s)\n")
            sys.stdout.flush()
            code = play(step, arguments, keeps=[lock])
            if code != 0:
                raise LabError(
                    f"{step.title}: ansible-playbook {step.playbook} ended with exit code {code}; "
                    "the reason is above. It is safe to run the same command again."
                )
    sys.stdout.write(f"\nDone in {time.monotonic() - started:.0f} s.\n")


def play(step: Step, arguments: Sequence[str] = (), *, keeps: Sequence[int] = (), output: IO[str] | None = None) -> int:
    """Run one playbook and return its exit code; settings of Ansible come from the project's files, never from outside.

    But for the accelerator, which is switched on from there (`make lab ACCELERATE=1`).

    `keeps` are file descriptors that it inherits; with `output` what it says goes there.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), step.playbook, *arguments],
        cwd=step.folder,
        env={**ours, **_accelerator(), **step.environment},
        pass_fds=keeps,
        stdout=output,
        stderr=output,
        check=False,
    ).returncode


def _accelerator() -> dict[str, str]:
    """Return the settings that let mitogen run the playbooks, if that is wished and it is there."""
    if not os.environ.get("ACCELERATE"):
        return {}
    found = importlib.util.find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise LabError("ACCELERATE is set, but mitogen is not installed. Run `make setup`, or go without ACCELERATE.")
    plugins = Path(found.origin).parent / "plugins/strategy"
    return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}


def hand_over(paths: Paths) -> None:
    """Give the operator's files to the person who called sudo, so that Ansible works without it."""
    owner, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if owner is None or group is None or not paths.operator.is_dir():
        return
    for path in (paths.operator, *paths.operator.rglob("*")):
        os.chown(path, int(owner), int(group))


def _end_orphans(lock: Path) -> None:
    """Kill what a command that is gone left running: playbooks that have the lock's file open.

    A worker of a killed ansible-playbook waits for ever to write into a pipe that it alone holds.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"ansible-playbook" in (process / "cmdline").read_bytes() and any(
                opened.samefile(lock) for opened in (process / "fd").iterdir() if opened.exists()
            ):
                os.kill(int(process.name), signal.SIGKILL)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
