"""Run the product's playbooks as an operator would, keep what they say, and kill one where a drill wants it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lab.building import PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAY = "PLAY ["
_SECONDS = 900
_LIST = re.compile(r"The colo alone has (\d+) bookings, (\d+) of them for seats.*?settle_list=(/\S+?\.json)")
_CARD = re.compile(r"^TASK \[[^\]\n]*Show the failover card\].*?=> ?\n(.*?)\n\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Played:
    """What became of a run; `killed` when it was ended on purpose."""

    name: str
    code: int
    said: str
    seconds: float
    plays: int
    killed: bool = False

    @property
    def words(self) -> str:
        """Return all it said on one line, as sentences are looked for."""
        return " ".join(self.said.split())


def run(name: str, arguments: Sequence[str], log: Path, *, stop_at_play: int = 0, seconds: float = _SECONDS) -> Played:
    """Run a playbook; with `stop_at_play` its whole process group is killed with -9 when it comes to that play."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), f"playbooks/{name}.yml", *arguments]
    return follow(name, command, log, stop_at_play=stop_at_play, seconds=seconds)


def follow(name: str, command: Sequence[str], log: Path, *, stop_at_play: int, seconds: float) -> Played:
    """Run a command that speaks as ansible-playbook does, add what it says to a log, and kill it as `run` says."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    lines: list[str] = []
    started, plays, killed = time.monotonic(), 0, False
    with log.open("a", encoding="utf-8") as kept, subprocess.Popen(
        command, cwd=PROJECT, env=ours, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        kept.write(f"$ {name}\n")
        late = threading.Timer(seconds, _kill, [process])
        late.start()
        try:
            for line in process.stdout or ():
                lines.append(line)
                kept.write(line)
                kept.flush()
                plays += line.startswith(_PLAY)
                if stop_at_play and plays == stop_at_play and not killed:
                    killed = True
                    _kill(process)
        finally:
            late.cancel()
            _kill(process)
    return Played(name, process.returncode, "".join(lines), time.monotonic() - started, plays, killed)


def card(said: str) -> list[str]:
    """Return the lines of the failover card that a run showed last; none when it showed none (pure)."""
    found = _CARD.findall(said)
    return [str(line) for line in yaml.safe_load(found[-1])["msg"]] if found else []


@dataclass(frozen=True)
class KeptList:
    """What a return told of the bookings that the colo alone has; `conflicts` are for seats that were sold since."""

    bookings: int = 0
    conflicts: int = 0
    place: str = ""


def kept_list(words: str) -> KeptList:
    """Return what a return told of the list that it kept; without a place when it kept none (pure)."""
    found = _LIST.search(words)
    return KeptList(int(found[1]), int(found[2]), found[3]) if found else KeptList()


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a run with everything that it started, unless it has ended by itself."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
