"""What can go wrong while servers come: killed runs, dead servers, a silent cloud, an empty quota, a broken image."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from lab import faults
from tests.acceptance.conftest import ROOT, Lab, eventually
from tests.acceptance.edges import CLOUD_EDGE, COLO_EDGE
from tests.long.scaling import (
    BURST,
    EDGES,
    exhausted_quota,
    hanging_api,
    scale,
    sells,
    servers,
    serving,
    states,
    unbootable_image,
)

pytestmark = pytest.mark.usefixtures("image", "as_it_was")


def test_a_run_that_is_killed_is_finished_by_the_next(lab: Lab, cloud: Any) -> None:
    command = ["ansible-playbook", "playbooks/scale_out.yml", "-e", "wanted_servers=1"]
    first = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    built = eventually(lambda: servers(cloud), 60, "a server is made")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()

    done = scale("scale_out", 1)

    assert done.ok, done.out[-3000:] + done.err
    assert "half-built" in done.out
    assert {name: each.id for name, each in servers(cloud).items()} == {name: each.id for name, each in built.items()}
    serving(lab, cloud, 1)


def test_a_dead_server_is_replaced_and_the_living_one_is_left_alone(lab: Lab, cloud: Any) -> None:
    assert scale("scale_out", 2).ok
    before = servers(cloud)
    lab("power-off", "cloud-burst1")
    eventually(lambda: all(states(lab, edge)["cloud-burst1"] == "down" for edge in EDGES), 30, "the edges see it down")

    done = scale("scale_out", 2)

    assert done.ok, done.out[-3000:] + done.err
    after = servers(cloud)
    assert before["cloud-burst1"].id not in {each.id for each in after.values()}
    assert after["cloud-burst2"].id == before["cloud-burst2"].id
    serving(lab, cloud, 2)


def test_a_cloud_that_hangs_removes_nothing_and_is_named_and_selling_goes_on(
    lab: Lab, cloud: Any, site: faults.Lab
) -> None:
    assert scale("scale_out", 1).ok
    with hanging_api(lab):
        removal, addition = scale("scale_in", 0), scale("scale_out", 2)
        for edge in (COLO_EDGE, CLOUD_EDGE):
            sells(site, edge)

    assert not removal.ok
    assert "nothing is removed" in " ".join(removal.out.split())
    assert not addition.ok
    assert "Cloud lab did not do what was asked" in " ".join(addition.out.split())
    assert {name: state for name, state in states(lab, "cloud-gw1").items() if BURST.fullmatch(name) and state == "up"}
    serving(lab, cloud, 1)


def test_a_quota_that_ends_gives_what_it_can_and_says_so(lab: Lab, cloud: Any) -> None:
    with exhausted_quota(cloud, left=1):
        done = scale("scale_out", 3)

    assert not done.ok
    assert "the cloud's quota leaves 1 servers, enough for 1" in " ".join(done.out.split())
    serving(lab, cloud, 1)


def test_an_image_that_does_not_boot_leaves_nothing_but_a_sentence(cloud: Any) -> None:
    with unbootable_image(cloud):
        done = scale("scale_out", 1, "-e", "cloud_wait_seconds=30")

    assert not done.ok
    said = " ".join(done.out.split())
    assert "cloud-burst1: " in said
    assert "What did not become ready was removed." in said
    assert servers(cloud) == {}
