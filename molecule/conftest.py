"""Let a scenario's tests run playbooks against its hosts."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Playbooks:
    """Run playbooks of the project against the scenario's hosts."""

    inventory: str
    environment: dict[str, str]

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a playbook in a process group of its own."""
        return subprocess.Popen(
            ["ansible-playbook", "--inventory", self.inventory, *arguments, str(PROJECT / name)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, name: str, *arguments: str) -> tuple[int, str]:
        """Run a playbook to its end; return its exit code and what it said, as one line."""
        process = self.start(name, *arguments)
        said, _ = process.communicate()
        return process.returncode, " ".join(said.split())

    def kill_at(self, task: str, name: str) -> None:
        """Run a playbook and kill it, as a power cut would, the moment it starts a task."""
        process = self.start(name)
        assert process.stdout is not None
        met = any(f"TASK [{task}]" in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert met, f"{name} has no task '{task}'"


@pytest.fixture(scope="session")
def playbooks() -> Playbooks:
    """Return the way to run playbooks here."""
    configuration = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "ansible.cfg"
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }
    return Playbooks(str(Path(os.environ["MOLECULE_INVENTORY_FILE"]).parent), environment)
