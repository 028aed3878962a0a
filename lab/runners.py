"""Speak with the runners of the lab's sites, as root on their hosts does."""

from __future__ import annotations

import contextlib
import shlex
from typing import TYPE_CHECKING

from lab import faults, ssh
from lab.commands import attempt
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS = ("colo-ops1", "cloud-ops1")
_SECONDS = 30


def ask(lab: faults.Lab, host: str, *words: str, well: tuple[int, ...] = (0,)) -> str:
    """Run `understudy` on a runner's host, return what it says; LabError for exit codes that are not `well`."""
    address = faults.management_address(lab, host)
    done = attempt(
        ssh.command(lab.paths, address, shlex.join(["sudo", "understudy", *words])), timeout_seconds=_SECONDS
    )
    if done.returncode not in well:
        told = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise LabError(f"{host}: understudy {' '.join(words)} exited {done.returncode}: {told}")
    return done.stdout.decode()


@contextlib.contextmanager
def held(lab: faults.Lab, reason: str) -> Iterator[None]:
    """Hold the brakes of all runners, so that nothing starts by itself, and let them go at the end."""
    try:
        for host in HOSTS:
            ask(lab, host, "brake", "on", "--reason", reason)
        yield
    finally:
        let_go(lab)


def let_go(lab: faults.Lab) -> None:
    """Take the brakes of all runners off, so that they act by themselves."""
    for host in HOSTS:
        ask(lab, host, "brake", "off")
