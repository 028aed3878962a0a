"""Drive one playbook through ansible-runner (the only module that imports it).

ansible-runner writes its environment, command and events to its folder in clear: that folder is in memory and is
removed, and what is kept goes through the scrubber first. It ends no children and calls a play without hosts a success:
the guard and the story know better. Its rotation of artifacts removes folders of running jobs: it is off.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_runner import Runner, RunnerConfig  # type: ignore[import-untyped]
from ansible_runner.exceptions import AnsibleRunnerException  # type: ignore[import-untyped]
from ansible_runner.utils import get_callback_dir  # type: ignore[import-untyped]

from runner.errors import ExecutionError
from runner.execute.frozen import FROZEN_SOURCE
from runner.execute.launch import command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.execute.request import RunRequest

LOOK_EVERY_SECONDS = 1.0


def display_folder() -> Path:
    """Return where ansible-runner's callbacks are."""
    return Path(get_callback_dir())


def play(
    request: RunRequest,
    inventory: Path,
    watch: Path,
    *,
    address: str,
    environment: Mapping[str, str],
    take: Callable[[Mapping[str, Any]], None],
) -> int:
    """Run it under its guard, give each event to `take` (in this thread), and return the exit code."""
    folder = watch.parent
    variables = _write_variables(request, folder)
    config = RunnerConfig(
        private_data_dir=str(folder), artifact_dir=str(folder), ident="run", playbook=str(request.playbook),
        project_dir=str(request.project_dir), rotate_artifacts=0, quiet=True, fact_cache_type="",
    )  # fmt: skip
    try:
        config.prepare()
    except AnsibleRunnerException as error:
        raise ExecutionError(f"{request.playbook} cannot be prepared: {error}.") from error
    config.env = {**environment, "ANSIBLE_INVENTORY_ENABLED": FROZEN_SOURCE}
    config.command = command(watch, address, _program(request, inventory, variables))
    config.suppress_output_file = True
    config.pexpect_timeout = LOOK_EVERY_SECONDS

    def handle(event: Mapping[str, Any]) -> bool:
        if event.get("event") == "playbook_on_start":
            variables.unlink(missing_ok=True)  # Ansible has read it
        if event.get("event") != "EOF":
            take(event)
        return False  # ansible-runner keeps no copy

    _, code = Runner(config, event_handler=handle).run()
    return int(code) if code is not None else 1


def _program(request: RunRequest, inventory: Path, variables: Path) -> list[str]:
    program = ["ansible-playbook", "-i", str(inventory), "-e", f"@{variables}"]
    if request.vault_password_file is not None:
        program += ["--vault-password-file", str(request.vault_password_file)]
    if request.check:
        program.append("--check")
    return [*program, str(request.playbook)]


def _write_variables(request: RunRequest, folder: Path) -> Path:
    file = folder / "variables.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({**request.variables, **request.secret_variables}))
    return file
