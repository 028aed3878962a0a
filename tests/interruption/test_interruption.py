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
PROVE_EVERY = 5  # rounds: the lab is then built to its end, on top of whatever the rounds left
SEED = int(os.environ.get("LAB_SEED", str(time.time_ns() % 100_000)))
LONGEST_SECONDS = {"up": 90.0, "down": 6.0}


def interrupt(command: list[str], after_seconds: float, how: signal.Signals, log: Path) -> str:
    """Start a command, such as `lab up`, and end its whole process group after a while."""
    said = " ".join(command)
    with log.open("a", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True)
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
            return f"{said} got {how.name} after {after_seconds:.1f} s"
    return f"{said} had ended by itself before {after_seconds:.1f} s"


def prove(told: list[str]) -> float:
    """Build the lab to its end without a manual clean-up, and ask every host; return how long it took."""
    up = run(["lab", "up"], seconds=900)
    assert up.ok, f"seed {SEED}: {told}: {up.out[-3000:]}{up.err[-2000:]}"
    answers = run(["ansible", "all", "-m", "ansible.builtin.ping"])
    assert answers.out.count("SUCCESS") == len(STANDING), answers.out + answers.err
    return up.seconds


def test_interrupted_labs_never_need_a_manual_clean_up(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    log, told = tmp_path / "lab.log", []
    for number in range(1, ROUNDS + 1):
        action = chance.choice(["up", "up", "down"])
        how = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT])
        told.append(interrupt(["lab", action], chance.uniform(0.3, LONGEST_SECONDS[action]), how, log))
        print(f"round {number} of {ROUNDS} (seed {SEED}): {told[-1]}", flush=True)
        if number % PROVE_EVERY == 0 or number == ROUNDS:
            print(f"then built to its end in {prove(told):.0f} s, every host answers", flush=True)


def test_lab_down_leaves_nothing() -> None:
    down = run(["lab", "down"], seconds=180)
    assert down.ok, down.out + down.err
    left = run(["lab", "leftovers"])
    assert left.ok
    assert left.out.strip() == "", left.out


def test_lab_down_of_no_lab_is_no_error() -> None:
    assert run(["lab", "down"], seconds=60).ok
