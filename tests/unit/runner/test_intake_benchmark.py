"""What the benchmark of the intake says of rounds with and without playbooks."""

from __future__ import annotations

from typing import Any

import pytest

from bench.intake.beside import report, table


def row(rate: int, jobs: int, **other: Any) -> dict[str, Any]:
    return {"rate": rate, "p50_ms": 10.0, "p99_ms": 40.0, "not_2xx": 0, "broken": 0, "jobs": jobs} | other


def test_the_ratio_is_that_of_the_medians() -> None:
    told = report({"without": [row(8000, 0), row(9000, 0), row(100, 0)], "with": [row(6000, 9), row(4000, 7)]})
    assert told["ratio"] == {"rate": 0.62, "p50_ms": 1.0, "p99_ms": 1.0}
    assert told["sound"]
    assert "with / without" in table(told)


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"not_2xx": 1}, {"broken": 1}])
def test_rounds_without_a_playbook_or_with_a_request_that_was_not_taken_prove_nothing(wrong: dict[str, int]) -> None:
    assert not report({"without": [row(8000, 0)], "with": [row(6000, 9) | wrong]})["sound"]
