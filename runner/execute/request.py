"""What a run is asked to do and what it tells while it goes (pure values)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from runner.model import Variables

EventKind = Literal["play", "task", "ok", "changed", "failed", "unreachable", "skipped", "stats", "note"]


@dataclasses.dataclass(frozen=True, slots=True)
class RunRequest:
    """One attempt of one job; `time_limit_seconds` is for it alone.

    `inventory` is the project's source; it is frozen once per job and every attempt reads the frozen one.
    `environment` is added to the run's own and is visible to other processes: never put a secret there.
    `secret_variables` are extra variables whose values appear nowhere afterwards; the same holds for every value in the
    project's vault files and for the content of `secret_files` (files, or folders of files that hold one secret each).
    """

    job_id: str
    attempt: int  # from 1
    playbook: Path  # absolute, or below project_dir
    project_dir: Path
    inventory: Path
    time_limit_seconds: float
    variables: Variables = dataclasses.field(default_factory=dict)
    secret_variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    vault_password_file: Path | None = None
    secret_files: tuple[Path, ...] = ()
    output_limit_bytes: int = 10_000_000
    check: bool = False
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class PlaybookEvent:
    """One thing that happened in a run: already scrubbed, text of at most 500 characters. Time is aware, in UTC."""

    at: datetime
    kind: EventKind
    text: str
    host: str | None = None
    task: str | None = None
