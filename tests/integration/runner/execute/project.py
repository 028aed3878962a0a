"""A small project of playbooks for localhost, and an executor for it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from runner.execute.lease import Lease
from runner.execute.request import PlaybookEvent, RunRequest
from runner.execute.run import Executor
from runner.model import RunOutcome

NUMBERS = count(1)
HOSTS = """
all:
  hosts:
    here: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""


def now() -> datetime:
    return datetime.now(UTC)


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


def make_project(root: Path) -> Path:
    (root / "inventory/group_vars").mkdir(parents=True)
    (root / "inventory/hosts.yml").write_text(HOSTS)
    (root / "ansible.cfg").write_text(
        "[defaults]\nlocalhost_warning = false\n[connection]\npipelining = true\n[inventory]\nenable_plugins = yaml\n"
    )
    return root


@dataclasses.dataclass
class Stage:
    """An executor with its project; `play` writes a playbook and runs it."""

    project: Path
    state: Path
    lease: Lease
    executor: Executor

    def request(self, text: str = "", **changes: object) -> RunRequest:
        number = next(NUMBERS)
        playbook = self.project / f"play{number}.yml"
        if text:
            playbook.write_text(text)
        request = RunRequest(
            job_id=f"job-{number}",
            attempt=1,
            playbook=playbook,
            project_dir=self.project,
            inventory=self.project / "inventory/hosts.yml",
            time_limit_seconds=60,
        )
        return dataclasses.replace(request, **changes)  # type: ignore[arg-type]

    def run(self, request: RunRequest) -> tuple[RunOutcome, list[PlaybookEvent]]:
        self.lease.renew(120)
        events: list[PlaybookEvent] = []
        return self.executor.run(request, events.append, self.lease), events

    def play(self, text: str, **changes: object) -> tuple[RunOutcome, list[PlaybookEvent]]:
        return self.run(self.request(text, **changes))

    def kept(self, request: RunRequest) -> str:
        folder = self.state / "jobs" / request.job_id / str(request.attempt)
        return (folder / "output").read_text()


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def tasks(text: str, hosts: str = "all") -> str:
    return f"- name: A play\n  hosts: {hosts}\n  gather_facts: false\n  tasks:\n{text}"


def encrypted(text: str, password_file: Path) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-vault"), "encrypt", "--vault-password-file", str(password_file)],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout
