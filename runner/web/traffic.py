"""Count requests, and time the intake: cheap enough for ten thousand a second."""

from __future__ import annotations

import collections
from bisect import bisect_left

INTAKE = "/alerts"
# Upper bounds in seconds; the goal is a 99th percentile under 0.05.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


class Traffic:
    """What was asked and answered since the start. Written by the event loop alone; other threads read copies."""

    def __init__(self) -> None:
        self._answers: collections.Counter[tuple[str, str, int]] = collections.Counter()
        self._intake = [0] * (len(BOUNDS) + 1)
        self._intake_seconds = 0.0

    def answered(self, route: str, method: str, status: int) -> None:
        """Count an answer. `route` is the address as the document writes it, or `other` where there is none."""
        self._answers[route, method if method in _METHODS else "other", status] += 1

    def taken(self, status: int, seconds: float) -> None:
        """Count an answer of the intake, and its time."""
        self._answers[INTAKE, "POST", status] += 1
        self._intake[bisect_left(BOUNDS, seconds)] += 1
        self._intake_seconds += seconds

    def answers(self) -> dict[tuple[str, str, int], int]:
        """Return the counts by route, method and status."""
        return dict(self._answers.copy())

    def intake(self) -> tuple[list[tuple[str, float]], float]:
        """Return the intake's times as cumulative buckets, (upper bound, count) each, and their sum in seconds."""
        counts, total = self._intake.copy(), 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets, self._intake_seconds
