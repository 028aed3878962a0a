"""When the cloud may take over: each row of the failure matrix that asks for it, and what nobody can insist on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plugins.module_utils.failover_judgement import IN_SO_MANY_WORDS, Judgement, Verdict, judge
from plugins.module_utils.failover_situation import Data, Lease, Policy, Rules, Seen, Sight, Situation, Tier, Verified

UP, DOWN, SILENT = Sight(Seen.UP, 2), Sight(Seen.DOWN, 2), Sight(Seen.UNKNOWN)
HELD = Lease(quorum=True, holder="colo-db1", holder_site="colo")
LAPSED = Lease(quorum=True, lapsed_seconds=4)
NO_MAJORITY = Lease(quorum=False)
GOOD = Data(Tier.ARCHIVE, 12)
DARK = Situation(DOWN, DOWN, DOWN, LAPSED, GOOD)
AUTOMATIC = Rules(Policy.AUTOMATIC)


def operator(situation: Situation, insists: str = "") -> Situation:
    return replace(situation, operator=True, insists=insists)


def reasons(judgement: Judgement) -> str:
    return " ".join(judgement.reasons)


MATRIX: dict[str, tuple[Situation, Verdict, str]] = {
    "WAS dies": (Situation(UP, UP, UP, HELD, GOOD), Verdict.REFUSE, "not lost"),
    "colo database process dies": (Situation(UP, UP, UP, LAPSED, GOOD), Verdict.REFUSE, "mend its database"),
    "colo dark, the lease not lapsed yet": (
        replace(DARK, lease=HELD),
        Verdict.WAIT,
        "as soon as that lease has lapsed",
    ),
    "colo dark": (DARK, Verdict.SWITCH, "witness agrees"),
    "colo cut off but running, lease held": (replace(DARK, lease=HELD), Verdict.WAIT, "may take writes"),
    "colo cut off but running, lease lapsed": (DARK, Verdict.SWITCH, "Nobody has held the lease"),
    "VPN cut": (Situation(DOWN, UP, UP, HELD, GOOD), Verdict.REFUSE, "tunnel is cut"),
    "VPN cut and witness dark": (Situation(DOWN, UP, SILENT, HELD, GOOD), Verdict.REFUSE, "tunnel is cut"),
    "cloud dark, as it sees itself": (Situation(DOWN, DOWN, SILENT, NO_MAJORITY, GOOD), Verdict.REFUSE, "cut off"),
    "cloud cut off from the colo alone": (Situation(DOWN, DOWN, UP, HELD, GOOD), Verdict.REFUSE, "cut off"),
    "witness dark": (Situation(UP, UP, SILENT, HELD, GOOD), Verdict.REFUSE, "not lost"),
    "witness and colo dark": (Situation(DOWN, DOWN, SILENT, NO_MAJORITY, GOOD), Verdict.REFUSE, "cut off"),
    "witness's prober dark, its etcd not": (replace(DARK, witness=SILENT), Verdict.ASK, "The witness says nothing"),
    "object storage does not say": (replace(DARK, data=Data(Tier.ARCHIVE, None)), Verdict.REFUSE, "not known"),
    "runner killed in the middle": (
        replace(DARK, begun=True, last_recovery_seconds=30),
        Verdict.SWITCH,
        "then interrupted",
    ),
    "runner killed after the cloud took the lease": (
        replace(DARK, lease=Lease(quorum=True, holder="cloud-db1", holder_site="cloud"), begun=True),
        Verdict.SWITCH,
        "is finished",
    ),
    "runner frozen and revived": (
        replace(DARK, outside=replace(DOWN, age_seconds=600), witness=replace(DOWN, age_seconds=600)),
        Verdict.REFUSE,
        "silence proves nothing",
    ),
    "colo dark, and a synchronous replica leads by itself": (
        replace(DARK, lease=Lease(quorum=True, holder="cloud-db1", holder_site="cloud")),
        Verdict.SWITCH,
        "the customers follow",
    ),
    "the cloud leads, and the colo is well": (
        Situation(UP, UP, UP, Lease(quorum=True, holder="cloud-db1", holder_site="cloud"), GOOD),
        Verdict.REFUSE,
        "leads already",
    ),
    "alert storm: again in the block period": (
        replace(DARK, last_recovery_seconds=600),
        Verdict.REFUSE,
        "one is allowed in 60 min",
    ),
    "backup corrupted": (
        replace(DARK, data=Data(Tier.ARCHIVE, 12, "WAL 0000000100000000000000A7 is missing.")),
        Verdict.REFUSE,
        "0000000100000000000000A7",
    ),
    "clock skew": (replace(DARK, witness=replace(DOWN, age_seconds=-40)), Verdict.ASK, "clocks differ"),
    "nobody says anything": (Situation(SILENT, SILENT, SILENT, LAPSED, GOOD), Verdict.REFUSE, "silence proves nothing"),
    "only the tunnel says so": (Situation(DOWN, SILENT, SILENT, LAPSED, GOOD), Verdict.REFUSE, "silence proves"),
    "lease unknown though a majority answers": (replace(DARK, lease=Lease(quorum=True)), Verdict.PREPARE, "not known"),
    "old data": (replace(DARK, data=Data(Tier.ARCHIVE, 900)), Verdict.ASK, "15 min old"),
}


@pytest.mark.parametrize("row", MATRIX)
def test_an_alert_under_the_automatic_policy(row: str) -> None:
    situation, verdict, words = MATRIX[row]
    judgement = judge(replace(situation, rules=AUTOMATIC))
    assert judgement.verdict is verdict, judgement
    assert words in reasons(judgement)


@pytest.mark.parametrize("row", MATRIX)
def test_under_the_policy_approve_an_alert_switches_nothing_that_was_not_begun(row: str) -> None:
    situation, verdict, _ = MATRIX[row]
    # What was begun has been decided on: a person said yes before it was interrupted.
    # Nor is there anything to ask once the members of the lease have let the cloud lead.
    asks = verdict is Verdict.SWITCH and not situation.begun and situation.lease.holder_site != "cloud"
    prepares = verdict is Verdict.WAIT
    assert judge(situation).verdict is (Verdict.ASK if asks else Verdict.PREPARE if prepares else verdict)


@pytest.mark.parametrize("row", [row for row, (_, verdict, _) in MATRIX.items() if verdict is Verdict.REFUSE])
def test_an_operator_is_refused_as_well_and_told_how_to_insist_where_that_is_safe(row: str) -> None:
    situation, _, words = MATRIX[row]
    judgement = judge(operator(situation))
    assert judgement.verdict is Verdict.REFUSE
    assert words in reasons(judgement)
    safe = situation.lease == LAPSED
    assert (IN_SO_MANY_WORDS in reasons(judgement)) == safe
    insisted = judge(operator(situation, IN_SO_MANY_WORDS))
    assert insisted.verdict is (Verdict.SWITCH if safe else Verdict.REFUSE)
    assert bool(insisted.overridden) == safe
    assert not safe or words in " ".join(insisted.overridden)


def test_who_decided_waits_for_the_lease_and_is_told_so() -> None:
    judgement = judge(operator(replace(DARK, lease=HELD)))
    assert judgement.verdict is Verdict.WAIT
    assert "as soon as that lease has lapsed, and not before" in reasons(judgement)


def test_what_an_operator_can_override_is_overridden_while_the_lease_is_held_too() -> None:
    again = replace(DARK, lease=HELD, last_recovery_seconds=60)
    assert judge(operator(again)).verdict is Verdict.REFUSE
    insisted = judge(operator(again, IN_SO_MANY_WORDS))
    assert insisted.verdict is Verdict.WAIT
    assert "one is allowed in 60 min" in " ".join(insisted.overridden)


@pytest.mark.parametrize("lease", [NO_MAJORITY, Lease(quorum=True)])
def test_nobody_can_insist_while_two_sites_could_write(lease: Lease) -> None:
    judgement = judge(operator(replace(DARK, lease=lease), IN_SO_MANY_WORDS))
    assert judgement.verdict is not Verdict.SWITCH
    assert "Nobody can insist" in reasons(judgement)


@pytest.mark.parametrize("insists", ["yes", "force", IN_SO_MANY_WORDS.upper()])
def test_other_words_override_nothing(insists: str) -> None:
    judgement = judge(operator(DARK, insists))
    assert judgement.verdict is Verdict.REFUSE
    assert insists in reasons(judgement)


def test_an_alert_cannot_insist() -> None:
    assert judge(replace(MATRIX["backup corrupted"][0], insists=IN_SO_MANY_WORDS)).verdict is Verdict.REFUSE


def test_an_operator_who_asks_has_seen_the_evidence() -> None:
    assert judge(operator(DARK)).verdict is Verdict.SWITCH


def test_an_operator_decides_in_doubt_by_insisting() -> None:
    doubtful = replace(DARK, witness=SILENT)
    asked = judge(operator(doubtful))
    assert asked.verdict is Verdict.ASK
    assert IN_SO_MANY_WORDS in reasons(asked)
    insisted = judge(operator(doubtful, IN_SO_MANY_WORDS))
    assert insisted.verdict is Verdict.SWITCH
    assert "The witness says nothing" in insisted.overridden[0]


@pytest.mark.parametrize(
    "release",
    [{"last_recovery_seconds": 3600.0}, {"acknowledged": True}, {"begun": True}, {"last_recovery_seconds": None}],
    ids=["period over", "acknowledged", "the same failover", "none before"],
)
def test_the_block_period_ends(release: dict[str, object]) -> None:
    blocked = replace(DARK, rules=AUTOMATIC, last_recovery_seconds=600)
    assert judge(blocked).verdict is Verdict.REFUSE
    assert judge(replace(blocked, **release)).verdict is Verdict.SWITCH  # type: ignore[arg-type]


def test_nothing_is_prepared_in_the_block_period() -> None:
    assert judge(replace(DARK, lease=HELD, last_recovery_seconds=600)).verdict is Verdict.REFUSE


sights = some.builds(Sight, some.sampled_from(Seen), some.floats(-60, 600))
leases = some.builds(
    Lease,
    quorum=some.booleans(),
    holder_site=some.sampled_from(["", "colo", "cloud"]),
    lapsed_seconds=some.none() | some.floats(0, 600),
)
situations = some.builds(
    Situation,
    tunnel=sights,
    outside=sights,
    witness=sights,
    lease=leases,
    data=some.builds(
        Data, some.sampled_from(Tier), some.none() | some.floats(0, 3600), some.sampled_from(["", "Bad."])
    ),
    rules=some.builds(Rules, some.sampled_from(Policy)),
    last_recovery_seconds=some.none() | some.floats(0, 7200),
    acknowledged=some.booleans(),
    begun=some.booleans(),
    operator=some.booleans(),
    insists=some.sampled_from(["", IN_SO_MANY_WORDS]),
)


@given(situations)
def test_whatever_is_known_no_switch_is_made_while_the_colo_may_hold_the_lease(situation: Situation) -> None:
    judgement = judge(situation)
    assert judgement.reasons
    if judgement.verdict is Verdict.SWITCH:
        lease = situation.lease
        assert lease.quorum
        assert lease.holder_site != "colo"
        assert lease.holder_site == "cloud" or lease.lapsed_seconds is not None


@given(situations)
def test_without_a_person_no_switch_is_made_unless_the_witness_agrees(situation: Situation) -> None:
    judgement = judge(replace(situation, operator=False, begun=False))
    led_by_the_cloud = situation.lease.quorum and situation.lease.holder_site == "cloud"
    if judgement.verdict is Verdict.SWITCH and not led_by_the_cloud:
        assert situation.rules.policy is Policy.AUTOMATIC
        assert situation.witness.seen is Seen.DOWN
        assert situation.outside.seen is Seen.DOWN
        assert not situation.data.trouble
        assert judgement.overridden == ()


FLIPPED = Verified(3 * 3600, ("bytes flipped: a/b is not what was written.",))


def verified(what: Verified | None, tier: Tier = Tier.ARCHIVE) -> Situation:
    return operator(replace(DARK, data=Data(tier, 12, verified=what)))


def test_a_damaged_backup_is_not_failed_over_onto_unless_somebody_insists() -> None:
    refused = judge(verified(FLIPPED))
    assert refused.verdict is Verdict.REFUSE
    assert "damaged: bytes flipped: a/b is not what was written. So said the verification 3 h ago." in reasons(refused)
    insisted = judge(operator(verified(FLIPPED), IN_SO_MANY_WORDS))
    assert insisted.verdict is Verdict.SWITCH
    assert "bytes flipped" in " ".join(insisted.overridden)


def test_a_damaged_backup_is_refused_before_the_lease_has_lapsed_too() -> None:
    assert judge(replace(verified(FLIPPED), lease=HELD)).verdict is Verdict.REFUSE


def test_a_damaged_backup_does_not_stop_a_replica() -> None:
    assert judge(verified(FLIPPED, Tier.STANDBY)).verdict is Verdict.SWITCH


@pytest.mark.parametrize("what", [None, Verified(60), Verified(9 * 86400), Verified(60, odd=("too old: x.",))])
def test_backups_that_nobody_verified_lately_or_that_are_odd_are_no_refusal(what: Verified | None) -> None:
    assert judge(verified(what)).verdict is Verdict.SWITCH
