"""Run a command on a host of the lab, as the steps and questions of a drill do."""

from __future__ import annotations

import shlex

from lab import faults, ssh
from lab.commands import attempt
from lab.errors import LabError


def on(lab: faults.Lab, host: str, *words: str, seconds: float = 30) -> str:
    """Run a command on a host; raises LabError when it fails."""
    done = attempt(
        ssh.command(lab.paths, faults.management_address(lab, host), shlex.join(words)), timeout_seconds=seconds
    )
    if done.returncode != 0:
        why = (done.stderr or done.stdout).decode(errors="replace").strip()[-300:]
        raise LabError(f"{host}: `{shlex.join(words)}` ended with exit code {done.returncode}: {why}")
    return done.stdout.decode()
