"""Stand above one run: end it when its lease lapses, its time is over or someone asks, and stay until nothing is left.

The guard is a process of its own between the runner and Ansible, so that it works while the runner is dead. Whatever
the run starts, however it detaches, becomes the guard's child in the end (PR_SET_CHILD_SUBREAPER): nothing escapes.
Standard library only: it is started for every run.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from runner.execute import processes
from runner.execute.lease import Lease, seconds_since_boot

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK_EVERY_SECONDS = 0.1
PR_SET_PDEATHSIG = 1  # source: prctl(2)
PR_SET_CHILD_SUBREAPER = 36
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}


@dataclasses.dataclass(frozen=True, slots=True)
class Watch:
    """What a guard needs to know. `folder` is the run's scratch folder; `deadline` is on the clock of leases."""

    folder: Path
    lease: Lease
    deadline: float
    grace_seconds: float

    @classmethod
    def read(cls, file: Path) -> Watch:
        """Read what `write` wrote. Raises OSError, ValueError, KeyError."""
        data = json.loads(file.read_text())
        lease = Lease(Path(data["lease"]))
        return cls(file.parent, lease, float(data["deadline"]), float(data["grace_seconds"]))

    def write(self) -> Path:
        """Write it for a guard into the scratch folder and return the file."""
        file = self.folder / "watch.json"
        data = {"lease": str(self.lease.path), "deadline": self.deadline, "grace_seconds": self.grace_seconds}
        file.write_text(json.dumps(data))
        return file


def guard(watch: Watch, start: Callable[[], int]) -> int:
    """Start the run (`start` returns the child's pid), watch it to its end, end what it left, return its exit code.

    Files in the folder: `guard` (pid and start), `ending` (why it was ended, when it was), `cancel` (made by whoever
    wants the end). Exit code 1 when the run was not even started.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    processes.become_guard()
    own = os.getpid()
    os.set_inheritable(os.open(watch.folder / "mark", os.O_CREAT | os.O_RDWR, 0o600), True)
    (watch.folder / "guard").write_text(f"{own} {processes.started_at(own)}")
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if ending := _why_end(watch):
        (watch.folder / "ending").write_text(ending)
        return 1
    child = start()
    code = _until_end(watch, child)
    grace = 0.0 if code is not None or _ending(watch) == "fenced" else watch.grace_seconds
    left = processes.end(lambda: processes.descendants(own), grace)
    (watch.folder / "left").write_text(" ".join(str(pid) for pid in left))
    return 1 if code is None else code


def child_of_guard() -> None:
    """Make a fresh fork an ordinary process again, which dies with its guard."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def _until_end(watch: Watch, child: int) -> int | None:
    """Return the child's exit code, or None when a reason to end it came first (it is written down)."""
    stopped = False
    while True:
        ended = processes.reap()
        if child in ended:
            code = ended[child]
            return code if code >= 0 else 128 - code
        if ending := "cancelled" if stopped else _why_end(watch):
            (watch.folder / "ending").write_text(ending)
            return None
        happened = signal.sigtimedwait(WATCHED, LOOK_EVERY_SECONDS)
        stopped = happened is not None and happened.si_signo != signal.SIGCHLD


def _why_end(watch: Watch) -> str | None:
    if not watch.lease.valid():
        return "fenced"
    if (watch.folder / "cancel").exists():
        return "cancelled"
    return "timed_out" if seconds_since_boot() >= watch.deadline else None


def _ending(watch: Watch) -> str:
    file = watch.folder / "ending"
    return file.read_text() if file.exists() else ""


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed; runs need Linux 3.4 or newer.")
