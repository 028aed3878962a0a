"""The right to run, for a while: a file with a deadline that the node renews as long as it is sure of its place."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def seconds_since_boot() -> float:
    """Return the clock of leases: it goes on while the machine is suspended and never steps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclasses.dataclass(frozen=True, slots=True)
class Lease:
    """A deadline in a file, in seconds of CLOCK_BOOTTIME. No file, or one that cannot be read: no lease.

    Several runs of a node share one lease. Whoever reads it (the guard of each run, the callback before each task)
    reads the file anew, so that a renewal counts at once and a lapse needs nobody to announce it.
    """

    path: Path
    clock: Callable[[], float] = seconds_since_boot

    def renew(self, seconds: float) -> None:
        """Move the deadline to `seconds` from now. Raises OSError when the file cannot be replaced."""
        self.renew_until(self.clock() + seconds)

    def renew_until(self, deadline: float) -> None:
        """Set the deadline itself: measure the start of the beat, not its end, when a beat may have been slow."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(self.path.name + ".new")
        new.write_text(f"{deadline:.6f}\n")
        new.replace(self.path)

    def lapse(self) -> None:
        """Give the lease up: every run under it is ended by its guard within a tenth of a second or two."""
        self.path.unlink(missing_ok=True)

    def seconds_left(self) -> float:
        """Return the seconds until the deadline; 0 when it passed or was never set."""
        try:
            return max(0.0, float(self.path.read_text()) - self.clock())
        except (OSError, ValueError):
            return 0.0

    def valid(self) -> bool:
        """Return whether something may be started now."""
        return self.seconds_left() > 0
