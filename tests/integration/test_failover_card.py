"""What a verification found reaches the observers that answer, and from there the card; a dark one fails nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.content.project import ROOT

FLIPPED = "bytes flipped: a/b is not what was written. Do not trust a."
OF_LOCALHOST = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def run(folder: Path, plays: list[dict[str, Any]]) -> tuple[int, str]:
    """Run plays on two observers, one of which is dark; return the exit code and all that was said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    hosts: dict[str, Any] = {
        "colo-db1": OF_LOCALHOST,
        "witness1": OF_LOCALHOST,
        "cloud-gw1": {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "nobody"},
    }
    kept = {
        "preflight_verification_file": str(folder / "verified.json"),
        "preflight_durations_file": str(folder / "failovers"),
        "preflight_recovery_file": str(folder / "recovered"),
        "failover_observers": ["cloud-gw1", "witness1"],
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": kept}}), encoding="utf-8")
    (folder / "play.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    ours = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(ROOT / "roles")}
    ours |= {"ANSIBLE_INVENTORY_ENABLED": "yaml", "ANSIBLE_SSH_RETRIES": "0"}
    words = ["-i", "hosts.yml", "play.yml"]
    done = subprocess.run(
        ["ansible-playbook", *words], cwd=folder, env=os.environ | ours, capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def verification(found: list[str]) -> list[dict[str, Any]]:
    """Return a play that verifies as playbooks/verify_backup.yml does, with what was found given."""
    plays = yaml.safe_load((ROOT / "playbooks/verify_backup.yml").read_text(encoding="utf-8"))
    real = next(play for play in plays if play.get("hosts") == "database")
    block = real["tasks"][0]
    fact = {"at": "2026-11-28T21:00:00Z", "findings": found, "spoiling": found}
    block["block"] = [
        {"ansible.builtin.set_fact": {"backup_verified": fact}},
        {"ansible.builtin.fail": {"msg": "as it was"}, "when": bool(found)},
    ]
    block["always"][0]["ansible.builtin.import_tasks"] = str(ROOT / "playbooks/tasks/remember_verification.yml")
    return [{**real, "hosts": "colo-db1", "become": False}]


@pytest.mark.parametrize("found", [[], [FLIPPED]])
def test_a_dark_observer_is_named_and_the_verification_ends_as_it_would(tmp_path: Path, found: list[str]) -> None:
    code, said = run(tmp_path, verification(found))
    assert (code == 0) == (not found), said
    assert "Not told what was found: cloud-gw1." in said
    assert json.loads((tmp_path / "verified.json").read_text())["spoiling"] == found


def card(folder: Path) -> str:
    """Return the failover card when one observer alone answers; doors and lease have tests of their own."""
    tasks = yaml.safe_load((ROOT / "roles/preflight/tasks/observe.yml").read_text(encoding="utf-8"))
    observed = [task for task in tasks if not any(name.startswith("understudy.") for name in task)]
    seen = {
        "preflight_site": "witness",
        "__preflight_looked": {"sights": {}},
        "__preflight_lease": {"quorum": True, "holder": "colo-db1", "synchronous": []},
    }
    judged = {
        "preflight_sights": "{{ [hostvars['witness1'].preflight_seen] }}",
        "preflight_member_sites": {"colo-db1": "colo"},
        "preflight_data_tier": "archive",
        "preflight_data_age_seconds": "12",
    }
    role = {"ansible.builtin.import_role": {"name": "preflight", "tasks_from": "failover_card"}, "vars": judged}
    plays: list[dict[str, Any]] = [
        {"hosts": "witness1", "gather_facts": False, "vars": seen, "tasks": observed},
        {"hosts": "witness1", "gather_facts": False, "tasks": [role]},
    ]
    code, said = run(folder, plays)
    assert code == 0, said
    return said.replace("' - ' ", "").replace("' - '", "")


def test_the_card_says_what_the_observers_keep(tmp_path: Path) -> None:
    (tmp_path / "verified.json").write_text(json.dumps({"findings": [FLIPPED], "spoiling": [FLIPPED]}))
    (tmp_path / "failovers").write_text("2026-11-28T20:00:00Z archive 96.0\n2026-11-28T21:00:00Z archive 90.0")
    (tmp_path / "recovered").write_text("failback\n")
    said = card(tmp_path)
    assert "NOT KNOWN: bytes flipped: a/b is not what was written." in said
    assert "the last 2, drills too, took 90 s to 96 s" in said


def test_a_card_without_anything_kept_says_so_and_a_broken_note_stops_nothing(tmp_path: Path) -> None:
    assert "Whether the backups are whole is not known" in card(tmp_path)
    (tmp_path / "verified.json").write_text('{"findings": [')
    (tmp_path / "failovers").write_text("gibberish")
    said = card(tmp_path)
    assert "Whether the backups are whole is not known" in said
    assert "no failover in tier archive is remembered here" in said
