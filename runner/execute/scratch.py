"""Folders of a run: a private one in memory for what may hold secrets, and the kept one for what may not."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from runner.errors import ExecutionError

MEMORY = Path("/dev/shm")  # noqa: S108 - memory; the folder in it is private and checked


def memory_root(state_dir: Path, memory: Path = MEMORY) -> Path:
    """Return (and make) this installation's private folder in memory. Raises ExecutionError when it is not private.

    The name is short: sockets live below it, and their paths may have 107 bytes.
    """
    state = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:8]
    root = memory / f"understudy-{os.getuid()}-{state}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        found = root.lstat()
    except OSError as error:
        raise ExecutionError(
            f"{root} cannot be made: {error}. Runs need a folder in memory for their secrets."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ExecutionError(f"{root} belongs to someone else or is open to others; remove it and start again.")
    return root


def folder_of(root: Path, job_id: str) -> Path:
    """Return the folder in memory of all attempts of a job."""
    return root / hashlib.sha256(job_id.encode()).hexdigest()[:12]


def make_attempt(root: Path, job_id: str, attempt: int) -> Path:
    """Make an empty folder in memory for one attempt. What an earlier process left there is removed."""
    folder = folder_of(root, job_id) / str(attempt)
    shutil.rmtree(folder, ignore_errors=True)
    root.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder in memory, with everything. Raises ExecutionError when something of it stays."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise ExecutionError(f"{folder} cannot be removed and may hold secrets; remove it by hand.")


def kept_folder(state_dir: Path, job_id: str, attempt: int) -> Path:
    """Make and return the folder on disk for the artifacts of one attempt."""
    if "/" in job_id or job_id in {"", ".", ".."}:
        raise ExecutionError(f"{job_id!r} cannot be a job's name: it is used as the name of a folder.")
    folder = state_dir / "jobs" / job_id / str(attempt)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
