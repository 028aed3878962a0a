"""The WAL disk that fills: the drill goes on when monitoring was told that WAL was dropped, and breaks off when not."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from lab import faults, topology
from lab.drills import reach, wal, writers
from lab.errors import LabError
from lab.paths import Paths

LAB = faults.Lab(topology.load(), Paths())
FIGURE = "understudy_backup_wal_dropped_timestamp_seconds {}\n"


def listen(monkeypatch: pytest.MonkeyPatch, figures: Iterator[str]) -> list[str]:
    """Note what is said to the host; it answers with figures where it is asked for them."""
    said: list[str] = []

    def on(_: faults.Lab, host: str, *words: str) -> str:
        assert host == wal.HOST
        said.append(words[-1])
        return next(figures) if words[-1].startswith("cat ") else ""

    monkeypatch.setattr(reach, "on", on)
    monkeypatch.setattr(writers, "query", lambda *words: said.append(words[2]))
    return said


def test_wal_is_written_beside_a_small_limit_until_monitoring_knows_that_it_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, new = FIGURE.format(7), FIGURE.format(9)
    said = listen(monkeypatch, iter([old, old, old, new]))
    slept: list[float] = []
    wal.fill(LAB, slept.append)
    assert "archive-push-queue-max=32MiB" in said[1]
    assert sum("pg_switch_wal" in each for each in said) == wal._SEGMENTS
    assert len(slept) == 2


def test_wal_that_nobody_says_was_dropped_ends_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    listen(monkeypatch, itertools.repeat(FIGURE.format(7)))
    clock = itertools.count(step=60)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with pytest.raises(LabError, match="monitoring was not told"):
        wal.fill(LAB, lambda _: None)


@pytest.mark.parametrize(("figures", "moment"), [("", 0), (FIGURE.format(0), 0), ("x 1\n" + FIGURE.format(8), 8)])
def test_a_host_without_the_figure_never_dropped_any(figures: str, moment: int) -> None:
    assert wal.dropped_at(figures) == moment
