"""Delay packets between two TUN devices by an exact time, and limit their rate.

Runs as a process of its own, for example
`python -m lab.slow_line --namespace us-wan --name slow0 --milliseconds 20 --mbit 100`.
Packets that are routed into `<name>a` come out of `<name>b` and the other way round. The kernel's netem would
do, but not every kernel has it.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import struct
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_HEADER = 0x1001
_LARGEST_PACKET = 65535
_AT_ONCE = 64
# What a router of the internet buffers in front of a slow line before it drops.
_QUEUE_SECONDS = 0.1


@dataclass
class Direction:
    """Hold the packets on their way in one direction (no I/O, no clock)."""

    delay_seconds: float
    bytes_per_second: float | None
    queue: deque[tuple[float, bytes]] = field(default_factory=deque)
    line_free_at: float = 0.0

    def accept(self, packet: bytes, now: float) -> bool:
        """Take a packet; return whether there was room for it."""
        start = max(now, self.line_free_at)
        if start - now > _QUEUE_SECONDS:
            return False
        if self.bytes_per_second:
            start += len(packet) / self.bytes_per_second
            self.line_free_at = start
        self.queue.append((start + self.delay_seconds, packet))
        return True

    def due(self, now: float) -> list[bytes]:
        """Return the packets that have arrived, oldest first."""
        arrived = []
        while self.queue and self.queue[0][0] <= now:
            arrived.append(self.queue.popleft()[1])
        return arrived

    def next_at(self) -> float | None:
        """Return when the next packet arrives."""
        return self.queue[0][0] if self.queue else None


def main() -> None:
    """Read the arguments, open the devices and carry packets until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--milliseconds", type=float, required=True)
    parser.add_argument("--mbit", type=float, default=0)
    arguments = parser.parse_args()
    with Path("/run/netns", arguments.namespace).open("rb") as namespace:
        os.setns(namespace.fileno(), os.CLONE_NEWNET)
    rate = arguments.mbit * 1e6 / 8 or None
    devices = [_open(f"{arguments.name}{side}") for side in "ab"]
    _carry(devices, [Direction(arguments.milliseconds / 1e3, rate) for _ in devices])


def _carry(devices: list[int], directions: list[Direction]) -> None:
    """Move packets from each device to the other for ever."""
    while True:
        upcoming = [at for each in directions if (at := each.next_at()) is not None]
        timeout = max(0.0, min(upcoming) - time.monotonic()) if upcoming else None
        ready = select.select(devices, (), (), timeout)[0]
        for index, device in enumerate(devices):
            if device in ready:
                _read(device, directions[index])
        now = time.monotonic()
        for index, direction in enumerate(directions):
            for packet in direction.due(now):
                _write(devices[1 - index], packet)


def _open(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22s", name.encode(), _IFF_TUN_WITHOUT_HEADER, b""))
    return device


def _read(device: int, direction: Direction) -> None:
    try:
        for _ in range(_AT_ONCE):
            direction.accept(os.read(device, _LARGEST_PACKET), time.monotonic())
    except OSError:
        # Nothing left to read, or the device is not up yet.
        return


def _write(device: int, packet: bytes) -> None:
    try:
        os.write(device, packet)
    except OSError:
        # As on a real line, what the other end cannot take is lost.
        return


if __name__ == "__main__":
    main()
