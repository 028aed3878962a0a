"""What the command `understudy drill` finds of the lab: entry point `lab` in the group `understudy.drills`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from lab.drills import rows
from lab.errors import LabError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, MISSED, UNKNOWN = range(3)
_PROCESS = os.getpid()
_KEPT_BY_SUDO = "PATH,NO_COLOR,TERM"


def _interrupted(_number: int, _frame: object) -> None:
    """Break off in the process that runs the drill; those that it forked to look into namespaces just end."""
    if os.getpid() != _PROCESS:
        os._exit(128 + signal.SIGTERM)
    raise KeyboardInterrupt


def listed() -> list[dict[str, str]]:
    """Return the drills there are: name, title, tier and deadline of each."""
    return [
        {
            "drill": row.name,
            "what fails": row.title,
            "tier": row.tier or "any",
            "deadline": f"{row.deadline_seconds:g} s",
        }
        for row in rows.ROWS
    ]


def run(names: Sequence[str], *, keep: bool) -> int:
    """Run drills; return 0 when all were met, 1 when one was not or broke off, 2 for a name that there is not."""
    try:
        wanted = [rows.named(name) for name in names]
        if os.geteuid() != 0:
            again = ["sudo", f"--preserve-env={_KEPT_BY_SUDO}", sys.executable, "-m", "lab", "drill", *names]
            again += ["--keep"] if keep else []
            os.execvp(again[0], again)  # noqa: S606 - the command takes this process's place
        from lab import faults, topology  # noqa: PLC0415 - a list of drills needs nothing of a lab
        from lab.drills import figures, run  # noqa: PLC0415 - the same
        from lab.paths import Paths  # noqa: PLC0415 - the same

        signal.signal(signal.SIGTERM, _interrupted)  # whoever ends it gets a mended lab too
        results = run.run(faults.Lab(topology.load(), Paths()), wanted, figures.keep if keep else lambda _: None)
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return UNKNOWN if isinstance(error, UnknownNameError) else MISSED
    return DONE if all(result["verdict"] == "met" for result in results) else MISSED
