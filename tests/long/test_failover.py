"""What no drill does: a failover that must be refused, and a replica that had fallen behind."""

from __future__ import annotations

import re
import time

import pytest

from lab import crowd, faults
from tests.acceptance.crowds import Crowd
from tests.acceptance.test_show import playbook
from tests.long.failover import colo_again, roles
from tests.long.test_tiers import HOST, MEMBER, bring

__all__ = ["colo_again"]  # a fixture

pytestmark = pytest.mark.usefixtures("brakes")
TIER = ["-e", "data_tier=standby"]


@pytest.fixture(scope="module", autouse=True)
def standby(site: faults.Lab) -> None:
    if roles(site).get(HOST) != ("Replica", "streaming"):
        done = bring("standby")
        assert done.ok, done.out[-3000:] + done.err


def test_a_failover_is_refused_while_the_colo_is_well(site: faults.Lab) -> None:
    refused = playbook("fail_over_to_cloud", *TIER)
    assert not refused.ok
    assert "The cloud sees the colo, so it is not lost" in " ".join(refused.out.split())
    insisted = playbook("fail_over_to_cloud", *TIER, "-e", "failover_insists=yes-fail-over-although-it-was-refused")
    assert not insisted.ok
    assert "Nobody can insist on that: two sites could write at once" in " ".join(insisted.out.split())
    assert roles(site)[MEMBER] == ("Leader", "running")


@pytest.mark.usefixtures("colo_again")
def test_what_the_colo_alone_sold_is_listed_and_settled(site: faults.Lab) -> None:
    """The replica is cut off and falls behind; then the colo goes dark with what it sold meanwhile."""
    assert playbook("switch_customers", "-e", "customers_to=colo-gw1").ok
    buying = Crowd(site, "behind", 60, arrivals=3)
    time.sleep(20)
    faults.cut(site, "colo", "cloud")
    time.sleep(25)
    faults.power_off(site, "colo")
    faults.heal(site)
    switched = playbook("fail_over_to_cloud", *TIER)
    assert switched.ok, switched.out[-5000:] + switched.err
    shopping = crowd.finish(site, buying.run, buying.process)
    at_the_cloud = crowd.audit(site, shopping.journal, settle_seconds=5, auditor="cloud-was1")
    assert at_the_cloud["missing"] > 0  # the test's own condition: the colo had sold what never arrived
    assert at_the_cloud["sold_twice"] == 0
    again = playbook("fail_over_to_cloud", *TIER)
    assert again.ok, again.out[-3000:] + again.err

    faults.power_on(site, "colo")
    back = playbook("fail_back_to_colo", *TIER)
    assert back.ok, back.out[-5000:] + back.err
    told = re.search(r"The colo alone has (\d+) bookings.*settle_list=(\S+?)'", " ".join(back.out.split()))
    assert told, back.out[-3000:]
    print(f"\nmissing at the cloud {at_the_cloud['missing']}, listed {told[1]}")
    assert int(told[1]) >= at_the_cloud["missing"]
    settled = playbook("settle_bookings", "-e", f"settle_list={told[2]}")
    assert settled.ok, settled.out[-4000:] + settled.err
    audit = crowd.audit(site, shopping.journal, settle_seconds=60)
    print("after settling:", {key: value for key, value in audit.items() if key != "findings"})
    paid_back = sum(int(count) for count in re.findall(r"refunded: (\d+)", settled.out))
    assert audit["missing"] == paid_back  # whose seat the cloud had sold meanwhile; everybody else has the booking back
    assert audit["sold_twice"] == 0
    assert audit["paid_without_booking"] == 0
    assert roles(site) == {MEMBER: ("Leader", "running"), HOST: ("Replica", "streaming")}
