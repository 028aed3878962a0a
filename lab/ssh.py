"""Reach hosts the way an operator does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.paths import Paths

USER = "ansible"


def command(paths: Paths, address: str, *arguments: str, interactive: bool = False) -> list[str]:
    """Return the command line that runs a command on a host, with the host's key checked."""
    options = ["-F", "/dev/null", "-i", str(paths.operator_key)]
    options += ["-o", f"UserKnownHostsFile={paths.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=3"]
    return ["ssh", *options, *(["-t"] if interactive else []), f"{USER}@{address}", "--", *arguments]
