"""Be the service: start its two parts, web and worker, say when both are ready, and end them together.

`python -m runner.cli.serving`; `understudy serve` becomes this process. It stays small: standard library only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from runner.cli.probing import answers
from runner.cli.reporting import ADDRESS, READY, REFUSED, REFUSED_CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.cli.probing import Address

PROBE_EVERY_SECONDS = 0.02
LONGEST_DRAIN_SECONDS = 45.0  # the worker itself gives up after 30
LONGEST_GOODBYE_SECONDS = 15.0  # of a part that has nothing to drain; the web part itself gives up after 10
WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Phase(enum.StrEnum):
    """The life of the service."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # the worker lets what runs end; alerts are still taken
    CLOSING = "closing"


@dataclasses.dataclass(slots=True)
class Part:
    """One of the two processes. It leads a process group: signals of a terminal reach the supervisor only."""

    name: str
    process: subprocess.Popen[bytes]
    pipe: int
    heard: bytes = b""
    ready: bool = False
    refusal: str | None = None

    @property
    def running(self) -> bool:
        """Tell whether it lives."""
        return self.process.poll() is None

    def lines(self) -> list[str]:
        """Return what it reported since the last call."""
        with contextlib.suppress(BlockingIOError):
            self.heard += os.read(self.pipe, 65536)
        *whole, self.heard = self.heard.split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def kill(self) -> None:
        """End it with all that it started in its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def start(name: str, module: str, environment: Mapping[str, str]) -> Part:
    """Start one part."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    command = [sys.executable, "-P", "-m", module, str(writing), str(os.getpid())]
    process = subprocess.Popen(
        command, env=environment, pass_fds=[writing], start_new_session=True, stdin=subprocess.DEVNULL
    )
    os.close(writing)
    return Part(name, process, reading)


def tell(event: str, **fields: object) -> None:
    """Write one line of the log."""
    words = "".join(f" {name}={value!r}" if isinstance(value, str) and " " in value else f" {name}={value}"
                    for name, value in fields.items())  # fmt: skip
    sys.stderr.write(f"level=INFO from=runner.cli event={event}{words}\n")
    sys.stderr.flush()


def notify(address: str, text: str) -> None:
    """Tell systemd something; nothing when it does not listen. Source: sd_notify(3)."""
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.sendto(text.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


@dataclasses.dataclass(slots=True)
class Supervisor:
    """Watches both parts from their start to their end."""

    worker: Part
    web: Part
    say: Callable[[str], None]  # to systemd
    bell: socket.socket  # gets a byte for each signal
    clock: Callable[[], float] = time.monotonic
    phase: Phase = Phase.STARTING
    address: Address | None = None
    began: float = 0.0
    until: float | None = None  # when patience with what ends is over
    code: int = 0

    def watch(self) -> int:
        """Watch until both are gone, and return the exit code of the service."""
        self.began = self.clock()
        with selectors.DefaultSelector() as selector:
            for each in (self.bell.fileno(), self.worker.pipe, self.web.pipe):
                selector.register(each, selectors.EVENT_READ)
            while self.worker.running or self.web.running:
                for key, _ in selector.select(self._patience()):
                    self._hear(selector, key.fd)
                self._go_on()
        return self.code

    def _patience(self) -> float | None:
        probing = self.phase is Phase.STARTING and self.worker.ready and self.address is not None
        if probing:
            return PROBE_EVERY_SECONDS
        return None if self.until is None else max(0.0, self.until - self.clock())

    def _hear(self, selector: selectors.BaseSelector, fd: int) -> None:
        if fd == self.bell.fileno():
            for number in self.bell.recv(64):
                if number != signal.SIGCHLD:
                    self._asked(signal.Signals(number))
            return
        part = self.worker if fd == self.worker.pipe else self.web
        lines = part.lines()
        for line in lines:
            self._take(part, *line.split(" ", 1))
        if not lines and not part.running:
            selector.unregister(fd)  # its end is closed

    def _take(self, part: Part, word: str, text: str = "") -> None:
        if word == READY:
            part.ready = True
        elif word == REFUSED:
            part.refusal = text
        elif word == ADDRESS:
            scheme, host, port = text.split()
            self.address = (scheme == "https", host, int(port))

    def _asked(self, number: signal.Signals) -> None:
        tell("serve_stopping", signal=number.name, phase=self.phase)
        if self.phase in {Phase.DRAINING, Phase.CLOSING}:  # asked again: do not wait for what runs
            self.until = self.clock()
            return
        self.say("STOPPING=1\nSTATUS=Lets what runs end; alerts are still taken.")
        self._enter(Phase.DRAINING, LONGEST_DRAIN_SECONDS)
        self._end(self.worker)

    def _go_on(self) -> None:
        """Do what follows from how the parts are."""
        gone = [each for each in (self.worker, self.web) if not each.running]
        if gone and self.phase in {Phase.STARTING, Phase.READY}:
            self._broken(gone[0])
        elif self.phase is Phase.STARTING and self.worker.ready and self.address and answers(self.address):
            self.web.ready = True
            self.phase = Phase.READY
            self.say("READY=1\nSTATUS=Takes alerts and acts on them.")
            tell("serve_ready", seconds=f"{self.clock() - self.began:.2f}", web=self.web.process.pid,
                 worker=self.worker.process.pid)  # fmt: skip
        elif self.phase is Phase.DRAINING and not self.worker.running:
            self.code = self.code or (1 if self.worker.process.returncode else 0)
            tell("part_ended", part="worker", code=self.worker.process.returncode)
            self._enter(Phase.CLOSING, LONGEST_GOODBYE_SECONDS)
            self._end(self.web)
        if self.until is not None and self.clock() >= self.until:
            self._lose_patience()

    def _broken(self, part: Part) -> None:
        """End the service because one part ended by itself."""
        for line in part.lines():
            self._take(part, *line.split(" ", 1))
        code = part.process.returncode
        self.code = REFUSED_CODE if code == REFUSED_CODE and part.refusal else 1
        if part.refusal:
            sys.stderr.write(f"{part.refusal}\n")
        tell("part_died", part=part.name, code=code, phase=self.phase)
        self.say(f"STOPPING=1\nSTATUS=The {part.name} ended with code {code}.")
        self._enter(Phase.CLOSING, LONGEST_GOODBYE_SECONDS)
        part.kill()  # what it left
        self._end(self.web if part is self.worker else self.worker)

    def _lose_patience(self) -> None:
        for each in (self.worker, self.web):
            if each.running:
                tell("part_killed", part=each.name, phase=self.phase)
                self.code = 1
                each.kill()
        self.until = None

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase, self.until = phase, self.clock() + seconds

    def _end(self, part: Part) -> None:
        with contextlib.suppress(ProcessLookupError):
            part.process.terminate()


def main() -> int:
    """Serve until told to stop. Exit codes: 0 stopped, 1 a part died or was killed, 2 refused to start."""
    environment = dict(os.environ)
    address = environment.pop("NOTIFY_SOCKET", "")
    bell, clapper = socket.socketpair()
    clapper.setblocking(False)
    signal.set_wakeup_fd(clapper.fileno(), warn_on_full_buffer=False)
    for number in WATCHED:
        signal.signal(number, lambda _number, _frame: None)
    tell("serve_starting", pid=os.getpid())
    worker = start("worker", "runner.cli.worker_process", environment)
    web = start("web", "runner.cli.web_process", environment)
    code = Supervisor(worker, web, lambda text: notify(address, text), bell).watch()
    for each in (worker, web):
        each.kill()  # nothing of either group outlives the service
    tell("serve_ended", code=code)
    return code


if __name__ == "__main__":
    sys.exit(main())
