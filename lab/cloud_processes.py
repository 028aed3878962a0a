"""Keep helper processes of a build inside namespaces that die with their parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def confined(arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs a program in process and mount namespaces of its own.

    When the caller dies, even by SIGKILL, the kernel kills the program, everything that it started, and the mounts.
    """
    return [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
        *arguments,
    ]
