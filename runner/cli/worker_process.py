"""Be the worker of `understudy serve`: `python -m runner.cli.worker_process PIPE SUPERVISOR`."""

from __future__ import annotations

import os
import secrets
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner import settings as all_settings
from runner.cli import logs, reporting
from runner.errors import PolicyError, RunnerError, SettingsError
from runner.execute.run import Executor
from runner.service.rules import RulesFiles
from runner.worker.attempts import Project
from runner.worker.loop import Options
from runner.worker.process import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.settings import Settings

MEGABYTE = 1024 * 1024


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def options(settings: Settings, environment: Mapping[str, str], when_ready: Callable[[], None]) -> Options:
    """Put a worker together. Raises PolicyError, ExecutionError."""
    rules = RulesFiles(
        settings.site, settings.policies_file, settings.calendar_file, absence_file=settings.absence_file
    )
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Options(
        state_dir=settings.state_dir,
        store_url=settings.store,
        node=settings.node_id,
        rules=rules,
        executor=Executor(settings.state_dir, now, environment, warm_project=settings.project_dir),
        project=Project(
            project_dir=settings.project_dir,
            inventory=settings.inventory_path,
            vault_password_file=settings.vault_password_file,
            output_limit_bytes=settings.output_limit_megabytes * MEGABYTE,
        ),
        clock=now,
        random=lambda: secrets.randbits(32),
        lease_seconds=settings.lease_seconds,
        keep_days=settings.keep_days,
        keep_bytes=settings.keep_megabytes * MEGABYTE,
        when_ready=when_ready,
    )


def main(arguments: list[str]) -> None:
    """Work until told to stop."""
    pipe, supervisor = map(int, arguments)
    reporting.end_with(supervisor)
    logs.configure()

    def when_ready() -> None:
        reporting.report(pipe, reporting.READY)
        reporting.give_memory_back()

    try:
        made = options(all_settings.load(os.environ), os.environ, when_ready)
    except (SettingsError, PolicyError) as error:
        reporting.refuse(pipe, error)
    except (RunnerError, OSError) as error:
        reporting.report(pipe, reporting.REFUSED, str(error))
        sys.exit(1)
    else:
        serve(made)


if __name__ == "__main__":
    main(sys.argv[1:])
