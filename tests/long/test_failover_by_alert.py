"""An alert asks, a person says yes, and the cloud's own runner takes over, with nothing of the colo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from lab import crowd, faults, runners
from lab.drills import measure
from tests.acceptance.conftest import eventually
from tests.acceptance.crowds import Crowd
from tests.acceptance.test_show import playbook
from tests.long.failover import OWNER, acknowledge, colo_again, jobs, roles
from tests.long.test_tiers import HOST, MEMBER, bring

__all__ = ["colo_again"]  # a fixture
TIER = ["-e", "data_tier=standby"]


@pytest.fixture(scope="module", autouse=True)
def standby(site: faults.Lab) -> Iterator[None]:
    if roles(site).get(HOST) != ("Replica", "streaming"):
        done = bring("standby")
        assert done.ok, done.out[-3000:] + done.err
    told = playbook("control", "--tags", "runner", *TIER)
    assert told.ok, told.out[-3000:] + told.err
    yield
    told = playbook("control", "--tags", "runner")
    assert told.ok, told.out[-3000:] + told.err


@pytest.mark.usefixtures("colo_again")
def test_an_alert_asks_a_person_approves_and_the_clouds_runner_takes_over(site: faults.Lab) -> None:
    acknowledge(site)
    runners.ask(site, OWNER, "brake", "off")
    buying = Crowd(site, "by-alert", 150, arrivals=2, options=["--patience", "240"])
    time.sleep(15)
    dark = datetime.now().astimezone()
    faults.power_off(site, "colo")
    asked = eventually(lambda: jobs(site, "waiting"), 150, "the alert asks a person")[0]
    print(f"\nasked after {(datetime.now().astimezone() - dark).total_seconds():.1f} s: {asked['reason']}")
    runners.ask(site, OWNER, "approve", asked["id"])
    runners.ask(site, OWNER, "brake", "on", "--reason", "what was approved goes on; the crowd is not one to scale for")
    ended = eventually(
        lambda: [each for each in jobs(site, "succeeded", "failed") if each["id"] == asked["id"]], 240, "it ends"
    )[0]
    story = runners.ask(site, OWNER, "show", asked["id"])
    assert ended["state"] == "succeeded", story
    shopping = crowd.finish(site, buying.run, buying.process)
    sold = measure.bookings(shopping.journal)
    print(f"no tickets for {measure.outage(sold, dark, sold[-1].at).rto_s:.1f} s")
    assert crowd.audit(site, shopping.journal, settle_seconds=5, auditor="cloud-was1")["sold_twice"] == 0

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo", *TIER)
    assert back.ok, back.out[-5000:] + back.err
    assert roles(site) == {MEMBER: ("Leader", "running"), HOST: ("Replica", "streaming")}
