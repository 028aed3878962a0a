"""The failover card says what a tired person needs, in lines that fit, the question first."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from plugins.module_utils.failover_card import FENCED, FINAL, WIDTH, Expectation, card
from plugins.module_utils.failover_judgement import IN_SO_MANY_WORDS, judge
from plugins.module_utils.failover_situation import Data, Seen, Sight, Situation, Tier, Verified
from tests.unit.failover.test_failover_judgement import DARK, HELD, NO_MAJORITY, SILENT, operator, situations

PAST = Expectation(240, (2.5, 1.5, 3.25))


def text_of(situation: Situation, expectation: Expectation = PAST) -> str:
    """Return the card as one line of text."""
    return " ".join(card(situation, judge(situation), expectation).split())


def test_the_question_comes_first() -> None:
    written = card(DARK, judge(DARK), PAST)
    assert written.splitlines()[0] == "SHALL THE CLOUD TAKE OVER FROM THE COLO?  Yes or no; you may also wait."


def test_it_says_what_each_observer_says_and_that_silence_proves_nothing() -> None:
    witness = Sight(Seen.DOWN, 3, "tcp 443: timed out")
    written = text_of(replace(DARK, witness=witness, tunnel=SILENT))
    assert "witness: does not see it (tcp 443: timed out), 3 s ago" in written
    assert "cloud, over the tunnel: SAYS NOTHING; that proves nothing" in written
    assert "etcd: nobody holds the lease, for 4 s" in written


def test_an_old_answer_is_shown_as_silence() -> None:
    assert "witness: SAYS NOTHING" in text_of(replace(DARK, witness=Sight(Seen.DOWN, 600)))


def test_it_says_about_how_many_bookings_would_be_lost() -> None:
    assert "are 12 s old (tier archive): about 48 bookings, at 240 a minute" in text_of(DARK)
    assert "nobody can say how many bookings that is" in text_of(DARK, Expectation())
    assert "Nothing: the cloud's replica" in text_of(replace(DARK, data=Data(Tier.SYNCHRONOUS, 0)))


def test_it_never_says_that_nothing_is_lost_when_that_is_not_known() -> None:
    for data in (Data(Tier.ARCHIVE, None), Data(Tier.ARCHIVE, 12, "A gap."), Data(Tier.SYNCHRONOUS, 0, "A gap.")):
        assert "NOT KNOWN" in text_of(replace(DARK, data=data))


def test_it_says_how_long_past_drills_took() -> None:
    assert "About 2 min; the last 3, drills too, took 90 s to 3 min." in text_of(DARK)
    assert "About 90 s, as the one that is remembered here" in text_of(DARK, Expectation(240, (1.5,)))
    assert "no failover in tier archive is remembered here" in text_of(DARK, Expectation(240))


def backups(verified: Verified | None, tier: Tier = Tier.ARCHIVE) -> Situation:
    return replace(DARK, data=Data(tier, 12, verified=verified))


def test_it_says_when_the_backups_were_verified_and_what_was_found() -> None:
    assert "last verified 3 h ago: nothing was wrong with them." in text_of(backups(Verified(3 * 3600)))
    assert "last verified 3 h ago: too old: x." in text_of(backups(Verified(3 * 3600, odd=("too old: x.",))))
    assert "no verification of them is remembered here" in text_of(backups(None))
    old = text_of(backups(Verified(4 * 86400)))
    assert "last verified 4 days ago, and more than 26 h say little: nothing was wrong with them." in old


def test_it_names_the_damage_also_where_a_replica_would_serve() -> None:
    flipped = Verified(7300, ("bytes flipped: a/b is not what was written.",))
    said = "NOT KNOWN: bytes flipped: a/b is not what was written. So said the verification 2 h ago."
    assert said in text_of(backups(flipped))
    replica = text_of(backups(flipped, Tier.STANDBY))
    assert "last verified 2 h ago: DAMAGED. bytes flipped: a/b" in replica
    assert "The newest restorable data are 12 s old" in replica


def test_it_says_what_is_fenced_and_what_cannot_be_undone() -> None:
    written = text_of(DARK)
    assert all(sentence in written for sentence in (*FENCED, *FINAL))


def test_it_says_who_holds_the_lease_and_what_was_overridden() -> None:
    assert "the lease is held by colo-db1 (colo)" in text_of(replace(DARK, lease=HELD))
    assert "NO MAJORITY" in text_of(replace(DARK, lease=NO_MAJORITY))
    insisted = operator(replace(DARK, last_recovery_seconds=600), IN_SO_MANY_WORDS)
    assert "Overridden by the operator - The last recovery began 10 min ago" in text_of(insisted)


@given(situations)
def test_every_card_fits_and_has_every_part(situation: Situation) -> None:
    written = card(situation, judge(situation), PAST)
    assert max(map(len, written.splitlines())) <= WIDTH
    for heading in (
        "Why",
        "What each observer says",
        "What would be lost",
        "What will be fenced",
        "What cannot be undone",
    ):
        assert f"\n{heading}" in written
