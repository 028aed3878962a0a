"""The web process alone, as a process of its own, with a store, policies and tokens in a folder."""

from __future__ import annotations

import dataclasses
import os
import secrets
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from runner import tokens
from runner.store.engine import Store, open_store
from tests.integration.booking.cluster import free_port
from tests.integration.runner.waiting import until

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 30.0
POLICIES = """
policies:
  - {name: crowd, match: ['alertname="BookingSlow"'], action: scale_out, step: +2, ceiling: 12}
  - {name: image, match: ['alertname="ImageOld"'], action: bake_image, approvals: 2}
heartbeat: {alertname: Watchdog, silent_after: 3m}
"""
WANT = {"action": "scale_out", "variables": {"wanted_servers": 4}}


@dataclasses.dataclass
class House:
    folder: Path
    port: int = dataclasses.field(default_factory=free_port)
    certificate: Path | None = None
    key: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    keys: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "policies.yml").write_text(POLICIES)
        (self.folder / "state").mkdir()
        for name, scopes in {"ann": ["read", "operate"], "bob": ["read", "approve"], "eve": ["alerts"]}.items():
            self.add_token(name, scopes)

    @property
    def tokens_file(self) -> Path:
        return self.folder / "tokens.json"

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.folder}/state/store.db"

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def add_token(self, name: str, scopes: Sequence[str]) -> None:
        known = tokens.load(self.tokens_file) if self.tokens_file.exists() else ()
        self.keys[name] = tokens.make(secrets.token_bytes)
        tokens.save(self.tokens_file, tokens.added(known, name, scopes, self.keys[name]))

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process as `understudy serve` does, and return at once. What it reports goes into the log too."""
        settings = {
            "UNDERSTUDY_SITE": "cloud",
            "UNDERSTUDY_STATE_DIR": str(self.folder / "state"),
            "UNDERSTUDY_LISTEN": f"127.0.0.1:{self.port}",
            "UNDERSTUDY_TOKENS_FILE": str(self.tokens_file),
            "UNDERSTUDY_POLICIES_FILE": str(self.folder / "policies.yml"),
        }
        if self.certificate:
            settings |= {"UNDERSTUDY_TLS_CERTIFICATE": str(self.certificate), "UNDERSTUDY_TLS_KEY": str(self.key)}
        pipe, supervisor = "1", str(os.getpid())
        command = [sys.executable, "-m", "runner.cli.web_process", pipe, supervisor]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={"PATH": os.environ["PATH"], **settings}, stdout=log, stderr=log
            )
        return self.process

    def ready(self) -> House:
        """Wait until the process answers."""
        until(self.answers, DEADLINE_SECONDS, "the API answers")
        return self

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            return self.ask("GET", "/healthz", None).status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, name: str | None = "ann", **sent: Any) -> httpx.Response:
        """Send one request with somebody's token."""
        headers = sent.pop("headers", {}) | self.head(name)
        with self.client() as client:
            return client.request(method, path, headers=headers, **sent)

    def client(self) -> httpx.Client:
        verify = self.context() if self.certificate else True
        return httpx.Client(base_url=self.url, verify=verify, timeout=20, trust_env=False)

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def head(self, name: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys.get(name, name)}"} if name else {}

    def open(self) -> Store:
        return open_store(self.store_url)

    def stop(self) -> int:
        """Ask the process to end, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def submit(house: House, **body: Any) -> dict[str, Any]:
    response = house.ask("POST", "/jobs", json={**WANT, **body})
    assert response.status_code == 201, response.text
    job: dict[str, Any] = response.json()["job"]
    return job


def stream(house: House, job_id: str, last: str | None = None) -> Iterator[tuple[str | None, str]]:
    """Follow a job; yield (id, data) of each event, or the name and data where it has a name."""
    headers = {"Accept": "text/event-stream", **house.head("ann")} | ({"Last-Event-ID": last} if last else {})
    with house.client() as client, client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as response:
        assert response.status_code == 200
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                yield fields.get("event", fields.get("id")), fields["data"]
                fields = {}
