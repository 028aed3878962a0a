"""Count what customers meet, second by second, and sum it up as the report.

Pure: times come in as seconds since the start.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_EXAMPLES = 20


class Outcome(StrEnum):
    """How a customer's attempt to buy ends."""

    CONFIRMED = "confirmed"
    SOLD_OUT = "sold_out"
    DECLINED = "declined"
    PENDING = "pending"
    GAVE_UP = "gave_up"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _numbers() -> array[float]:
    return array("f")


@dataclass
class Sample:
    """Requests of one kind or one second; latencies in milliseconds."""

    latencies: array[float] = field(default_factory=_numbers)
    total: int = 0
    failed: int = 0
    confirmed: int = 0


class Tally:
    """What the whole crowd has met so far."""

    def __init__(self) -> None:
        self.kinds: dict[str, Sample] = {}
        self.seconds: dict[int, Sample] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self.statuses: Counter[str] = Counter()
        self.edges: Counter[str] = Counter()
        self.servers: Counter[str] = Counter()
        self.failures: list[dict[str, Any]] = []
        self.total = self.failed = self.retried = self.waited = self.started = 0
        self.holds_tried = self.holds_refused = 0

    def tried(self, status: str, address: str, server: str) -> None:
        """Count one try: its status or the way it failed, the address asked, the server that answered."""
        self.statuses[status] += 1
        self.edges[address] += 1
        if server:
            self.servers[server] += 1

    def answered(self, kind: str, at_seconds: float, seconds: float) -> None:
        """Count a request that got its proper answer after so many seconds."""
        for sample in self._samples(kind, at_seconds):
            sample.latencies.append(seconds * 1000)
            sample.total += 1
        self.total += 1

    def fail(self, kind: str, at_seconds: float, why: str, *, answered: bool = False) -> None:
        """Count a request that never got a proper answer; `answered` when that showed only as the answer was read."""
        for sample in self._samples(kind, at_seconds):
            sample.failed += 1
            sample.total += not answered
        self.total += not answered
        self.failed += 1
        if len(self.failures) < _EXAMPLES:
            self.failures.append({"at_s": round(at_seconds, 1), "kind": kind, "why": why})

    def hold(self, status: int) -> None:
        """Count the answer to a customer who asked for seats; 409 says that they are not to be had."""
        self.holds_tried += 1
        self.holds_refused += status == HTTPStatus.CONFLICT

    def finish(self, outcome: Outcome, at_seconds: float) -> None:
        """Count the end of a customer's attempt."""
        self.outcomes[outcome] += 1
        if outcome is Outcome.CONFIRMED:
            self.seconds.setdefault(int(at_seconds), Sample()).confirmed += 1

    def _samples(self, kind: str, at_seconds: float) -> tuple[Sample, Sample]:
        return self.kinds.setdefault(kind, Sample()), self.seconds.setdefault(int(at_seconds), Sample())

    def report(self) -> dict[str, Any]:
        """Sum up; latencies of requests that failed are not among the percentiles."""
        every = array("f", (latency for sample in self.kinds.values() for latency in sample.latencies))
        return {
            "requests": {
                "total": self.total,
                "failed": self.failed,
                "retried": self.retried,
                "waited": self.waited,
                **{f"p{share}_ms": _milliseconds(every, share) for share in (50, 90, 99)},
                "by_status": dict(sorted(self.statuses.items())),
                "by_kind": {
                    kind: {
                        "total": sample.total,
                        "failed": sample.failed,
                        "p50_ms": _milliseconds(sample.latencies, 50),
                        "p99_ms": _milliseconds(sample.latencies, 99),
                    }
                    for kind, sample in sorted(self.kinds.items())
                },
            },
            "holds": {"tried": self.holds_tried, "refused": self.holds_refused},
            "purchases": {"attempted": self.started, **{str(end): self.outcomes[end] for end in Outcome}},
            "per_second": [self._second(at) for at in range(max(self.seconds, default=-1) + 1)],
            "edges": dict(sorted(self.edges.items())),
            "servers": dict(sorted(self.servers.items())),
            "failures": self.failures,
        }

    def _second(self, at: int) -> dict[str, Any]:
        sample = self.seconds.get(at, Sample())
        return {
            "at_s": at,
            "requests": sample.total,
            "confirmed": sample.confirmed,
            "failed": sample.failed,
            "p99_ms": _milliseconds(sample.latencies, 99),
        }


def _milliseconds(latencies: array[float], share: int) -> float:
    return round(percentile(latencies, share / 100), 1)
