"""Answer the hosts' questions for names with what the operator's machine knows."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.commands import run
from lab.errors import LabError

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from lab.paths import Paths

_STOP_SECONDS = 5


def ensure(paths: Paths, address: IPv4Address) -> bool:
    """Start the forwarder on exactly this address unless it runs; return whether it was started."""
    arguments = _arguments(paths, address)
    if _running(paths) == arguments:
        return False
    stop(paths)
    paths.runtime.mkdir(parents=True, exist_ok=True)
    run(arguments)
    return True


def stop(paths: Paths) -> None:
    """Stop the forwarder if it runs; raises LabError when it stays."""
    if _running(paths) is not None:
        process = int(_pid_file(paths).read_text())
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _running(paths) is not None:
            if time.monotonic() > deadline:
                raise LabError(f"The DNS forwarder (process {process}) did not stop within {_STOP_SECONDS} s; kill it.")
            time.sleep(0.02)
    _pid_file(paths).unlink(missing_ok=True)


def is_running(paths: Paths) -> bool:
    """Tell whether the lab's forwarder runs."""
    return _running(paths) is not None


def _pid_file(paths: Paths) -> Path:
    return paths.runtime / "dnsmasq.pid"


def _arguments(paths: Paths, address: IPv4Address) -> list[str]:
    return [
        "dnsmasq",
        "--conf-file=/dev/null",
        "--bind-interfaces",
        "--except-interface=lo",
        f"--listen-address={address}",
        "--cache-size=2000",
        # The hosts have no way out over IPv6.
        "--filter-AAAA",
        f"--pid-file={_pid_file(paths)}",
    ]


def _running(paths: Paths) -> list[str] | None:
    """Return the command line of the process in the pid file if that is the lab's forwarder."""
    try:
        process = int(_pid_file(paths).read_text())
        arguments = Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")[:-1]
    except (OSError, ValueError):
        return None
    return arguments if f"--pid-file={_pid_file(paths)}" in arguments else None
