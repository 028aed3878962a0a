"""A whole installation on this machine: settings, tokens, a project of tiny playbooks, the service, the command."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from runner import tokens
from runner.actions import CATALOGUE
from runner.execute.scratch import memory_root
from tests.integration.booking.cluster import free_port
from tests.integration.runner.execute.project import make_project
from tests.integration.runner.waiting import until

ROOT = Path(__file__).parents[3]
POLICIES = """
policies:
  - {name: crowd, match: ['alertname="BookingSlow"'], action: scale_out, step: +2, ceiling: 12}
  - {name: image, match: ['alertname="ImageOld"'], action: bake_image}
"""
SCALE = """
- name: Pretend to scale
  hosts: all
  gather_facts: false
  tasks:
    - name: Make servers
      ansible.builtin.command: "true"
    - name: Report
      ansible.builtin.set_stats:
        data: {ready_servers: "{{ wanted_servers | int }}", inventory_stale: false}
"""
BAKE = """
- name: Pretend to bake
  hosts: all
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.copy: {content: "", dest: "{folder}/begun", mode: "0600"}
    - name: Wait for the oven
      ansible.builtin.wait_for: {path: "{folder}/oven", timeout: 60, sleep: 1}
    - name: Look at the image
      ansible.builtin.command: test ! -e {folder}/burnt
"""

ONCE = """
import dataclasses
from runner.actions import CATALOGUE
CATALOGUE["{action}"] = dataclasses.replace(CATALOGUE["{action}"], repeatable=False)
"""


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in found.read_text().split()] if found.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def family(pid: int) -> set[int]:
    """Return a process and all below it."""
    found = {pid}
    for each in children(pid):
        found |= family(each)
    return found


@dataclasses.dataclass
class Installation:
    folder: Path
    port: int = dataclasses.field(default_factory=free_port)
    more: dict[str, str] = dataclasses.field(default_factory=dict)
    services: list[subprocess.Popen[bytes]] = dataclasses.field(default_factory=list)
    token: str = ""
    scheme: str = "http"

    def __post_init__(self) -> None:
        project = make_project(self.folder / "project")
        (project / "playbooks").mkdir()
        for action in CATALOGUE.values():
            self.playbook(action.name, SCALE)
        self.playbook("bake_image", BAKE.replace("{folder}", str(self.folder)))
        (self.folder / "policies.yml").write_text(POLICIES)
        (self.folder / "state").mkdir(mode=0o700)
        (self.folder / "home").mkdir()
        self.token = tokens.make(secrets.token_bytes)
        tokens.save(self.folder / "tokens.json", tokens.added((), "tests", ["admin"], self.token))
        secret = self.folder / "token"
        secret.touch(mode=0o600)
        secret.write_text(self.token)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "UNDERSTUDY_SITE": "cloud",
            "UNDERSTUDY_STATE_DIR": str(self.folder / "state"),
            "UNDERSTUDY_TOKENS_FILE": str(self.folder / "tokens.json"),
            "UNDERSTUDY_POLICIES_FILE": str(self.folder / "policies.yml"),
            "UNDERSTUDY_PROJECT_DIR": str(self.folder / "project"),
            "UNDERSTUDY_INVENTORY": str(self.folder / "project/inventory/hosts.yml"),
            "UNDERSTUDY_LISTEN": f"127.0.0.1:{self.port}",
            "UNDERSTUDY_URL": self.url,
            "UNDERSTUDY_TOKEN_FILE": str(self.folder / "token"),
            **self.more,
        }

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        command = [sys.executable, "-m", "runner.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def serve(self, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start the service and return at once."""
        with (self.folder / "log").open("ab") as log:
            service = subprocess.Popen(
                [sys.executable, "-m", "runner.cli", "serve"],
                cwd=ROOT, env={**self.environment, **(more or {})}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.services.append(service)
        return service

    def ready(self, service: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        until(lambda: "event=serve_ready" in self.log or service.poll() is not None, 60, "the service is ready")
        assert service.poll() is None, self.log
        return service

    def parts(self) -> dict[str, int]:
        """Return the process ids of both parts, as the service told them."""
        line = next(line for line in self.log.splitlines() if "event=serve_ready" in line)
        return {
            name: int(pid)
            for name, _, pid in (word.partition("=") for word in line.split())
            if name in {"web", "worker"}
        }

    def playbook(self, action: str, text: str) -> None:
        """Give an action a playbook."""
        (self.folder / f"project/playbooks/{CATALOGUE[action].playbook}.yml").write_text(text)

    def forbid_repeats(self, action: str) -> None:
        """Make an action of the service's catalogue one that may not repeat: of today's, every one may."""
        (self.folder / "site").mkdir(exist_ok=True)
        (self.folder / "site/sitecustomize.py").write_text(ONCE.replace("{action}", action))
        self.more = {**self.more, "PYTHONPATH": str(self.folder / "site")}

    def post(self, name: str, fingerprint: str = "f1") -> int:
        """Post an alert as Alertmanager does, and return the status."""
        alert = {
            "status": "firing", "labels": {"alertname": name}, "annotations": {}, "fingerprint": fingerprint,
            "startsAt": datetime.now(UTC).isoformat(), "endsAt": "0001-01-01T00:00:00Z",
        }  # fmt: skip
        return self.deliver(json.dumps({"version": "4", "alerts": [alert]}).encode())

    def deliver(self, body: bytes) -> int:
        """Post a delivery as it is, and return the status."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return httpx.post(f"{self.url}/alerts", content=body, headers=headers, timeout=10).status_code

    def ask(self, path: str, **parameters: str | int) -> httpx.Response:
        """Ask the API something."""
        head = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(f"{self.url}{path}", params=parameters, headers=head, timeout=20)
        answer.raise_for_status()
        return answer

    def jobs(self) -> list[dict[str, Any]]:
        """Ask the API for the newest jobs."""
        found: list[dict[str, Any]] = self.ask("/jobs").json()["jobs"]
        return found

    def ledger(self) -> list[dict[str, Any]]:
        """Ask the API for the whole ledger, newest first."""
        found: list[dict[str, Any]] = []
        page = self.ask("/ledger", limit=500).json()
        while page["lines"]:
            found += page["lines"]
            if page["before"] is None:
                break
            page = self.ask("/ledger", limit=500, before=page["before"]).json()
        return found

    def job(self) -> str:
        """Wait for the newest job, and return its name."""
        names: list[str] = []

        def made() -> bool:
            names[:] = [each["id"] for each in self.jobs()]
            return bool(names)

        until(made, 30, "there is a job")
        return names[0]

    def processes(self) -> set[int]:
        """Return every process of this installation, whoever started it: they all have its home."""
        mark = f"HOME={self.folder}/home\0".encode()
        return {pid for pid in _numbers() if mark in b"\0" + read_of(pid, "environ") and alive(pid)}

    def own(self) -> set[int]:
        """Return the processes of the service itself: neither the preloaded Ansible, nor what runs."""
        return {pid for pid in self.processes() if b"\0runner.cli" in read_of(pid, "cmdline")}

    def kill(self) -> None:
        """Kill every process of the service itself with its group; what they started is left as it is."""
        while own := self.own():
            for pid in own:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(os.getpgid(pid), signal.SIGKILL)
            for service in self.services:
                service.poll()

    def freeze(self) -> None:
        """Freeze every process, also those that are born meanwhile."""
        frozen: set[int] = set()
        while more := self.processes() - frozen:
            self._signal(more, signal.SIGSTOP)
            frozen |= more

    def thaw(self) -> None:
        self._signal(self.processes(), signal.SIGCONT)

    def stop_all(self) -> None:
        """End everything, also what outlived its supervisor because something is broken."""
        while left := self.processes():
            self._signal(left, signal.SIGKILL)
            for service in self.services:
                service.poll()
        shutil.rmtree(memory_root(self.folder / "state"))

    @staticmethod
    def _signal(pids: set[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _numbers() -> list[int]:
    return [int(each.name) for each in Path("/proc").glob("[0-9]*")]


def read_of(pid: int, name: str) -> bytes:
    """Return a file about a process; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
