"""Judge answers: which are proper, which ask to be repeated, and after how long.

Pure: no clock, no network; randomness comes in as an argument.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

_LONGEST_PAUSE_SECONDS = 2.0


class Verdict(StrEnum):
    """What a customer does with an answer."""

    PROPER = "proper"
    WAIT = "wait"  # the service is well and asks to be asked again: same address, the wait is not its answer time
    REPEAT = "repeat"  # this address is not well: the same request goes to another one
    FAILED = "failed"


def judge(status: int) -> Verdict:
    """Judge an HTTP status; 0 stands for a connection that failed or timed out."""
    if status in {202, 429}:
        return Verdict.WAIT
    if status in {0, 502, 503, 504}:
        return Verdict.REPEAT
    return Verdict.FAILED if status >= 500 else Verdict.PROPER


def fields_of(body: bytes) -> dict[str, Any]:
    """Return a JSON answer's fields, those of its `error` laid over them; empty when it is no JSON object."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    error = document.get("error")
    return document | error if isinstance(error, dict) else document


def pause_seconds(headers: Mapping[str, str], body: bytes, tries: int, random: Random) -> float:
    """Return how long to wait before the next try: as the service says, else longer each time, with jitter.

    A header or field that is no number of seconds counts as absent.
    """
    told: Any = headers.get("Retry-After")
    if told is None and headers.get("Content-Type", "").startswith("application/json"):
        told = fields_of(body).get("retry_after_seconds")
    try:
        seconds = max(0.0, float(told))
    except (TypeError, ValueError):
        longest = min(_LONGEST_PAUSE_SECONDS, 0.2 * 2.0 ** min(tries, 10))
        return longest * (0.5 + random.random() / 2)
    return seconds * (1 + 0.1 * random.random())
