"""See that Ansible runs, and that the inventory answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.doctor.finding import bad, good

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.cli.doctor.finding import Finding

ANSIBLE_SECONDS = 30.0
INVENTORY_SECONDS = 60.0
LONGEST = 400  # characters of what a program said


def ansible(environment: Mapping[str, str], program: Sequence[str] = ("ansible", "--version")) -> Finding:
    """See that Ansible starts."""
    code, told = _run(program, environment, Path("/"), ANSIBLE_SECONDS)
    if code != 0:
        return bad("ansible", f"`{' '.join(program)}` does not run ({_end(told)}); install the release anew.")
    return good("ansible", told.splitlines()[0] if told else "runs")


def inventory(
    source: Path, project_dir: Path, environment: Mapping[str, str], seconds: float = INVENTORY_SECONDS
) -> Finding:
    """See that the inventory lists hosts, from clouds that answer. No variables of the project are read."""
    program = ["ansible-inventory", "-i", str(source), "--list", "--export"]
    strict = {
        "ANSIBLE_VARS_ENABLED": "understudy_none",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    }
    if not project_dir.is_dir():
        return bad("inventory", f"There is no folder {project_dir}; set UNDERSTUDY_PROJECT_DIR.")
    code, told = _run(program, {**environment, **strict}, project_dir, seconds)
    if code != 0:
        return bad("inventory", f"{source} does not answer ({_end(told)}); try `{' '.join(program)}` in {project_dir}.")
    return listed(told, source)


def listed(text: str, source: Path) -> Finding:
    """Judge what `ansible-inventory --list` wrote."""
    try:
        hosts = json.loads(text)["_meta"]["hostvars"]
    except (ValueError, KeyError, TypeError):
        return bad("inventory", f"{source} does not answer with a list; look at it with `ansible-inventory --graph`.")
    if not hosts:
        return bad("inventory", f"{source} has no hosts; write them down, or set UNDERSTUDY_INVENTORY to another.")
    stale = sorted(name for name, variables in hosts.items() if variables.get("two_sites_stale") is True)
    if stale:
        shown = f"{len(stale)} hosts, such as {stale[0]}"
        return bad("inventory", f"{source} serves an old list of {shown}: the cloud does not answer. Look at its API.")
    return good("inventory", f"{len(hosts)} hosts in {source}")


def _run(
    program: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float
) -> tuple[int | None, str]:
    """Run a program; return its exit code (None: it did not end in time, or did not start) and what it said."""
    path = f"{Path(sys.executable).parent}:{environment.get('PATH', os.defpath)}"
    try:
        done = subprocess.run(
            list(program), env={**environment, "PATH": path, "ANSIBLE_NOCOLOR": "1"}, cwd=folder, timeout=seconds,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, f"no answer within {seconds:g} s"
    except OSError as error:
        return None, str(error)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr or done.stdout


def _end(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= LONGEST else f"...{clean[-LONGEST:]}"
