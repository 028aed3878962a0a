from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runner.execute.retention import clean

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def job(state: Path, name: str, age_days: float, size: int = 100) -> Path:
    folder = state / "jobs" / name
    (folder / "1").mkdir(parents=True)
    (folder / "1/output").write_bytes(b"x" * size)
    moment = (NOW - timedelta(days=age_days)).timestamp()
    for path in (folder / "1/output", folder / "1", folder):
        os.utime(path, (moment, moment))
    return folder


def test_jobs_older_than_the_limit_go(tmp_path: Path) -> None:
    old, young = job(tmp_path, "old", 31), job(tmp_path, "young", 29)
    removed = clean(tmp_path, NOW, 30, 10_000, running=())
    assert (removed.jobs, removed.bytes_removed, removed.bytes_left) == (("old",), 100, 100)
    assert not old.exists()
    assert young.exists()


def test_the_oldest_go_until_the_size_suffices(tmp_path: Path) -> None:
    for number in range(5):
        job(tmp_path, f"job-{number}", age_days=10 - number)
    assert clean(tmp_path, NOW, 30, 250, running=()).jobs == ("job-0", "job-1", "job-2")


def test_a_running_job_is_never_touched(tmp_path: Path) -> None:
    running = job(tmp_path, "running", 100, size=1000)
    assert clean(tmp_path, NOW, 30, 10, running={"running"}).jobs == ()
    assert (running / "1/output").exists()


def test_nothing_to_clean_is_no_error(tmp_path: Path) -> None:
    assert clean(tmp_path, NOW, 30, 10, running=()).jobs == ()
