"""Judge whether the cloud may take over from the colo.

Pure: no I/O, no clock, no Ansible. What observers say goes in, a verdict with its reasons comes out. An observer sees
the colo, does not see it, or says nothing; silence proves nothing. What keeps two sites from writing at once is the
lease in etcd alone: while it is held, or not known, nobody can insist on a switch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from .failover_situation import Lease, Policy, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .failover_situation import Rules, Sight, Situation

IN_SO_MANY_WORDS = "yes-fail-over-although-it-was-refused"


class Verdict(Enum):
    """What may be done now.

    PREPARE: make the host, restore, add capacity, switch nothing. ASK: a person decides. WAIT: it is decided; the
    cloud's member may lead as soon as the lease has lapsed, which the lease itself sees to. SWITCH: it has lapsed.
    """

    REFUSE = "refuse"
    PREPARE = "prepare"
    ASK = "ask"
    WAIT = "wait"
    SWITCH = "switch"


@dataclass(frozen=True)
class Judgement:
    """The verdict and why, in sentences; `overridden`: what the operator insisted on in spite of."""

    verdict: Verdict
    reasons: tuple[str, ...]
    overridden: tuple[str, ...] = ()


def judge(situation: Situation) -> Judgement:
    """Say what may be done now, and why."""
    if situation.insists and situation.insists != IN_SO_MANY_WORDS:
        sentence = f"{situation.insists!r} does not override anything; to insist, say {IN_SO_MANY_WORDS}."
        return Judgement(Verdict.REFUSE, (sentence,))
    if situation.lease.quorum and situation.lease.holder_site == "cloud":
        return _led_by_the_cloud(situation)
    if unsafe := _two_could_write(situation.lease):
        return _not_yet(situation, unsafe)
    return _safe(situation)


def _safe(situation: Situation) -> Judgement:
    """Judge a switch after which one site alone could write."""
    refusals = (*_refusals(situation),)
    if refusals and not _insists(situation):
        return Judgement(Verdict.REFUSE, (*refusals, *_how_to_insist(situation)))
    doubts = (*_doubts(situation),)
    proof = (
        f"Nobody has held the lease for {situation.lease.lapsed_seconds or 0:.0f} s, and a majority of etcd says so."
    )
    if (situation.operator or situation.begun) and (not doubts or _insists(situation)):
        decided = ("An operator asks for it.",) if situation.operator else ("It was decided on, then interrupted.",)
        return Judgement(Verdict.SWITCH, (proof, *decided), (*refusals, *doubts))
    if situation.rules.policy is Policy.AUTOMATIC and not doubts and not situation.operator:
        return Judgement(Verdict.SWITCH, (proof, "The witness agrees, and the policy is automatic."))
    why = doubts or ("The policy is approve: a person says yes or no.",)
    return Judgement(Verdict.ASK, (proof, *why, *(_how_to_insist(situation) if situation.operator else ())))


def fresh(sight: Sight, rules: Rules) -> Seen:
    """Return what an observer says now: an answer that is old, or of another clock's future, is silence."""
    return sight.seen if 0 <= sight.age_seconds <= rules.sight_seconds else Seen.UNKNOWN


def _insists(situation: Situation) -> bool:
    return situation.operator and situation.insists == IN_SO_MANY_WORDS


def _how_to_insist(situation: Situation) -> tuple[str, ...]:
    return (f"If you know better, insist: {IN_SO_MANY_WORDS}.",) if situation.operator else ()


def _led_by_the_cloud(situation: Situation) -> Judgement:
    holder = situation.lease.holder or "a host of the cloud"
    if situation.begun:
        return Judgement(Verdict.SWITCH, (f"{holder} holds the lease: what is left of this failover is finished.",))
    if not (*_lost(situation),):
        return Judgement(Verdict.SWITCH, (f"{holder} took the lease that the colo lost: the customers follow.",))
    return Judgement(
        Verdict.REFUSE, (f"{holder} holds the lease: the cloud leads already, and there is nothing to do.",)
    )


def _two_could_write(lease: Lease) -> str:
    """Say why two sites could write after a switch now; nothing when they cannot."""
    if not lease.quorum:
        return "No majority of etcd answers, so whether the colo still holds the lease is not known."
    if lease.holder_site:
        return f"{lease.holder or 'The colo'} holds the lease and may take writes at the colo."
    if lease.lapsed_seconds is None:
        return "The lease's holder is not known."
    return ""


def _not_yet(situation: Situation, unsafe: str) -> Judgement:
    """Judge while two sites could write: there is no switch, whoever asks; preparing and waiting harm nobody."""
    final = "Nobody can insist on that: two sites could write at once."
    insisted = (final,) if situation.insists else ()
    if found := (*_lost(situation),):
        return Judgement(Verdict.REFUSE, (unsafe, *found, *insisted))
    if situation.lease.quorum and situation.lease.holder_site:
        then = _safe(replace(situation, lease=Lease(quorum=True, lapsed_seconds=0.0)))
        if then.verdict is Verdict.SWITCH:
            wait = "The colo seems lost; the cloud leads as soon as that lease has lapsed, and not before."
            return Judgement(Verdict.WAIT, (unsafe, wait, *then.reasons[1:]), then.overridden)
        if then.verdict is Verdict.REFUSE:
            return Judgement(Verdict.REFUSE, (unsafe, *then.reasons))
    wait = "The colo seems lost, so the cloud prepares; the switch waits until the lease has lapsed."
    return Judgement(Verdict.PREPARE, (unsafe, wait, *insisted))


def _refusals(situation: Situation) -> Iterator[str]:
    """Say what speaks against a switch that would be safe; an operator may override each."""
    yield from _lost(situation)
    yield from _blocked(situation)
    data = situation.data
    if data.damage:
        yield f"The data that the cloud would serve are damaged: {data.damage}"
    elif data.age_seconds is None:
        yield "What the cloud could restore is not known: there is no proven copy, or storage does not say."


def _lost(situation: Situation) -> Iterator[str]:
    """Say why the colo does not count as lost; nothing when it does."""
    sights = _sights(situation)
    tunnel, outside, witness = (fresh(sight, situation.rules) for sight in sights.values())
    if outside is Seen.UP and tunnel is not Seen.UP:
        yield "The cloud sees the colo from outside: the tunnel is cut, and the side with the lease serves."
    elif Seen.UP in {tunnel, outside}:
        yield "The cloud sees the colo, so it is not lost: mend its database there, or move the leader as planned."
    elif witness is Seen.UP:
        yield "The witness sees the colo and the cloud does not: it is the cloud that is cut off."
    elif witness is Seen.UNKNOWN and not situation.lease.quorum:
        yield "Neither the witness nor a majority of etcd answers: it may be the cloud that is cut off."
    elif Seen.DOWN not in {outside, witness}:
        silent = [name for name, sight in sights.items() if fresh(sight, situation.rules) is Seen.UNKNOWN]
        yield f"Nobody is sure that the colo is lost; silent: {', '.join(silent)}, and silence proves nothing."


def _sights(situation: Situation) -> dict[str, Sight]:
    return {
        "the cloud over the tunnel": situation.tunnel,
        "the cloud from outside": situation.outside,
        "the witness": situation.witness,
    }


def _blocked(situation: Situation) -> Iterator[str]:
    ago, rules = situation.last_recovery_seconds, situation.rules
    if ago is None or situation.acknowledged or situation.begun or ago >= rules.block_seconds:
        return
    left = (rules.block_seconds - ago) / 60
    yield (
        f"The last recovery began {ago / 60:.0f} min ago, and one is allowed in {rules.block_seconds / 60:.0f} min: "
        f"look how it ended, then run playbooks/acknowledge_recovery.yml, or wait {left:.0f} min."
    )


def _doubts(situation: Situation) -> Iterator[str]:
    """Say what a person must weigh although nothing speaks against the switch."""
    for name in ("the cloud from outside", "the witness"):
        sight = _sights(situation)[name]
        if fresh(sight, situation.rules) is Seen.UNKNOWN:
            yield f"{name[0].upper()}{name[1:]} says nothing: {sight.words or _silence(sight)}."
    data = situation.data
    if data.age_seconds is not None and data.age_seconds > situation.rules.data_seconds:
        limit = situation.rules.data_seconds
        yield f"The newest restorable data are {data.age_seconds / 60:.0f} min old, more than {limit / 60:.0f} min."


def _silence(sight: Sight) -> str:
    if sight.age_seconds < 0:
        return f"its answer is {-sight.age_seconds:.0f} s ahead of this clock; clocks differ"
    return f"its last answer is {sight.age_seconds:.0f} s old" if sight.seen is not Seen.UNKNOWN else "no answer"
