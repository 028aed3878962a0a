"""Let a scenario's tests run playbooks against its hosts."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass
class Patience:
    """Asks once more when an answer is broken off, as an edge does (retry-on in role balancer), and counts that.

    A restart breaks off what is in flight, once for each who asks; a connection that is refused is never asked again.
    """

    broken_off: int = field(default=0, init=False)

    def ask[Answer](self, ask: Callable[[], Answer]) -> Answer:
        """Return the answer, or that to the same again."""
        try:
            return ask()
        except (OSError, HTTPException) as failure:
            cause = failure.reason if isinstance(failure, URLError) else failure
            if not isinstance(cause, (ConnectionResetError, BrokenPipeError, HTTPException)):
                raise
            self.broken_off += 1
            return ask()


@pytest.fixture(scope="session")
def patience() -> type[Patience]:
    """Return what each of several customers has one of."""
    return Patience
