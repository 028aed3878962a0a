"""What goes wrong while the whole chain answers a crowd: it is told, nothing that serves is lost, and customers buy on.

The same faults beside playbooks run by hand: test_scaling_faults.py.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from lab import crowd, faults, surge
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd, clean, nobody_was_let_down
from tests.long.chain import COUNT, OWNER, alarm, brake, brakes_off, counted, jobs
from tests.long.scaling import exhausted_quota, hanging_api, scale, servers, serving, unbootable_image

pytestmark = pytest.mark.usefixtures("image", "as_it_was")
ARRIVALS = 10  # customers per second: more than the standing servers and one more are meant to serve
LONGEST_SECONDS = 270  # that the crowd stays; a server that does not come is waited for for 180 s
ENDED = {"succeeded", "failed"}
FAULTS: dict[str, tuple[Callable[[Lab, Any], AbstractContextManager[object]], str]] = {
    "the cloud's API hangs": (lambda lab, _: hanging_api(lab), r"Cloud lab did not do what was asked"),
    "the quota is exhausted": (lambda _, cloud: exhausted_quota(cloud), r"the cloud's quota leaves 0 servers"),
    "the image does not boot": (lambda _, cloud: unbootable_image(cloud), r"cloud-burst\d+: "),
}


@pytest.fixture
def one_serves(lab: Lab, cloud: Any, site: faults.Lab) -> Iterator[dict[str, Any]]:
    """One burst server, of which the runner knows; its brake is off, and nothing tells it to act before a crowd does.

    The lab has been idle long enough for that to be told while the brake was on: it is not told twice.
    """
    done = scale("scale_out", 1)
    assert done.ok, done.out[-3000:] + done.err
    serving(lab, cloud, 1)
    eventually(lambda: alarm(site, "BookingIdle"), 180, "the lab is idle, and both Alertmanagers know")
    before = set(jobs(site, OWNER, COUNT))
    with brakes_off(site):
        counted(site, before)
        yield {name: each.id for name, each in servers(cloud).items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_crowd_that_cannot_be_answered_buys_on_and_people_are_told(
    lab: Lab, cloud: Any, site: faults.Lab, one_serves: dict[str, Any], fault: str
) -> None:
    broken, sentence = FAULTS[fault]
    earlier, began = set(jobs(site, OWNER, "scale_out")), time.monotonic()

    def made() -> list[dict[str, Any]]:
        """Return the jobs that the crowd led to, oldest first."""
        return [job for name, job in jobs(site, OWNER, "scale_out").items() if name not in earlier][::-1]

    with broken(lab, cloud):
        buying = Crowd(site, "unanswered", LONGEST_SECONDS, arrivals=ARRIVALS)
        eventually(made, 120, "the crowd leads to a job")
        eventually(lambda: made()[0]["state"] in ENDED, 240, "the job ends")
        eventually(lambda: failed_lately(site, time.monotonic() - began), 60, "monitoring sees that a job failed")
        eventually(lambda: alarm(site, "RunnerJobFailed", instance=OWNER), 60, "the alarm is told")
        brake(site)  # mended, the cloud would answer the crowd after all
        eventually(lambda: all(job["state"] in ENDED for job in made()), 240, "no job is on its way any more")
    crowd.send_home(site, buying.run)
    report, _, audit = buying.end()

    first = made()[0]
    assert (first["requested_by"], first["state"]) == ("policy:crowd", "failed"), first
    assert re.search(sentence, first["outcome"]), first["outcome"]
    assert {name: each.id for name, each in servers(cloud).items()} == one_serves
    serving(lab, cloud, 1)
    clean(audit)
    nobody_was_let_down(report)
    assert one_serves.keys() <= report["servers"].keys(), report["servers"]
    sys.stdout.write(f"{fault}: {first['outcome']}\n")


def failed_lately(site: faults.Lab, seconds: float) -> bool:
    """Ask what RunnerJobFailed asks, of the time since a moment: an earlier failure may let it fire for ten minutes."""
    query = f'delta(understudy_runner_jobs{{state="failed", instance="{OWNER}"}}[{seconds:.0f}s]) > 0'
    return bool(surge.prometheus(site, "query", {"query": query}))
