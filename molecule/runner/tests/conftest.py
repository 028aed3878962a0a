"""The runner's service as operators, monitoring and whoever looks around on the host meet it."""

from __future__ import annotations

import json
import os
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib import request
from urllib.error import HTTPError

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host

SCRATCH = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
URL = "https://10.210.254.115:8700"


@dataclass(frozen=True)
class Service:
    """The service of a host, asked from outside or by its command."""

    host: Host

    def token(self, name: str) -> str:
        """Return a token, or another secret of the scenario."""
        return (SCRATCH / "secrets" / name).read_text().strip()

    def ask(self, path: str, bearer: str = "", body: object = None, method: str = "GET") -> tuple[int, Any]:
        """Ask the API from outside, as monitoring does, trusting the project's authority alone."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        data = json.dumps(body).encode() if body is not None else None
        asked = request.Request(f"{URL}{path}", data=data, headers=headers, method=method)  # noqa: S310 - a URL of this file
        try:
            with request.urlopen(  # noqa: S310 - a URL of this file
                asked, timeout=10, context=ssl.create_default_context(cafile=str(SCRATCH / "pki/ca.crt"))
            ) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or "null")

    def ready(self) -> bool:
        """Tell whether it says that it is ready."""
        try:
            return self.ask("/readyz")[0] == 200
        except OSError:
            return False

    def deliver(self, alertname: str, fingerprint: str) -> int:
        """Send an alert that fires, and return the status of the answer."""
        alert = {
            "status": "firing", "labels": {"alertname": alertname}, "annotations": {}, "fingerprint": fingerprint,
            "startsAt": "2026-11-28T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
        }  # fmt: skip
        return self.ask("/alerts", self.token("alertmanager"), {"version": "4", "alerts": [alert]}, "POST")[0]

    def main_pid(self) -> int:
        """Return the process id of the unit."""
        with self.host.sudo():
            shown = self.host.check_output("systemctl show --property MainPID --value understudy-runner.service")
        return int(shown)

    def command(self, words: str) -> str:
        """Use the command as root, who needs no settings and no token."""
        with self.host.sudo():
            return str(self.host.check_output(f"understudy {words}"))

    def verdicts(self, name: str) -> list[str]:
        """Return what alerts of a name came to, newest first."""
        return [entry["verdict"] for entry in json.loads(self.command(f"ledger --json --name {name}"))["lines"]]

    def states(self) -> dict[str, str]:
        """Map each action to the state of a job of it."""
        return {each["action"]: each["state"] for each in json.loads(self.command("jobs --json"))["jobs"]}

    def until(self, condition: Callable[[], object], what: str, deadline_seconds: float = 60) -> None:
        """Wait until a condition holds, and say what did not happen."""
        end = time.monotonic() + deadline_seconds
        while not condition():
            assert time.monotonic() < end, f"not within {deadline_seconds} s: {what}"
            time.sleep(0.2)


@pytest.fixture
def service(host: Host) -> Service:
    """The service on the scenario's host."""
    return Service(host)


@pytest.fixture
def scratch() -> Path:
    """The scenario's own folder on the controller."""
    return SCRATCH
