"""`make lab` and `make lab-down`, killed at random points, never need a person to clean up.

LAB_ROUNDS sets how many rounds (default 2); LAB_SEED repeats a run. The lab is down afterwards.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from tests.acceptance.conftest import ROOT, run
from tests.acceptance.test_reach import STANDING

ROUNDS = int(os.environ.get("LAB_ROUNDS", "2"))
SEED = int(os.environ.get("LAB_SEED", str(time.time_ns() % 100_000)))
LONGEST_UP_SECONDS = 70.0
LONGEST_DOWN_SECONDS = 6.0


def interrupt(action: str, after_seconds: float, how: signal.Signals, log: Path) -> str:
    """Start `lab up` or `lab down`, and end its whole process group after a while."""
    with log.open("a", encoding="utf-8") as stream:
        process = subprocess.Popen(["lab", action], cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True)
        try:
            process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, how)
            if how is signal.SIGINT:
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"{action} got {how.name} after {after_seconds:.1f} s"
    return f"{action} had ended by itself before {after_seconds:.1f} s"


def test_interrupted_labs_never_need_a_manual_clean_up(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    log = tmp_path / "lab.log"
    for number in range(1, ROUNDS + 1):
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
        told = [
            interrupt("down", chance.uniform(0.2, LONGEST_DOWN_SECONDS), how, log),
            interrupt("up", chance.uniform(0.5, LONGEST_UP_SECONDS), how, log),
        ]
        up = run(["lab", "up"], seconds=600)
        print(f"round {number} of {ROUNDS} (seed {SEED}): {'; '.join(told)}; then up in {up.seconds:.0f} s")
        assert up.ok, f"seed {SEED}, round {number}: {told}: {up.out[-3000:]}{up.err[-2000:]}"
        answers = run(["ansible", "all", "-m", "ping", "--one-line"])
        assert answers.out.count("SUCCESS") == len(STANDING), answers.out + answers.err


def test_lab_down_leaves_nothing() -> None:
    down = run(["lab", "down"], seconds=180)
    assert down.ok, down.out + down.err
    left = run(["lab", "leftovers"])
    assert left.ok
    assert left.out.strip() == "", left.out


def test_lab_down_of_no_lab_is_no_error() -> None:
    assert run(["lab", "down"], seconds=60).ok
