"""Wake the worker: a datagram to a socket in the state folder. Best effort, because the worker looks by itself too."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "wake.sock"


def wake(state_dir: Path) -> None:
    """Tell the worker that there is something to do; does nothing when nobody listens. Never waits."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"w", str(state_dir / NAME))


class Bell:
    """The worker's end of the socket. What an earlier worker left is replaced."""

    def __init__(self, state_dir: Path) -> None:
        """Listen. Raises OSError when the socket cannot be made."""
        self._path = state_dir / NAME
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._state_dir = state_dir

    def ring(self) -> None:
        """Wake whoever waits, from another thread of the worker itself."""
        wake(self._state_dir)

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, or so long; all rings so far count as one. Returns whether somebody rang."""
        if not select.select([self._socket], [], [], max(0.0, seconds))[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
        return True

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
