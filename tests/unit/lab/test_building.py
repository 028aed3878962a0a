"""One lab command at a time, and no killed one blocks the next for ever."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab import building
from lab.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_waits_for_another_and_says_which_when_it_gives_up(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        building.only_one(lock),
        pytest.raises(LabError, match="still at work after"),
        building.only_one(lock, timeout_seconds=0.3),
    ):
        pass


def test_what_a_killed_command_left_running_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_ORPHAN_SECONDS", 0.1)
    lock = tmp_path / "lock"
    lock.write_text("999999999\n")
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        orphan = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)", "ansible-playbook"], pass_fds=[held.fileno()]
        )
    with building.only_one(lock, timeout_seconds=10):
        assert orphan.wait(5) == -9
