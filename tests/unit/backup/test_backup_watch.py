"""What monitoring is told of the WAL archive, from lines that pgBackRest 2.55 writes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.programs import load

WATCH = load("backup", "understudy_backup_watch")
SENT = "2026-11-28 15:37:40.001 P01 DETAIL: pushed WAL file '000000010000000000000009' to the archive\n"
WARNED = (
    "2026-11-28 15:37:%02d.123 P00   WARN: dropped WAL file '00000001000000000000000A' because archive queue exceeded "
    "32MB\n"
)


def moment(second: int) -> float:
    return time.mktime((2026, 11, 28, 15, 37, second, 0, 0, -1))


def files(tmp_path: Path, log: str | None, known: float | None = None) -> tuple[Path, Path]:
    log_file, figures = tmp_path / "async.log", tmp_path / "wal.prom"
    if log is not None:
        log_file.write_text(log, encoding="utf-8")
    if known is not None:
        figures.write_text(WATCH.text(WATCH.Archive(1.0, 0, 0.0, known)), encoding="utf-8")
    return log_file, figures


@pytest.mark.parametrize(
    ("log", "known", "told"),
    [
        (None, None, 0),
        (SENT, None, 0),
        (SENT + WARNED % 41 + WARNED % 43 + SENT, None, moment(43)),
        (SENT, moment(41), moment(41)),
        (WARNED % 43, moment(41), moment(43)),
        (WARNED % 41, moment(43), moment(43)),
    ],
    ids=["no log", "all was sent", "the last of two", "the log moved on", "dropped again", "known before"],
)
def test_it_is_told_when_wal_was_last_dropped(
    log: str | None, known: float | None, told: float, tmp_path: Path
) -> None:
    assert WATCH.dropped(*files(tmp_path, log, known)) == told


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WATCH, "TAIL_BYTES", 200)
    assert WATCH.dropped(*files(tmp_path, WARNED % 41 + SENT * 10)) == 0
    assert WATCH.dropped(*files(tmp_path, SENT * 10 + WARNED % 43)) == moment(43)
