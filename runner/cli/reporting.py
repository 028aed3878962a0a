"""How the two parts of the service tell their supervisor how they are: lines through a pipe that they inherit.

Standard library only, and little of it: the supervisor must stay small.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

READY, ADDRESS, REFUSED = "ready", "address", "refused"
REFUSED_CODE = 2
_PR_SET_PDEATHSIG = 1  # source: prctl(2)


def report(pipe: int, word: str, text: str = "") -> None:
    """Tell the supervisor something; a supervisor that is gone is no reason to fail."""
    with contextlib.suppress(OSError):
        os.write(pipe, f"{word} {' '.join(text.split())}\n".encode())


def refuse(pipe: int, why: Exception) -> None:
    """Tell why this part does not start, and end."""
    report(pipe, REFUSED, str(why))
    sys.exit(REFUSED_CODE)


def give_memory_back() -> None:
    """Return to the machine what loading modules used and left: a tenth of a part's memory. Nothing where it cannot."""
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def end_with(supervisor: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies without a word. `supervisor`: its process id."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:
        os.kill(os.getpid(), signal.SIGTERM)
