"""What observers said, put together for the judgement."""

from __future__ import annotations

from typing import Any

from plugins.module_utils.failover_card import Expectation
from plugins.module_utils.failover_situation import Policy, Seen, Tier, Verified
from plugins.modules.failover_judgement import expectation, situation

DOWN = {"seen": "down", "words": "203.0.113.10:443 is silent"}
FREE = {"quorum": True, "holder": ""}
CLOUD = {"site": "cloud", "outside": DOWN, "tunnel": DOWN, "lease": FREE, "begun": False, "recovered_seconds": ""}
WITNESS = {"site": "witness", "outside": DOWN, "tunnel": {}, "lease": FREE, "begun": False, "recovered_seconds": ""}


def given(*sights: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "sights": list(sights), "cloud_site": "cloud", "member_sites": {"colo-db1": "colo", "cloud-db1": "cloud"},
        "tier": "standby", "data_age_seconds": 3.0, "data_trouble": "", "policy": "approve", "operator": True,
        "insists": "", "bookings": [],
    } | changes  # fmt: skip


def test_each_observer_speaks_for_its_place() -> None:
    known = situation(given(CLOUD, {**WITNESS, "outside": {"seen": "up", "words": "opens"}}))
    assert (known.outside.seen, known.tunnel.seen, known.witness.seen) == (Seen.DOWN, Seen.DOWN, Seen.UP)
    assert (known.data.tier, known.rules.policy, known.data.age_seconds) == (Tier.STANDBY, Policy.APPROVE, 3.0)


def test_who_is_not_in_the_list_says_nothing() -> None:
    assert situation(given(CLOUD)).witness.seen is Seen.UNKNOWN
    nobody = situation(given())
    assert (nobody.outside.seen, nobody.lease.quorum) == (Seen.UNKNOWN, False)


def test_one_observer_with_a_majority_knows_the_lease() -> None:
    silent = {**CLOUD, "lease": {"quorum": False, "holder": ""}}
    assert situation(given(silent, WITNESS)).lease.quorum
    assert not situation(given(silent, {**WITNESS, "lease": {"quorum": False}})).lease.quorum


def test_a_lease_that_one_observer_saw_held_is_held() -> None:
    held = {**WITNESS, "lease": {"quorum": True, "holder": "colo-db1"}}
    lease = situation(given(CLOUD, held)).lease
    assert (lease.holder, lease.holder_site, lease.lapsed_seconds) == ("colo-db1", "colo", None)


def test_a_holder_that_the_inventory_does_not_know_counts_as_the_colo() -> None:
    assert situation(given({**CLOUD, "lease": {"quorum": True, "holder": "old-db7"}})).lease.holder_site == "colo"


def test_the_last_recovery_is_the_youngest_that_anybody_remembers() -> None:
    known = situation(
        given({**CLOUD, "recovered_seconds": "900"}, {**WITNESS, "recovered_seconds": "60", "begun": True})
    )
    assert (known.last_recovery_seconds, known.begun) == (60.0, True)
    assert situation(given(CLOUD, WITNESS)).last_recovery_seconds is None


def test_what_was_begun_long_ago_is_not_gone_on_with() -> None:
    old = {**CLOUD, "recovered_seconds": "90000", "begun": True}
    assert not situation(given(old)).begun


def test_the_youngest_verification_that_anybody_remembers_counts() -> None:
    old = '90000 {"spoiling": ["bytes flipped: x."], "findings": ["bytes flipped: x."]}'
    known = situation(given({**CLOUD, "verified": old}, {**WITNESS, "verified": '60 {"spoiling": [], "findings": []}'}))
    assert known.data.verified == Verified(60.0)
    assert situation(given({**CLOUD, "verified": old}, WITNESS, tier="archive")).data.damage.startswith(
        "bytes flipped: x."
    )
    assert situation(given(CLOUD, WITNESS)).data.verified is None


def test_what_the_past_says_is_of_the_same_tier_and_of_the_hour_before_the_colo_was_lost() -> None:
    took = ["5 2026-11-28T20:00:00Z standby 30", "5 2026-11-28T21:00:00Z archive 90"]
    sold = [[1000, "9"], [4000, "6"], [4060, "8"], [4990, "0"]]
    past = given({**CLOUD, "took": took}, {**WITNESS, "took": took[:1]}, bookings=sold, data_age_seconds=100.0)
    assert expectation(past, now=5000.0) == Expectation(bookings_per_minute=7.0, past_minutes=(0.5,))
    assert expectation(given(CLOUD, WITNESS), now=5000.0) == Expectation()
