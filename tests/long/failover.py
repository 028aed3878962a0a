"""What tests of a failover share: the colo that comes back, and what customers' journals say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from lab import crowd, faults
from tests.acceptance.conftest import Lab, eventually
from tests.acceptance.test_show import playbook
from tests.long.test_tiers import members


@pytest.fixture
def colo_again(lab: Lab, site: faults.Lab) -> Iterator[None]:
    assert playbook("acknowledge_recovery").ok
    yield
    faults.power_on(site, "colo")
    eventually(lambda: lab.on("colo-ops1", "sudo understudy brake").ok, 60, "the colo's runner answers")


def longest_pause(journal: list[dict[str, Any]], after: datetime) -> tuple[float, datetime]:
    """Return the longest time without a confirmed booking from this moment on, in seconds, and when it ended."""
    moments = sorted(datetime.fromisoformat(line["at"]) for line in journal)
    later = [max([m for m in moments if m <= after], default=after)] + [m for m in moments if m > after]
    pauses = [((b - a).total_seconds(), b) for a, b in pairwise(later)]
    return max(pauses)


def roles(lab: Lab) -> dict[str, tuple[str, str]]:
    return {name: (each["Role"], each["State"]) for name, each in members(lab).items()}


def sold(shopping: crowd.Shopping) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shopping.journal.splitlines()]
