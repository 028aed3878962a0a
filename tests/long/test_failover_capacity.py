"""After a failover as many burst servers serve as the colo had; after the return they go, and nobody is let down."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from lab import crowd, faults, runners
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.crowds import Crowd, clean, nobody_was_let_down
from tests.acceptance.test_show import playbook
from tests.long.failover import OWNER, colo_again, jobs, roles
from tests.long.scaling import requests_of, scale, servers, serving
from tests.long.test_tiers import HOST, MEMBER, bring

__all__ = ["colo_again"]  # a fixture
TIER = ["-e", "data_tier=standby"]
EDGE = ("cloud-gw1",)  # the colo's are dark
COLO_HAS = 2  # colo-was1, colo-was2
SERVE_SECONDS, GONE_SECONDS = 240, 1200  # the plan removes nothing within ten minutes of an alert that asked for more
pytestmark = pytest.mark.usefixtures("brake_as_it_was", "as_it_was", "colo_again", "by_itself")


@pytest.fixture(autouse=True, scope="module")
def standby(site: faults.Lab) -> None:
    if roles(site).get(HOST) != ("Replica", "streaming"):
        done = bring("standby")
        assert done.ok, done.out[-3000:] + done.err


@pytest.fixture
def brake_as_it_was(site: faults.Lab) -> Iterator[None]:
    """Give the cloud's runner back its brake, which other tests may hold, when no server is left."""
    held = json.loads(runners.ask(site, OWNER, "brake", "--json"))
    yield
    runners.ask(site, OWNER, "brake", *(["on", "--reason", held["reason"]] if held["on"] else ["off"]))


@pytest.fixture
def by_itself(site: faults.Lab) -> Iterator[None]:
    """Let the cloud's runner act by itself, and end with its brake on and the plan of the calendar."""
    runners.ask(site, OWNER, "brake", "off")
    yield
    runners.ask(site, OWNER, "brake", "on", "--reason", "the test is over")
    for asked in jobs(site, "waiting"):  # the alert of a dark colo asks a person, too
        runners.ask(site, OWNER, "reject", asked["id"], "--reason", "an operator did it", "--yes")
    assert playbook("scale_for_returned_colo").ok


def plan(site: faults.Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(runners.ask(site, OWNER, "plan", "--hours", "1", "--json"))
    return found


def by_plan(site: faults.Lab, *states: str, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """List the additions that the capacity plan asked for, newest first, but those of earlier days."""
    found = jobs(site, *states, action="scale_out")
    return [each for each in found if each["requested_by"] == "plan" and each["id"] not in but]


def known(site: faults.Lab) -> set[str]:
    return {each["id"] for each in by_plan(site, "succeeded", "failed")}


def published_images(cloud: Any) -> list[Any]:
    """List what scale_out would take an image from: those of every release."""
    wanted = {"understudy_role": "was", "understudy_published": "yes"}
    return [each for each in cloud.image.images() if wanted.items() <= each.properties.items()]


def publish(cloud: Any, image: Any, word: str) -> None:
    """Say whether an image is published; the SDK's update would add the property once more, which Glance refuses."""
    change = [{"op": "replace", "path": "/understudy_published", "value": word}]
    kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    answer = cloud.image.patch(f"/images/{image.id}", data=json.dumps(change), headers=kind)
    assert answer.ok, answer.text


def dark_and_taken_over(site: faults.Lab) -> str:
    """Let the colo go dark and an operator fail over; return what the playbook said."""
    faults.power_off(site, "colo")
    done = playbook("fail_over_to_cloud", *TIER)
    assert done.ok, done.out[-5000:] + done.err
    return " ".join(done.out.split())


@pytest.mark.usefixtures("image")
def test_as_many_serve_as_the_colo_had_and_after_the_return_they_go_without_a_lost_request(
    lab: Lab, site: faults.Lab, cloud: Any
) -> None:
    assert plan(site)["servers"] == 0
    earlier = known(site)
    told = dark_and_taken_over(site)
    began = time.monotonic()
    assert f"{COLO_HAS} burst servers are wanted now" in told
    assert plan(site)["servers"] == COLO_HAS
    eventually(lambda: by_plan(site, "succeeded", but=earlier), SERVE_SECONDS, "the plan's servers serve")
    print(f"\nserving {time.monotonic() - began:.0f} s after the failover")
    names = serving(lab, cloud, COLO_HAS, EDGE)

    before = requests_of(lab, names, EDGE)
    buying = Crowd(site, "stand-in", 40, arrivals=3)
    eventually(
        lambda: all(count > before[place] for place, count in requests_of(lab, names, EDGE).items()), 60,
        "customers of the cloud's edge at both servers",
    )  # fmt: skip
    shopping = crowd.finish(site, buying.run, buying.process)
    assert crowd.audit(site, shopping.journal, settle_seconds=5, auditor="cloud-was1")["sold_twice"] == 0
    nobody_was_let_down(shopping.report)
    again = playbook("fail_over_to_cloud", *TIER)
    assert again.ok, again.out[-3000:] + again.err
    assert set(servers(cloud)) == names

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo", *TIER)
    assert back.ok, back.out[-5000:] + back.err
    assert "0 burst servers are wanted now" in " ".join(back.out.split())
    assert plan(site)["servers"] == 0
    deadline, served = time.monotonic() + GONE_SECONDS, set[str]()
    while servers(cloud):
        assert time.monotonic() < deadline, runners.ask(site, OWNER, "ledger", "--limit", "20")
        report, _, audit = Crowd(site, "stood-in", 60, arrivals=2).end(settle_seconds=5)
        clean(audit)
        nobody_was_let_down(report)
        served |= set(report["servers"])
    assert names <= served, served
    assert serving(lab, cloud, 0) == set()
    assert roles(site) == {MEMBER: ("Leader", "running"), HOST: ("Replica", "streaming")}


def test_a_cloud_without_an_image_is_told_and_fails_nothing_of_the_failover(
    lab: Lab, site: faults.Lab, cloud: Any
) -> None:
    hidden, earlier = published_images(cloud), known(site)
    for each in hidden:
        publish(cloud, each, "no")
    try:
        dark_and_taken_over(site)
        failed = eventually(lambda: by_plan(site, "failed", but=earlier), 120, "the plan's job fails")[0]
        assert "has no published image" in failed["outcome"]
        time.sleep(30)  # in which nothing is to happen
        assert [each["id"] for each in by_plan(site, "failed", "running", but=earlier)] == [failed["id"]]
    finally:
        for each in hidden:
            publish(cloud, each, "yes")
    if hidden:
        for each in by_plan(site, "failed", but=earlier):
            runners.ask(site, OWNER, "acknowledge", each["id"])
        eventually(lambda: by_plan(site, "succeeded", but=earlier), SERVE_SECONDS, "the next try succeeds")
        serving(lab, cloud, COLO_HAS, EDGE)
    # With dark edges behind the closed tunnel an idle cloud may still be made smaller: by hand, with the brake on.
    runners.ask(site, OWNER, "brake", "on", "--reason", "by hand for a moment")
    smaller = scale("scale_in", 0)
    assert smaller.ok, smaller.out[-3000:] + smaller.err
    assert servers(cloud) == {}
    assert not hidden or re.search(r"colo-gw1 cannot be reached and was left out", " ".join(smaller.out.split()))

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo", *TIER)
    assert back.ok, back.out[-5000:] + back.err
    assert "The brake of the runner is on (by hand for a moment)" in " ".join(back.out.split())
