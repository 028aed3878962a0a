"""A release that is killed while it rolls, at random points, leaves nothing that the next run does not mend.

LAB_SEED repeats a run. Needs the booking service in the lab; comes before the lab itself is killed, and taken down.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
from functools import partial
from pathlib import Path

from lab import crowd, faults, runners, topology
from lab.paths import Paths
from tests.acceptance.conftest import Lab, eventually, run
from tests.acceptance.edges import EDGES
from tests.acceptance.test_reach import site_again
from tests.acceptance.test_show import SERVERS, all_up, in_service
from tests.interruption.test_interruption import SEED, interrupt

ROUNDS = 3
SHARES = (0.1, 0.8)  # of the time that a whole roll takes: neither before it does anything, nor after its end


def roll(release: str) -> list[str]:
    """Return what rolls a release through all servers."""
    return ["ansible-playbook", "playbooks/application.yml", "-e", f"booking_version={release}"]


def end_workers(release: str) -> None:
    """Kill what a killed playbook left: its workers are in process groups of their own, and wait for it for ever."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"booking_version={release}".encode() in (process / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def killed_while_it_rolls(chance: random.Random, log: Path) -> str:
    """Roll a release to its end, to know how long that takes; kill others on their way; return the last one's name."""
    whole = run(roll(crowd.next_release()), seconds=900)
    assert whole.ok, whole.out[-3000:] + whole.err
    release = ""
    for number in range(1, ROUNDS + 1):
        release = crowd.next_release()
        told = interrupt(roll(release), whole.seconds * chance.uniform(*SHARES), signal.SIGKILL, log)
        end_workers(release)
        print(f"round {number} of {ROUNDS} (seed {SEED}): {told}", flush=True)
        assert "SIGKILL" in told, log.read_text(encoding="utf-8")[-3000:]
    return release


def test_a_release_that_is_killed_while_it_rolls_is_finished_by_the_next_run(tmp_path: Path) -> None:
    lab, site = Lab(), faults.Lab(topology.load(), Paths())
    with runners.held(site, "a release is killed while it rolls"):
        release = killed_while_it_rolls(random.Random(SEED), tmp_path / "release.log")
        done = run(["ansible-playbook", "playbooks/site.yml", "-e", f"booking_version={release}"], seconds=1200)
        assert done.ok, f"seed {SEED}: {done.out[-3000:]}{done.err}"
        assert in_service(lab) == dict.fromkeys(SERVERS, f"releases/{release}")
        for edge in EDGES:
            eventually(partial(all_up, lab, edge), 60, f"seed {SEED}: every server ready at {edge}")
        site_again(lab)
