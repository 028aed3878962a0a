"""What is known when a failover is asked for, and the policy that it is judged by.

Pure values; an observer sees the colo, does not see it, or says nothing, and silence proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Seen(Enum):
    """What an observer says of the colo."""

    UP = "sees it"
    DOWN = "does not see it"
    UNKNOWN = "says nothing"


class Policy(Enum):
    """Who says yes to the switch."""

    APPROVE = "approve"
    AUTOMATIC = "automatic"


class Tier(Enum):
    """What the cloud holds of the data before the failover."""

    ARCHIVE = "archive"
    STANDBY = "standby"
    SYNCHRONOUS = "synchronous"


@dataclass(frozen=True)
class Sight:
    """An observer's answer, `age_seconds` old. A negative age means that clocks differ."""

    seen: Seen
    age_seconds: float = 0.0
    words: str = ""


@dataclass(frozen=True)
class Lease:
    """The leader's key in etcd, as the majority has it.

    `quorum`: whether a majority answered. `holder_site`: "" when nobody holds it. `lapsed_seconds`: for how long.
    """

    quorum: bool
    holder: str = ""
    holder_site: str = ""
    lapsed_seconds: float | None = None


@dataclass(frozen=True)
class Verified:
    """What the last verification of the backups found, so many seconds ago.

    `spoiling`: the findings because of which data may not come back; `odd`: the others. Sentences all of them.
    """

    age_seconds: float
    spoiling: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Data:
    """What the cloud could serve: `age_seconds` of the newest restorable commit, None when that is not known.

    `trouble`: what is wrong with it, as a sentence; `verified`: None when no verification of the backups is remembered.
    """

    tier: Tier
    age_seconds: float | None
    trouble: str = ""
    verified: Verified | None = None

    @property
    def damage(self) -> str:
        """Say what is wrong with what the cloud would serve; in tier archive those are the backups."""
        if self.trouble or self.tier is not Tier.ARCHIVE or self.verified is None or not self.verified.spoiling:
            return self.trouble
        return f"{' '.join(self.verified.spoiling)} So said the verification {span(self.verified.age_seconds)} ago."


@dataclass(frozen=True)
class Rules:
    """The policy. A sight older than `sight_seconds` is silence; data older than `data_seconds` need a person.

    A verification of the backups older than `verified_seconds` says little of them.
    """

    policy: Policy = Policy.APPROVE
    block_seconds: float = 3600.0
    sight_seconds: float = 15.0
    data_seconds: float = 300.0
    verified_seconds: float = 26 * 3600.0


@dataclass(frozen=True)
class Situation:
    """All that is known when a failover is asked for.

    `last_recovery_seconds`: how long ago the last failover or failback began, None when there was none; `acknowledged`:
    a person has released its block period. `begun`: this failover's switch had been decided on, and was interrupted.
    `operator`: a person asks, not an alert; `insists`: what they typed to override a refusal.
    """

    tunnel: Sight
    outside: Sight
    witness: Sight
    lease: Lease
    data: Data
    rules: Rules = Rules()
    last_recovery_seconds: float | None = None
    acknowledged: bool = False
    begun: bool = False
    operator: bool = False
    insists: str = ""


def span(seconds: float) -> str:
    """Write a span of time in the unit that a person thinks in."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 48 * 3600)):
        if seconds < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
