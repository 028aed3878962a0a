# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pgBackRest and PostgreSQL's programs as the account that owns the data."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.basic import AnsibleModule

# Documented in doc_fragments/backup.py.
OPTIONS: dict[str, dict[str, Any]] = {"stanza": {"type": "str", "required": True}}
LEADER_OPTIONS: dict[str, dict[str, Any]] = {
    "port": {"type": "int", "default": 5432},
    "textfile_directory": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
}
ACCOUNT = "postgres"
CONFIGURATION = "/etc/pgbackrest/pgbackrest.conf"
AS_ACCOUNT = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups"]
LOCK_HELD = 50  # pgBackRest's error "lock-acquire"
PATIENCE_SECONDS = 4  # each of a handful of attempts to reach the storage, where only its state is asked for
OTHER = 99  # pgBackRest's status of a repository that it could not ask


@dataclass(frozen=True)
class Said:
    """What a program answered."""

    code: int
    text: str
    complaint: str

    @property
    def reason(self) -> str:
        """Say why it failed: its lines that speak of an error, with hints, else its last ones."""
        lines = [line.strip() for line in f"{self.text}\n{self.complaint}".splitlines() if line.strip()]
        faults = [line for line in lines if "ERROR" in line or "HINT" in line]
        return " ".join(faults or lines[-3:]) or f"exit code {self.code}"


def run(module: AnsibleModule, *arguments: str) -> Said:
    """Run a program as the account of PostgreSQL."""
    code, text, complaint = module.run_command([*AS_ACCOUNT, *arguments], cwd="/")
    return Said(int(code), str(text), str(complaint))


def repositories(module: AnsibleModule) -> list[int]:
    """Return the numbers of the repositories that pgBackRest's configuration has."""
    try:
        text = Path(CONFIGURATION).read_text(encoding="utf-8")
    except FileNotFoundError:
        module.fail_json(
            msg=f"{CONFIGURATION} is not there. Run playbooks/database.yml with backup_enabled: true first."
        )
    return sorted(int(number) for number in re.findall(r"^repo(\d+)-type=", text, re.MULTILINE))


def pgbackrest(module: AnsibleModule, *arguments: str) -> Said:
    """Run pgBackRest for the stanza that the task names."""
    return run(module, "pgbackrest", f"--stanza={module.params['stanza']}", *arguments)


def info(module: AnsibleModule, before_failing: Callable[[], None] | None = None) -> dict[str, Any]:
    """Return what pgBackRest knows of the stanza. Fails the module when the storage does not answer."""
    said = pgbackrest(module, f"--io-timeout={PATIENCE_SECONDS}", "--output=json", "info")
    found: list[dict[str, Any]] = json.loads(said.text) if said.code == 0 else []
    states = [repository["status"] for stanza in found for repository in stanza.get("repo", [])]
    faults = [" ".join(state["message"].split())[:300] for state in states if state["code"] == OTHER]
    if said.code != 0 or faults:
        if before_failing is not None:
            before_failing()
        module.fail_json(
            msg=f"The backup storage did not answer: {'; '.join(faults) or said.reason}. Selling goes on, "
            "and WAL waits on this host. Look whether the storage runs, and at /etc/pgbackrest/pgbackrest.conf: "
            "endpoint, bucket, keys and authority.",
            refused=False,
        )
    return found[0] if found else {}


def objects(module: AnsibleModule, repository: int, below: str) -> dict[str, dict[str, Any]]:
    """List the objects of a repository below a path. Fails the module when the storage does not answer."""
    place = f"{below}/{module.params['stanza']}"
    said = pgbackrest(module, f"--repo={repository}", "--output=json", "--recurse", "repo-ls", place)
    if said.code != 0:
        module.fail_json(msg=f"The backup storage did not list {place}: {said.reason}")
    return dict(json.loads(said.text))


def query(module: AnsibleModule, statement: str, *arguments: str) -> Said:
    """Ask PostgreSQL over its socket."""
    return run(module, "psql", "-AtX", "-d", "postgres", *arguments, "-c", statement)


def as_of(module: AnsibleModule, moment: str, window_seconds: float, question: str, *arguments: str) -> Said:
    """Ask a question of roles/backup/files/questions as of a moment, in one session (psql's options say where)."""
    told = (f"SET understudy.moment = '{moment}'", f"SET understudy.window_seconds = {window_seconds}")
    commands = [word for statement in told for word in ("-c", statement)]
    return query(module, question, *arguments, "-q", "-v", "ON_ERROR_STOP=1", *commands)


def leads(module: AnsibleModule) -> bool:
    """Tell whether the PostgreSQL of this host takes writes. Fails the module when it does not answer."""
    said = query(module, "SELECT pg_is_in_recovery()", "-p", str(module.params["port"]))
    if said.code != 0:
        module.fail_json(
            msg=f"PostgreSQL does not answer on this host (port {module.params['port']}): {said.reason} "
            "Only a database that runs can be backed up; look at 'journalctl -u patroni'."
        )
    return said.text.strip() == "f"


def keep_figures(module: AnsibleModule, name: str, text: str) -> None:
    """Write figures for node_exporter's textfile collector, in one step."""
    folder = Path(module.params["textfile_directory"])
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{name}.{time.time_ns()}"
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(folder / f"{name}.prom")
