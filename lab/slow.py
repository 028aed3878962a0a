"""Put a slow line between two sites, and take it away."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab import links
from lab.errors import LabError
from lab.layout import WAN
from lab.topology import PUBLIC

if TYPE_CHECKING:
    from lab.paths import Paths
    from lab.topology import Topology

_READY_SECONDS = 5
_FIRST_TABLE = 100


@dataclass(frozen=True)
class Line:
    """Describe the way between two sites; its number decides the names of its devices and routing tables."""

    number: int
    sites: tuple[str, str]

    @property
    def name(self) -> str:
        """Return what the names of its two devices start with."""
        return f"slow{self.number}"

    @property
    def devices(self) -> tuple[str, str]:
        """Return the devices of the first and the second site."""
        return f"{self.name}a", f"{self.name}b"

    @property
    def tables(self) -> tuple[int, int]:
        """Return the routing tables of what comes from the first and from the second site."""
        return _FIRST_TABLE + 2 * self.number, _FIRST_TABLE + 2 * self.number + 1


@dataclass(frozen=True)
class Slowness:
    """Hold what a line does to packets in each direction; 0 Mbit/s is no limit."""

    milliseconds: float
    mbit: float


def lines(topology: Topology) -> list[Line]:
    """Return the line between every two sites."""
    pairs = itertools.combinations(topology.sites, 2)
    return [Line(number, pair) for number, pair in enumerate(pairs)]


def start(topology: Topology, paths: Paths, line: Line, slowness: Slowness) -> None:
    """Make a line slow, also one that is slow already; raises LabError when the process does not come up."""
    stop(topology, paths, line)
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.slow_line", "--namespace", WAN, "--name", line.name,
         "--milliseconds", str(slowness.milliseconds), "--mbit", str(slowness.mbit)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    _pid_file(paths, line).write_text(f"{process.pid}\n")
    deadline = time.monotonic() + _READY_SECONDS
    while not links.exist(WAN, line.devices):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LabError(
                f"The slow line between {' and '.join(line.sites)} did not come up within "
                f"{_READY_SECONDS} s; is the lab built? See `lab status`."
            )
        time.sleep(0.02)
    links.detour(WAN, _detours(topology, line))


def stop(topology: Topology, paths: Paths, line: Line) -> None:
    """Make a line quick again; does nothing where it is."""
    links.end_detour(WAN, _detours(topology, line))
    process = _process(paths, line)
    if process is not None:
        os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + _READY_SECONDS
        while links.exist(WAN, line.devices) and time.monotonic() < deadline:
            time.sleep(0.01)
    _pid_file(paths, line).unlink(missing_ok=True)


def kill_all(paths: Paths) -> None:
    """Kill the processes of all lines; their devices go with them."""
    for file in paths.runtime.glob("slow*.pid"):
        process = _verified(file, file.stem)
        if process is not None:
            os.kill(process, signal.SIGKILL)
        file.unlink()


def processes(paths: Paths) -> list[int]:
    """Return the processes of the lines that are slow."""
    found = [_verified(file, file.stem) for file in sorted(paths.runtime.glob("slow*.pid"))]
    return [process for process in found if process is not None]


def active(topology: Topology, paths: Paths) -> dict[Line, Slowness]:
    """Return the lines that are slow."""
    found = {}
    for line in lines(topology):
        process = _process(paths, line)
        if process is not None:
            arguments = _arguments(process)
            values = {name: float(arguments[arguments.index(name) + 1]) for name in ("--milliseconds", "--mbit")}
            found[line] = Slowness(values["--milliseconds"], values["--mbit"])
    return found


def _detours(topology: Topology, line: Line) -> list[links.Detour]:
    first, second = (topology.segment(site, PUBLIC) for site in line.sites)
    return [
        links.Detour(first.switch, second.prefix, line.tables[0], line.devices[0]),
        links.Detour(second.switch, first.prefix, line.tables[1], line.devices[1]),
    ]


def _pid_file(paths: Paths, line: Line) -> Path:
    return paths.runtime / f"{line.name}.pid"


def _process(paths: Paths, line: Line) -> int | None:
    return _verified(_pid_file(paths, line), line.name)


def _verified(file: Path, name: str) -> int | None:
    """Return the process in a pid file if it still is the line's and not another that got its number."""
    try:
        process = int(file.read_text())
    except (OSError, ValueError):
        return None
    arguments = _arguments(process)
    return process if "lab.slow_line" in arguments and name in arguments else None


def _arguments(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return []
