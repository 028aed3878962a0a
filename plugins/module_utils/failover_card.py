"""Write the failover card: what a tired person must know at night to say yes or no.

Pure: no I/O, no clock, no Ansible. Lines of at most 78 columns; the question comes first.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from .failover_judgement import Judgement, Verdict, fresh
from .failover_situation import Lease, Seen, Sight, Situation, Tier, span

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 78
QUESTIONS = {
    Verdict.ASK: "SHALL THE CLOUD TAKE OVER FROM THE COLO?  Yes or no; you may also wait.",
    Verdict.WAIT: "THE CLOUD TAKES OVER FROM THE COLO AS SOON AS THE LEASE HAS LAPSED.",
    Verdict.SWITCH: "THE CLOUD TAKES OVER FROM THE COLO NOW.",
    Verdict.PREPARE: "THE CLOUD PREPARES TO TAKE OVER. Nothing is switched, nothing is asked yet.",
    Verdict.REFUSE: "THE CLOUD DOES NOT TAKE OVER.",
}
FENCED = (
    "the colo's database: its lease has lapsed before anything is switched",
    "the tunnel is closed, so that the colo cannot come back by itself",
    "the colo's edge leaves DNS; customers follow within its TTL",
)
FINAL = (
    "What the colo sold and the cloud never got stays at the colo. It is listed and settled when the show goes home; "
    "until then its customers have tickets that the cloud does not know.",
    "The colo cannot simply take over again: playbooks/fail_back_to_colo.yml brings the show home.",
)


@dataclass(frozen=True)
class Expectation:
    """What the past says: bookings per minute just before, and how many minutes past drills and failovers took."""

    bookings_per_minute: float | None = None
    past_minutes: tuple[float, ...] = ()


def card(situation: Situation, judgement: Judgement, expectation: Expectation) -> str:
    """Write the card."""
    parts = [
        (QUESTIONS[judgement.verdict], ()),
        ("Why", judgement.reasons),
        ("Overridden by the operator", judgement.overridden),
        ("What each observer says of the colo", _observers(situation)),
        ("What would be lost", (_lost(situation, expectation), *_verified(situation))),
        ("How long it takes", (_duration(situation, expectation),)),
        ("What will be fenced", FENCED),
        ("What cannot be undone", FINAL),
    ]
    lines: list[str] = []
    for heading, sentences in parts:
        if sentences or heading in QUESTIONS.values():
            lines += ["", *textwrap.wrap(heading, WIDTH)]
        for sentence in sentences:
            lines += textwrap.wrap(sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join(lines[1:]) + "\n"


def _observers(situation: Situation) -> tuple[str, ...]:
    return (
        f"cloud, over the tunnel: {_sight(situation.tunnel, situation)}",
        f"cloud, from outside: {_sight(situation.outside, situation)}",
        f"witness: {_sight(situation.witness, situation)}",
        f"etcd: {_lease(situation.lease)}",
    )


def _sight(sight: Sight, situation: Situation) -> str:
    seen = fresh(sight, situation.rules)
    words = f" ({sight.words})" if sight.words else ""
    if seen is Seen.UNKNOWN:
        return f"SAYS NOTHING{words}; that proves nothing"
    return f"{seen.value}{words}, {sight.age_seconds:.0f} s ago"


def _lease(lease: Lease) -> str:
    if not lease.quorum:
        return "NO MAJORITY, so who holds the lease is not known"
    if lease.holder_site:
        return f"the lease is held by {lease.holder or 'a host'} ({lease.holder_site})"
    return "nobody holds the lease" + (
        f", for {lease.lapsed_seconds:.0f} s" if lease.lapsed_seconds is not None else ""
    )


def _lost(situation: Situation, expectation: Expectation) -> str:
    data = situation.data
    if data.damage:
        return f"NOT KNOWN: {data.damage}"
    if data.age_seconds is None:
        return "NOT KNOWN: no proven copy says how old it is."
    if data.tier is Tier.SYNCHRONOUS:
        return "Nothing: the cloud's replica has confirmed every booking (tier synchronous)."
    age = f"The newest restorable data are {span(data.age_seconds)} old (tier {data.tier.value})"
    if expectation.bookings_per_minute is None:
        return f"{age}; nobody can say how many bookings that is: monitoring in the cloud does not tell what was sold."
    about = expectation.bookings_per_minute * data.age_seconds / 60
    return f"{age}: about {about:.0f} bookings, at {expectation.bookings_per_minute:.3g} a minute."


def _verified(situation: Situation) -> Iterator[str]:
    """Say what is known of the backups, unless that is said already."""
    verified = situation.data.verified
    if verified is None:
        yield (
            "Whether the backups are whole is not known: no verification of them is remembered here "
            "(playbooks/verify_backup.yml)."
        )
        return
    when = f"The backups were last verified {span(verified.age_seconds)} ago"
    if verified.age_seconds > situation.rules.verified_seconds:
        when += f", and more than {span(situation.rules.verified_seconds)} say little"
    if verified.spoiling and not situation.data.damage:
        yield f"{when}: DAMAGED. {' '.join(verified.spoiling)}"
    elif not verified.spoiling:
        yield f"{when}: {' '.join(verified.odd) or 'nothing was wrong with them.'}"


def _duration(situation: Situation, expectation: Expectation) -> str:
    past = expectation.past_minutes
    if not past:
        return f"Not known: no failover in tier {situation.data.tier.value} is remembered here."
    if len(past) == 1:
        return f"About {span(past[0] * 60)}, as the one that is remembered here, a drill or a failover."
    shortest, longest = span(min(past) * 60), span(max(past) * 60)
    return f"About {span(median(past) * 60)}; the last {len(past)}, drills too, took {shortest} to {longest}."
