"""A drill follows a real process: it is killed with all that it started, in time or at the play that was named."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lab.drills.playbooks import Played, follow

PLAYS = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
for number in range(1, 4):
    print(f"PLAY [{number}] ***", flush=True)
    time.sleep(0.3)
child.terminate()
print("child", child.pid)
sys.exit(4)
"""


def ran(tmp_path: Path, code: str = PLAYS, *, stop_at_play: int = 0, seconds: float = 30) -> Played:
    log = tmp_path / "playbooks.log"
    return follow("some_playbook", [sys.executable, "-c", code], log, stop_at_play=stop_at_play, seconds=seconds)


def test_one_that_ends_by_itself_is_told_with_its_code_and_words(tmp_path: Path) -> None:
    played = ran(tmp_path)
    assert (played.code, played.plays, played.killed) == (4, 3, False)
    assert "PLAY [2] *** PLAY [3] ***" in played.words
    assert (tmp_path / "playbooks.log").read_text().startswith("$ some_playbook\nPLAY [1] ***\n")


def test_one_is_killed_when_it_comes_to_the_play_that_was_named(tmp_path: Path) -> None:
    played = ran(tmp_path, stop_at_play=2)
    assert (played.code, played.plays, played.killed) == (-9, 2, True)
    assert "PLAY [3]" not in played.said


def test_one_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"
    started = time.monotonic()
    played = ran(tmp_path, code, seconds=1)
    assert played.code == -9
    assert time.monotonic() - started < 20
    assert (
        not Path(f"/proc/{played.said.strip()}/cmdline").exists()
        or not Path(f"/proc/{played.said.strip()}/cmdline").read_bytes()
    )
