"""Decide when customers arrive and which way they buy.

Pure: randomness comes in as an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

WAYS = ("api", "pages")
_SURGE = re.compile(r"^(?P<factor>\d+(?:\.\d+)?)@(?P<start>\d+(?:\.\d+)?)\+(?P<length>\d+(?:\.\d+)?)$")


@dataclass(frozen=True)
class Surge:
    """A time in which `factor` times as many customers arrive."""

    factor: float
    start_seconds: float
    length_seconds: float

    def covers(self, at_seconds: float) -> bool:
        """Say whether the surge is on."""
        return self.start_seconds <= at_seconds < self.start_seconds + self.length_seconds


def parse_surge(text: str) -> Surge:
    """Read FACTOR@START+LENGTH, times in seconds; ValueError with a sentence otherwise."""
    found = _SURGE.match(text)
    if found is None or float(found["factor"]) <= 0:
        raise ValueError(f"{text!r} is no surge; expected FACTOR@START+LENGTH in seconds, such as 6@30+20.")
    return Surge(float(found["factor"]), float(found["start"]), float(found["length"]))


def parse_mix(text: str) -> dict[str, float]:
    """Read api=0.6,pages=0.4 as shares that add up to 1; ValueError with a sentence otherwise."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        way, _, share = part.strip().partition("=")
        try:
            shares[way] = float(share)
        except ValueError:
            raise ValueError(f"{part!r} is no share of the mix; expected api=0.6,pages=0.4.") from None
        if way not in WAYS or not 0 <= shares[way] < float("inf"):
            raise ValueError(f"{part!r} is no share of the mix; the ways are api and pages, shares are 0 or more.")
    total = sum(shares.values())
    if total <= 0:
        raise ValueError(f"{text!r} leaves nobody to come; one share must be above 0.")
    return {way: share / total for way, share in shares.items()}


def rate_at(per_second: float, surges: Sequence[Surge], at_seconds: float) -> float:
    """Return the arrivals per second at a time; surges that overlap multiply."""
    for surge in surges:
        if surge.covers(at_seconds):
            per_second *= surge.factor
    return per_second


def arrivals(per_second: float, surges: Sequence[Surge], duration_seconds: float, random: Random) -> Iterator[float]:
    """Yield the seconds at which customers arrive: a Poisson process, by thinning (Lewis and Shedler, 1979)."""
    edges = {0.0, *(end for s in surges for end in (s.start_seconds, s.start_seconds + s.length_seconds))}
    highest = max(rate_at(per_second, surges, edge) for edge in edges)
    if highest <= 0:
        return
    at = random.expovariate(highest)
    while at < duration_seconds:
        if random.random() * highest < rate_at(per_second, surges, at):
            yield at
        at += random.expovariate(highest)
