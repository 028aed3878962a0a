"""Freeze the inventory for a job: hosts, groups and what the source says of them, as it was when the job began.

What lies beside the source is not copied: it stays in the project and is linked beside the frozen file. Ansible looks
there for `group_vars` and `host_vars` (the vault among them), and variables find other files there by `inventory_dir`.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from runner.errors import ExecutionError
from runner.execute.launch import command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from runner.execute.guard import Watch
    from runner.execute.request import RunRequest

LONGEST_SECONDS = 120.0
# The plugin that reads it: the only one that keeps apart what may be a template and what may not.
FROZEN_SOURCE = "ansible.builtin.script"
# What ansible-runner's display, which the preloaded process has, puts around each warning: an event in base64.
EVENT = re.compile(r"\x1b\[K(?:[A-Za-z0-9+/=]*\x1b\[\d+D)+\x1b\[K")
HEAD = '#!/bin/sh\nexec tail -n +3 "$0"\n'


def frozen_file(job_folder: Path) -> Path:
    """Return where the frozen inventory of a job is, or will be."""
    return job_folder / "inventory" / "hosts"


def freeze(request: RunRequest, job_folder: Path, watch: Watch, address: str, environment: Mapping[str, str]) -> Path:
    """Ask the source once per job and keep its answer, mode 0700 (it is a script). Returns the file.

    Raises ExecutionError when the source does not answer, with the end of what it said.
    """
    file = frozen_file(job_folder)
    if file.exists():
        return file
    answer = watch.folder / "inventory.json"
    display = watch.folder / "inventory_display"  # where that display drops its events; nobody reads them
    display.mkdir(mode=0o700)
    program = ["ansible-inventory", "-i", str(request.inventory), "--list", "--export", "--output", str(answer)]
    # No variables plugin: nothing of group_vars, and so nothing of the vault, is read now.
    without = {**environment, "ANSIBLE_VARS_ENABLED": "understudy_none", "ANSIBLE_STDOUT_CALLBACK": "default"}
    without["AWX_ISOLATED_DATA_DIR"] = str(display)
    try:
        done = subprocess.run(
            command(watch.write(), address, program),
            capture_output=True, text=True, env=without, cwd=request.project_dir, check=False, timeout=LONGEST_SECONDS,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExecutionError(f"The inventory {request.inventory} did not answer: {error}.") from error
    if done.returncode != 0 or not answer.exists():
        told = " ".join(EVENT.sub("", done.stderr + done.stdout).split())
        nothing = f"exit code {done.returncode}, and it said nothing."
        raise ExecutionError(f"The inventory {request.inventory} cannot be read: {told or nothing}")
    _keep(file, answer.read_text(), request.inventory.parent if request.inventory.is_file() else request.inventory)
    answer.unlink()
    return file


def _keep(file: Path, text: str, beside: Path) -> None:
    json.loads(text)
    new = file.with_name("hosts.new")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for entry in beside.iterdir():
        link = file.with_name(entry.name)
        if entry.name not in (file.name, new.name) and not link.is_symlink():
            link.symlink_to(entry.resolve())
    new.touch(mode=0o700)
    new.write_text(HEAD + text)
    new.replace(file)
