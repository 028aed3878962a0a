"""Durations as people write them: 90s, 10m, 1h30m (pure)."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
SHAPE = re.compile(r"(?:\d{1,6}[dhms])+")
EXPECTED = "expected a duration such as 10m"


def parse(text: object) -> timedelta:
    """Read a duration. Raises ValueError that says what was expected."""
    if not isinstance(text, str) or not SHAPE.fullmatch(text):
        raise ValueError(EXPECTED)
    parts = re.findall(r"(\d+)([dhms])", text)
    if len({unit for _, unit in parts}) != len(parts):
        raise ValueError(f"{EXPECTED}, each unit once")
    return timedelta(seconds=sum(int(count) * UNITS[unit] for count, unit in parts))


def words(duration: timedelta) -> str:
    """Write a duration the way it is read in the policy file; whole seconds, never negative."""
    left = max(0, round(duration.total_seconds()))
    written = ""
    for unit, seconds in UNITS.items():
        count, left = divmod(left, seconds)
        written += f"{count}{unit}" if count else ""
    return written or "0s"
