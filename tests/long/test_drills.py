"""Every row of the failure matrix once, as `understudy drill` runs it; the deadlines are in lab/drills/rows.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import faults, runners
from lab.drills import health, rows, run

pytestmark = pytest.mark.usefixtures("released")


@pytest.fixture
def released(site: faults.Lab) -> Iterator[None]:
    """A drill holds the brakes itself and lets them go; the other tests want them held again."""
    yield
    for host in runners.HOSTS:
        runners.ask(site, host, "brake", "on", "--reason", "tests bring crowds of their own")


@pytest.mark.parametrize("row", rows.ROWS, ids=[row.name for row in rows.ROWS])
def test_a_row_of_the_failure_matrix_is_met(row: rows.Row, site: faults.Lab, tmp_path: Path) -> None:
    before = health.tier(health.members(site))
    results = run.run(site, [row], lambda _: None, tmp_path)
    assert results[0]["faults"] == []
    assert health.tier(health.members(site)) == before
    assert health.wrong(site) == []
