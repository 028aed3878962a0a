"""Remove old artifacts, by age and by size, oldest first, and never those of a job that runs."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True)
class Removed:
    """What a cleaning took away and what it left."""

    jobs: tuple[str, ...]
    bytes_removed: int
    bytes_left: int


def clean(state_dir: Path, now: datetime, keep_days: float, keep_bytes: int, running: Collection[str]) -> Removed:
    """Remove the folders of jobs last touched more than `keep_days` ago, then the oldest until `keep_bytes` suffice.

    `running` names the jobs that have not ended; nothing of them is touched, even above the limit.
    """
    folders = [folder for folder in (state_dir / "jobs").glob("*") if folder.is_dir()]
    measured = sorted((_touched(folder), folder.name, _size(folder), folder) for folder in folders)
    left = sum(size for _, _, size, _ in measured)
    border = (now - timedelta(days=keep_days)).timestamp()
    gone: list[str] = []
    taken = 0
    for touched, name, size, folder in measured:
        if name in running or (touched >= border and left <= keep_bytes):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            gone.append(name)
            taken += size
            left -= size
    return Removed(tuple(gone), taken, left)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _touched(folder: Path) -> float:
    return max((path.stat().st_mtime for path in [folder, *_files(folder)]), default=0.0)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))
